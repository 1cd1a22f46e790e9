"""What the rules of choice and the fair share remember of an agent.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = ("idle_since_ms", "turn", "window_start_ms", "window_count", "window_before")


def upgrade() -> None:
    added = ", ".join(f"ADD COLUMN {name} bigint NOT NULL DEFAULT 0" for name in _COLUMNS)
    op.execute(f"ALTER TABLE agents {added}")
