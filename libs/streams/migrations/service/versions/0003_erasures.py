"""Who was erased here, what that concerned, and which rows of the log are still to be blanked.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE erasures (
            customer_id text PRIMARY KEY,
            keys jsonb NOT NULL,
            counts jsonb NOT NULL,
            erased_at_ms bigint NOT NULL,
            done_at_ms bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX erasures_waiting ON erasures (erased_at_ms) WHERE done_at_ms = 0")
