"""What every service keeps beside its own tables: positions, dead letters, stopped groups, timers, idempotency keys.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE positions (
            group_name text NOT NULL,
            topic text NOT NULL,
            partition int NOT NULL,
            number bigint NOT NULL,
            "offset" bigint NOT NULL DEFAULT -1,
            generation int NOT NULL DEFAULT 1,
            epoch bigint NOT NULL,
            owner text NOT NULL,
            PRIMARY KEY (group_name, topic, partition)
        ) WITH (fillfactor = 20)
        """
    )
    op.execute(
        """
        CREATE TABLE dead_letters (
            id text PRIMARY KEY,
            group_name text NOT NULL,
            topic text NOT NULL,
            partition int NOT NULL,
            number bigint NOT NULL,
            type text NOT NULL,
            key text NOT NULL,
            data bytea NOT NULL,
            error text NOT NULL,
            died_at_ms bigint NOT NULL,
            state text NOT NULL DEFAULT 'dead',
            retried_at_ms bigint
        )
        """
    )
    op.execute("CREATE INDEX dead_letters_by_state ON dead_letters (state, id)")
    op.execute(
        """
        CREATE TABLE stopped_groups (
            group_name text PRIMARY KEY,
            stopped_at_ms bigint NOT NULL,
            reason text NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE timers (
            kind text NOT NULL,
            key text NOT NULL,
            partition int NOT NULL,
            due_at_ms bigint NOT NULL,
            payload bytea NOT NULL,
            PRIMARY KEY (kind, key)
        )
        """
    )
    op.execute("CREATE INDEX timers_by_due ON timers (partition, due_at_ms)")
    op.execute(
        """
        CREATE TABLE idempotency_keys (
            caller text NOT NULL,
            route text NOT NULL,
            key text NOT NULL,
            body_hash bytea NOT NULL,
            status int,
            body bytea,
            headers jsonb,
            created_at_ms bigint NOT NULL,
            PRIMARY KEY (caller, route, key)
        )
        """
    )
    op.execute("CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at_ms)")
