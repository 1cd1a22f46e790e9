"""Corrections by people and messages nobody could name, with their words.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # By transaction rather than by number: numbers are given before the commit, so that a reader could pass one by.
    op.execute(
        """
        CREATE TABLE corrections (
            conversation_id text NOT NULL,
            human_version bigint NOT NULL,
            message_id text NOT NULL,
            customer_id text NOT NULL,
            text text NOT NULL,
            language text NOT NULL,
            topic text NOT NULL,
            before text NOT NULL,
            corrected_by text NOT NULL,
            corrected_at_ms bigint NOT NULL,
            number bigint GENERATED ALWAYS AS IDENTITY,
            transaction bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
            PRIMARY KEY (conversation_id, human_version)
        )
        """
    )
    op.execute("CREATE INDEX corrections_by_transaction ON corrections (transaction)")
    op.execute("CREATE INDEX corrections_by_number ON corrections (number)")
    op.execute(
        """
        CREATE TABLE unnamed (
            conversation_id text NOT NULL,
            message_seq bigint NOT NULL,
            customer_id text NOT NULL,
            text text NOT NULL,
            language text NOT NULL,
            decided_at_ms bigint NOT NULL,
            PRIMARY KEY (conversation_id, message_seq)
        )
        """
    )
    op.execute("CREATE INDEX unnamed_by_time ON unnamed (decided_at_ms)")


def downgrade() -> None:
    op.execute("DROP TABLE unnamed")
    op.execute("DROP TABLE corrections")
