"""Versions of the rules, customers, what was decided last, and the facts of a decision.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE conversations
            ADD COLUMN customer_id text NOT NULL DEFAULT '',
            ADD COLUMN contacted_at_ms bigint NOT NULL DEFAULT 0,
            ADD COLUMN decided_seq bigint NOT NULL DEFAULT 0,
            ADD COLUMN decided jsonb NOT NULL DEFAULT '{}'
        """
    )
    op.execute("CREATE INDEX conversations_by_customer ON conversations (customer_id, contacted_at_ms)")
    op.execute("ALTER TABLE decisions ADD COLUMN facts jsonb NOT NULL DEFAULT '{}'")
    op.execute(
        """
        CREATE TABLE customers (
            customer_id text PRIMARY KEY,
            tier text NOT NULL,
            attributes jsonb NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE rule_sets (
            version bigint PRIMARY KEY,
            content jsonb NOT NULL,
            author text NOT NULL,
            note text NOT NULL,
            put_at_ms bigint NOT NULL,
            changes jsonb NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE rule_sets")
    op.execute("DROP TABLE customers")
    op.execute("ALTER TABLE decisions DROP COLUMN facts")
    op.execute("DROP INDEX conversations_by_customer")
    op.execute(
        "ALTER TABLE conversations DROP COLUMN customer_id, DROP COLUMN contacted_at_ms,"
        " DROP COLUMN decided_seq, DROP COLUMN decided"
    )
