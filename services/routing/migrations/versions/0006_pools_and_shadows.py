"""Several pools, their daily snapshots, and the second policy that looks on.

Revision ID: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_FIRST = "coalesce((SELECT pool_id FROM pools ORDER BY pool_id LIMIT 1), '')"

_STATEMENTS = (
    "ALTER TABLE decisions ADD COLUMN pool_id text NOT NULL DEFAULT ''",
    f"UPDATE decisions SET pool_id = {_FIRST}",
    "ALTER TABLE decisions ALTER COLUMN pool_id DROP DEFAULT",
    "CREATE INDEX decisions_of_pool ON decisions (pool_id, sequence)",
    "ALTER TABLE arrivals ADD COLUMN pool_id text NOT NULL DEFAULT ''",
    f"UPDATE arrivals SET pool_id = {_FIRST} WHERE enqueued_episode > 0",
    "ALTER TABLE arrivals ALTER COLUMN pool_id DROP DEFAULT",
    "CREATE INDEX items_closed_of_pool ON items (pool_id, closed_at_ms) WHERE state = 'closed'",
    """
    CREATE TABLE territories (
        name text PRIMARY KEY,
        version bigint NOT NULL,
        pools jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE places (
        kind text NOT NULL,
        id text NOT NULL,
        pool_id text NOT NULL,
        PRIMARY KEY (kind, id)
    )
    """,
    "INSERT INTO places SELECT 'queue', q ->> 'queue_id', pool_id FROM directories,"
    " jsonb_array_elements(directory -> 'queues') q",
    "INSERT INTO places SELECT 'team', t ->> 'team_id', pool_id FROM directories,"
    " jsonb_array_elements(directory -> 'teams') t",
    "INSERT INTO places SELECT 'agent', agent_id, pool_id FROM agents WHERE NOT removed",
    """
    CREATE TABLE snapshots (
        pool_id text NOT NULL,
        number bigint NOT NULL,
        sequence bigint NOT NULL,
        at_ms bigint NOT NULL,
        taken_at_ms bigint NOT NULL,
        PRIMARY KEY (pool_id, taken_at_ms)
    )
    """,
    """
    CREATE TABLE snapshot_rows (
        pool_id text NOT NULL,
        taken_at_ms bigint NOT NULL,
        kind text NOT NULL,
        row jsonb NOT NULL
    )
    """,
    "CREATE INDEX snapshot_rows_of ON snapshot_rows (pool_id, taken_at_ms)",
    "CREATE INDEX snapshot_rows_by_time ON snapshot_rows (taken_at_ms)",
    """
    CREATE TABLE shadows (
        pool_id text PRIMARY KEY,
        name text NOT NULL,
        since_ms bigint NOT NULL,
        by text NOT NULL,
        directory jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE shadow_differences (
        difference_id text PRIMARY KEY,
        pool_id text NOT NULL,
        at_ms bigint NOT NULL,
        policy text NOT NULL,
        kind text NOT NULL,
        conversation_id text NOT NULL,
        agent_id text NOT NULL,
        live text NOT NULL,
        shadow text NOT NULL,
        decision_id text NOT NULL
    )
    """,
    "CREATE INDEX shadow_differences_by_time ON shadow_differences (pool_id, at_ms, difference_id)",
    "CREATE INDEX shadow_differences_old ON shadow_differences (at_ms)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
