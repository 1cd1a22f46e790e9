"""Customers who are one person, what the operator's systems say of customers, files of messages.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN attachments jsonb NOT NULL DEFAULT '[]'")
    op.execute("ALTER TABLE customers ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}'")
    op.execute(
        """
        CREATE TABLE persons (
            customer_id text PRIMARY KEY,
            person_id text NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX persons_by_person ON persons (person_id)")
