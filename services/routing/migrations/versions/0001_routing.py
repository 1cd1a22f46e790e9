"""Pools, agents, items with their clocks, offers, results, feed, explanations, arrivals, leases.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE pools (
        pool_id text PRIMARY KEY,
        at_ms bigint NOT NULL,
        sequence bigint NOT NULL
    ) WITH (fillfactor = 20)
    """,
    """
    CREATE TABLE directories (
        pool_id text PRIMARY KEY,
        version bigint NOT NULL,
        directory jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE agents (
        agent_id text PRIMARY KEY,
        pool_id text NOT NULL,
        profile jsonb NOT NULL,
        removed boolean NOT NULL,
        presence text NOT NULL,
        presence_epoch bigint NOT NULL,
        since_ms bigint NOT NULL,
        reason text NOT NULL,
        missed bigint NOT NULL,
        feed_seq bigint NOT NULL,
        last_assigned_at_ms bigint NOT NULL
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE items (
        conversation_id text PRIMARY KEY,
        pool_id text NOT NULL,
        episode int NOT NULL,
        state text NOT NULL,
        queue_id text NOT NULL,
        agent_id text NOT NULL,
        channel text NOT NULL,
        eligible_at_ms bigint NOT NULL,
        key_ms bigint NOT NULL,
        closed_at_ms bigint NOT NULL,
        facts jsonb NOT NULL,
        clocks jsonb NOT NULL
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX items_live ON items (pool_id, queue_id, eligible_at_ms) WHERE state <> 'closed'",
    "CREATE INDEX items_of_agent ON items (agent_id) WHERE agent_id <> ''",
    "CREATE INDEX items_closed ON items (closed_at_ms) WHERE state = 'closed'",
    """
    CREATE TABLE offers (
        offer_id text PRIMARY KEY,
        pool_id text NOT NULL,
        conversation_id text NOT NULL,
        episode int NOT NULL,
        agent_id text NOT NULL,
        epoch bigint NOT NULL,
        made_at_ms bigint NOT NULL,
        expires_at_ms bigint NOT NULL,
        state text NOT NULL,
        closed_at_ms bigint NOT NULL,
        reason text NOT NULL,
        transfer_from text NOT NULL,
        queue_id text NOT NULL
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX offers_open ON offers (agent_id) WHERE state = 'open'",
    "CREATE INDEX offers_closed ON offers (closed_at_ms) WHERE state <> 'open'",
    """
    CREATE TABLE results (
        command_id text PRIMARY KEY,
        pool_id text NOT NULL,
        ok boolean NOT NULL,
        slug text NOT NULL,
        body jsonb NOT NULL,
        at_ms bigint NOT NULL
    )
    """,
    "CREATE INDEX results_by_time ON results (at_ms)",
    """
    CREATE TABLE asked (
        command_id text PRIMARY KEY,
        caller text NOT NULL,
        at_ms bigint NOT NULL
    )
    """,
    "CREATE INDEX asked_by_time ON asked (at_ms)",
    """
    CREATE TABLE feed (
        agent_id text NOT NULL,
        seq bigint NOT NULL,
        kind text NOT NULL,
        payload jsonb NOT NULL,
        at_ms bigint NOT NULL,
        PRIMARY KEY (agent_id, seq)
    )
    """,
    "CREATE INDEX feed_by_time ON feed (at_ms)",
    """
    CREATE TABLE decisions (
        decision_id text PRIMARY KEY,
        conversation_id text NOT NULL,
        episode int NOT NULL,
        kind text NOT NULL,
        at_ms bigint NOT NULL,
        sequence bigint NOT NULL,
        record jsonb NOT NULL
    )
    """,
    "CREATE INDEX decisions_of_conversation ON decisions (conversation_id, sequence)",
    "CREATE INDEX decisions_by_time ON decisions (at_ms)",
    """
    CREATE TABLE arrivals (
        conversation_id text PRIMARY KEY,
        opened_episode int NOT NULL,
        enqueued_episode int NOT NULL,
        resolved_episode int NOT NULL,
        first_seq bigint NOT NULL,
        channel text NOT NULL,
        language text NOT NULL,
        case_reference text NOT NULL,
        customer_id text NOT NULL,
        human_version bigint NOT NULL,
        triaged jsonb NOT NULL,
        early jsonb NOT NULL
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE leases (
        agent_id text PRIMARY KEY,
        lease_until_ms bigint NOT NULL
    ) WITH (fillfactor = 50)
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
