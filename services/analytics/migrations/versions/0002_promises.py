"""Every instance of a clock, for attainment by due date.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE promises (
            conversation_id text NOT NULL,
            metric text NOT NULL,
            instance int NOT NULL,
            episode int NOT NULL,
            team_id text NOT NULL,
            queue_id text NOT NULL,
            urgency text NOT NULL,
            due_ms bigint,
            state text NOT NULL,
            PRIMARY KEY (conversation_id, metric, instance)
        )
        """
    )
    op.execute("CREATE INDEX promises_by_due ON promises (due_ms, conversation_id, metric, instance)")
