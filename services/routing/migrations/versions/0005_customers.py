"""What is known of customers: their name and tier, and the ledger of their experiences.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE customers (customer_id text PRIMARY KEY, name text NOT NULL, tier text NOT NULL,"
        " ledger jsonb NOT NULL) WITH (fillfactor = 70)"
    )
