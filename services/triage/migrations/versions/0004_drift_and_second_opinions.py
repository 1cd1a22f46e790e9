"""How many conversations began with which topic, confidence and language in each hour, alarms about their drift,
and how many questions have been asked outside on each day.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE mix (
            hour_ms bigint NOT NULL,
            signal text NOT NULL,
            value text NOT NULL,
            texts bigint NOT NULL,
            PRIMARY KEY (hour_ms, signal, value)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE drift_alarms (
            alarm_id text PRIMARY KEY,
            signal text NOT NULL,
            opened_at_ms bigint NOT NULL,
            seen_at_ms bigint NOT NULL,
            closed_at_ms bigint NOT NULL DEFAULT 0,
            accepted_by text NOT NULL DEFAULT '',
            evidence jsonb NOT NULL
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX drift_alarms_open ON drift_alarms (signal) WHERE closed_at_ms = 0")
    op.execute("CREATE INDEX drift_alarms_by_time ON drift_alarms (opened_at_ms DESC, alarm_id DESC)")
    op.execute("CREATE TABLE second_opinions (day bigint PRIMARY KEY, asked bigint NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE second_opinions")
    op.execute("DROP TABLE drift_alarms")
    op.execute("DROP TABLE mix")
