"""A conversation knows the trace of its newest message, so that those who act on it can go on in it.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE conversations ADD COLUMN traceparent text NOT NULL DEFAULT ''")
