"""Customers who are one person, their attributes, erasures; files that visitors send.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    ALTER TABLE customers
        ADD COLUMN tier text NOT NULL DEFAULT '',
        ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}'
    """,
    "CREATE INDEX identities_by_customer ON identities (customer_id)",
    "CREATE INDEX threads_by_customer ON threads (customer_id)",
    """
    CREATE TABLE memberships (
        customer_id text PRIMARY KEY,
        person_id text NOT NULL,
        version bigint NOT NULL,
        members jsonb NOT NULL,
        links jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE customer_links (
        link_id text PRIMARY KEY,
        customer_id text NOT NULL,
        joined_customer_id text NOT NULL,
        version bigint NOT NULL,
        reason text NOT NULL,
        actor text NOT NULL,
        evidence jsonb NOT NULL,
        linked_at_ms bigint NOT NULL,
        undone_at_ms bigint NOT NULL,
        undone_by text NOT NULL,
        undone_reason text NOT NULL
    )
    """,
    "CREATE INDEX customer_links_by_customer ON customer_links (customer_id)",
    "CREATE INDEX customer_links_by_joined ON customer_links (joined_customer_id)",
    """
    CREATE TABLE merge_proposals (
        proposal_id text PRIMARY KEY,
        customer_id text NOT NULL,
        other_customer_id text NOT NULL,
        evidence jsonb NOT NULL,
        state text NOT NULL,
        created_at_ms bigint NOT NULL,
        decided_at_ms bigint NOT NULL,
        decided_by text NOT NULL,
        reason text NOT NULL
    )
    """,
    "CREATE INDEX merge_proposals_by_state ON merge_proposals (state, created_at_ms, proposal_id)",
    """
    CREATE TABLE customer_conflicts (
        conflict_id text PRIMARY KEY,
        link_id text NOT NULL,
        customer_id text NOT NULL,
        field text NOT NULL,
        value text NOT NULL,
        other_customer_id text NOT NULL,
        other_value text NOT NULL,
        state text NOT NULL,
        created_at_ms bigint NOT NULL,
        chosen text NOT NULL,
        decided_at_ms bigint NOT NULL,
        decided_by text NOT NULL
    )
    """,
    "CREATE INDEX customer_conflicts_by_state ON customer_conflicts (state, created_at_ms, conflict_id)",
    "CREATE INDEX customer_conflicts_by_link ON customer_conflicts (link_id)",
    "CREATE TABLE customer_handles (handle text PRIMARY KEY, holders jsonb NOT NULL)",
    "CREATE INDEX customer_handles_by_holder ON customer_handles USING gin (holders jsonb_path_ops)",
    """
    CREATE TABLE erasure_requests (
        request_id text PRIMARY KEY,
        customer_ids jsonb NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL,
        requested_at_ms bigint NOT NULL,
        reports jsonb NOT NULL,
        done_at_ms bigint NOT NULL
    )
    """,
    "CREATE INDEX erasure_requests_by_customer ON erasure_requests USING gin (customer_ids)",
    """
    CREATE TABLE uploads (
        scope text NOT NULL,
        upload_id text NOT NULL,
        name text NOT NULL,
        declared text NOT NULL,
        media_type text NOT NULL,
        size bigint NOT NULL,
        blob_key text NOT NULL,
        created_at_ms bigint NOT NULL,
        PRIMARY KEY (scope, upload_id)
    )
    """,
    "CREATE INDEX uploads_by_time ON uploads (created_at_ms)",
    "CREATE INDEX mail_ids_by_conversation ON mail_ids (conversation_id)",
    "CREATE INDEX raw_messages_by_sender ON raw_messages (sender_key) WHERE sender_key <> ''",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
