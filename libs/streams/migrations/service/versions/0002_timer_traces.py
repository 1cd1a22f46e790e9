"""A timer goes on in the trace of the work that set it.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE timers ADD COLUMN traceparent text NOT NULL DEFAULT ''")
