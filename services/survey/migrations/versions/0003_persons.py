"""Customers who are one person.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE persons (customer_id text PRIMARY KEY, version bigint NOT NULL, customer_ids jsonb NOT NULL)"
    )
