"""A conversation knows what its customer was told by itself, and which messages nobody wrote.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE conversations ADD COLUMN automatic_seq bigint NOT NULL DEFAULT 0,"
        " ADD COLUMN told jsonb NOT NULL DEFAULT '[]'"
    )
