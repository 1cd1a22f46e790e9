"""How far each side of a conversation has read.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE thread_reads (
            conversation_id text PRIMARY KEY,
            customer_entry_seq bigint NOT NULL DEFAULT 0,
            agent_message_seq bigint NOT NULL DEFAULT 0
        )
        """
    )
