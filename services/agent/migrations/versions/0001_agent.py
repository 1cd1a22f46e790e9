"""Conversations, their timeline, notes, what triage says of messages, labels, accounts.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE conversations (
        conversation_id text PRIMARY KEY,
        customer_id text NOT NULL,
        channel text NOT NULL,
        language text NOT NULL,
        case_reference text NOT NULL,
        subject text NOT NULL,
        status text NOT NULL,
        created_at_ms bigint NOT NULL,
        last_message_at_ms bigint NOT NULL,
        episode int NOT NULL,
        first_seq bigint NOT NULL,
        through_seq bigint NOT NULL,
        spans jsonb NOT NULL,
        human_version bigint NOT NULL,
        last_seq bigint NOT NULL,
        opening_seq bigint NOT NULL,
        seen_seq bigint NOT NULL,
        position bigint NOT NULL,
        snoozed_until_ms bigint NOT NULL,
        topic text NOT NULL,
        topic_by text NOT NULL,
        urgency text NOT NULL,
        topic_confidence double precision NOT NULL,
        anger double precision NOT NULL,
        tags jsonb NOT NULL,
        tags_by text NOT NULL,
        continues text NOT NULL,
        continued_as text NOT NULL
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX conversations_by_time ON conversations (created_at_ms DESC, conversation_id DESC)",
    """
    CREATE INDEX conversations_live ON conversations (created_at_ms DESC, conversation_id DESC)
    WHERE status <> 'resolved'
    """,
    "CREATE INDEX conversations_by_customer ON conversations (customer_id, created_at_ms DESC)",
    "CREATE INDEX conversations_by_case ON conversations (case_reference)",
    """
    CREATE TABLE placements (
        conversation_id text PRIMARY KEY,
        team_id text NOT NULL,
        queue_id text NOT NULL,
        agent_id text NOT NULL,
        last_agent_id text NOT NULL,
        handling text NOT NULL,
        epoch bigint NOT NULL,
        since_ms bigint NOT NULL,
        clocks jsonb NOT NULL
    ) WITH (fillfactor = 60)
    """,
    "CREATE INDEX placements_by_agent ON placements (agent_id) WHERE agent_id <> ''",
    """
    CREATE TABLE messages (
        message_id text PRIMARY KEY,
        conversation_id text NOT NULL,
        position bigint NOT NULL,
        seq bigint NOT NULL,
        after_seq bigint NOT NULL,
        author text NOT NULL,
        channel text NOT NULL,
        language_hint text NOT NULL,
        automatic boolean NOT NULL,
        survey_answer boolean NOT NULL,
        subject text NOT NULL,
        text text NOT NULL,
        truncated boolean NOT NULL,
        at_ms bigint NOT NULL,
        delivery text NOT NULL,
        delivery_at_ms bigint NOT NULL,
        delivery_reason text NOT NULL,
        possibly_twice boolean NOT NULL
    ) WITH (fillfactor = 85)
    """,
    "CREATE UNIQUE INDEX messages_in_order ON messages (conversation_id, position)",
    """
    CREATE TABLE understandings (
        message_id text PRIMARY KEY,
        conversation_id text NOT NULL,
        customer_id text NOT NULL,
        channel text NOT NULL,
        seq bigint NOT NULL,
        received_at_ms bigint NOT NULL,
        kind text NOT NULL,
        language text NOT NULL,
        topic text NOT NULL,
        topic_confidence double precision NOT NULL,
        urgency text NOT NULL,
        anger double precision NOT NULL,
        tags jsonb NOT NULL,
        detail jsonb NOT NULL,
        settled boolean NOT NULL,
        opens boolean NOT NULL,
        cause text NOT NULL
    )
    """,
    "CREATE INDEX understandings_in_order ON understandings (conversation_id, seq)",
    """
    CREATE INDEX understandings_trailing ON understandings (received_at_ms DESC, message_id DESC)
    WHERE cause <> ''
    """,
    """
    CREATE TABLE notes (
        note_id text PRIMARY KEY,
        conversation_id text NOT NULL,
        agent_id text NOT NULL,
        kind text NOT NULL,
        text text NOT NULL,
        at_ms bigint NOT NULL
    )
    """,
    "CREATE INDEX notes_in_order ON notes (conversation_id, at_ms DESC)",
    """
    CREATE TABLE customers (
        customer_id text PRIMARY KEY,
        display_name text NOT NULL,
        language text NOT NULL,
        tier text NOT NULL,
        first_seen_at_ms bigint NOT NULL,
        identities jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE teams (
        team_id text PRIMARY KEY,
        name text NOT NULL,
        removed boolean NOT NULL,
        version bigint NOT NULL
    )
    """,
    """
    CREATE TABLE people (
        person_id text PRIMARY KEY,
        name text NOT NULL,
        team_ids jsonb NOT NULL,
        languages jsonb NOT NULL,
        removed boolean NOT NULL,
        version bigint NOT NULL
    )
    """,
    """
    CREATE TABLE accounts (
        username text PRIMARY KEY,
        password_hash text NOT NULL,
        role text NOT NULL,
        name text NOT NULL,
        created_at_ms bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
