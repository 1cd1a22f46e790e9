"""What a restored database must know: where the log was cut, and which events others have had from it already.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Rows of generations before `next` with a number above `number` are of a history that was given up.
    op.execute(
        """
        CREATE TABLE cuts (
            topic smallint NOT NULL REFERENCES topics (id),
            partition int NOT NULL,
            next int NOT NULL,
            number bigint NOT NULL,
            PRIMARY KEY (topic, partition, next)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE recovered (
            event_id bytea NOT NULL,
            type text NOT NULL,
            at_ms bigint NOT NULL,
            PRIMARY KEY (event_id, type)
        )
        """
    )
