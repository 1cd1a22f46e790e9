"""Which agents a customer knows.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE customers ADD COLUMN served jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE customers ALTER COLUMN served DROP DEFAULT")
