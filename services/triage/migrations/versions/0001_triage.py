"""Conversations and decisions.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE conversations (
            conversation_id text PRIMARY KEY,
            language text NOT NULL,
            language_seq bigint NOT NULL,
            human_version bigint NOT NULL,
            corrected_topic text NOT NULL,
            tags_corrected boolean NOT NULL,
            corrected_version bigint NOT NULL
        ) WITH (fillfactor = 70)
        """
    )
    op.execute(
        """
        CREATE TABLE decisions (
            conversation_id text NOT NULL,
            message_seq bigint NOT NULL,
            message_id text NOT NULL,
            topic text NOT NULL,
            topic_confidence double precision NOT NULL,
            kind text NOT NULL,
            language text NOT NULL,
            decided_at_ms bigint NOT NULL,
            human_version bigint NOT NULL,
            detail jsonb NOT NULL,
            PRIMARY KEY (conversation_id, message_seq)
        )
        """
    )
    op.execute(
        "CREATE INDEX decisions_by_time ON decisions (decided_at_ms DESC, conversation_id DESC, message_seq DESC)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE decisions")
    op.execute("DROP TABLE conversations")
