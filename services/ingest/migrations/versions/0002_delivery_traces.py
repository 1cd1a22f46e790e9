"""A delivery goes on in the trace of what it carries.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries ADD COLUMN traceparent text NOT NULL DEFAULT ''")
