"""A conversation knows the message of ours that it answers; a customer, where they agreed to be written to.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE conversations ADD COLUMN cause jsonb")
    op.execute("ALTER TABLE customers ADD COLUMN consents jsonb NOT NULL DEFAULT '[]'")
