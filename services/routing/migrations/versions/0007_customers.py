"""Names of customers, for the screens of those who serve them.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE customers (customer_id text PRIMARY KEY, name text NOT NULL)")
