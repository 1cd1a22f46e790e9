"""What stands over parts of a pool, who ordered what, and when each conversation is due.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE notices (
        kind text NOT NULL,
        about text NOT NULL,
        pool_id text NOT NULL,
        since_ms bigint NOT NULL,
        by text NOT NULL,
        reason text NOT NULL,
        lifted boolean NOT NULL,
        PRIMARY KEY (kind, about)
    )
    """,
    """
    CREATE TABLE audit (
        command_id text PRIMARY KEY,
        pool_id text NOT NULL,
        at_ms bigint NOT NULL,
        by text NOT NULL,
        action text NOT NULL,
        about text NOT NULL,
        reason text NOT NULL,
        ok boolean NOT NULL,
        slug text NOT NULL,
        facts jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE wait_told (
        conversation_id text PRIMARY KEY,
        episode int NOT NULL,
        place bigint NOT NULL,
        expected_ms bigint NOT NULL,
        at_ms bigint NOT NULL
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX wait_told_by_time ON wait_told (at_ms)",
    "CREATE INDEX audit_by_time ON audit (at_ms, command_id)",
    "CREATE INDEX audit_about ON audit (about, at_ms)",
    "ALTER TABLE items ADD COLUMN due_ms bigint GENERATED ALWAYS AS ((facts ->> 'due_ms')::bigint) STORED",
    "CREATE INDEX items_due ON items (pool_id, due_ms) WHERE state <> 'closed'",
    "CREATE INDEX items_in_order ON items (queue_id, key_ms, eligible_at_ms, conversation_id)"
    " WHERE state IN ('waiting', 'offered')",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
