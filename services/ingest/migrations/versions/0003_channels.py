"""Channels of providers: endpoints, windows, statuses.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE identities ADD COLUMN last_inbound_at_ms bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE threads ADD COLUMN endpoint text NOT NULL DEFAULT ''")
    op.execute(
        """
        ALTER TABLE deliveries
            ADD COLUMN account text NOT NULL DEFAULT '',
            ADD COLUMN endpoint text NOT NULL DEFAULT '',
            ADD COLUMN window_ends_at_ms bigint NOT NULL DEFAULT 0,
            ADD COLUMN status text NOT NULL DEFAULT ''
        """
    )
    op.execute("CREATE INDEX deliveries_failed ON deliveries (finished_at_ms) WHERE state = 'failed'")
    op.execute(
        """
        CREATE TABLE provider_messages (
            channel text NOT NULL,
            account text NOT NULL,
            provider_id text NOT NULL,
            delivery_id text NOT NULL,
            status text NOT NULL,
            reason text NOT NULL,
            at_ms bigint NOT NULL,
            PRIMARY KEY (channel, account, provider_id)
        )
        """
    )
