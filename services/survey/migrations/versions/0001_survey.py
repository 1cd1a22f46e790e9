"""Invitations, when customers were last asked, answers.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE invitations (
        invitation_id text PRIMARY KEY,
        conversation_id text NOT NULL,
        episode int NOT NULL,
        customer_id text NOT NULL,
        channel text NOT NULL,
        language text NOT NULL,
        definition text NOT NULL,
        state text NOT NULL
            CHECK (state IN ('scheduled', 'requested', 'answered', 'expired', 'cancelled')),
        resolve_reason text NOT NULL,
        resolved_at_ms bigint NOT NULL,
        due_at_ms bigint NOT NULL,
        requested_at_ms bigint NOT NULL,
        expires_at_ms bigint NOT NULL,
        cancelled_at_ms bigint NOT NULL,
        cancel_reason text NOT NULL,
        score int NOT NULL,
        comment text NOT NULL,
        revision int NOT NULL,
        answered_at_ms bigint NOT NULL,
        answer_language text NOT NULL,
        UNIQUE (conversation_id, episode)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX invitations_by_due ON invitations (due_at_ms DESC, invitation_id DESC)",
    "CREATE INDEX invitations_by_state ON invitations (state, due_at_ms DESC, invitation_id DESC)",
    "CREATE INDEX invitations_by_customer ON invitations (customer_id, due_at_ms DESC, invitation_id DESC)",
    """
    CREATE TABLE customers (
        customer_id text PRIMARY KEY,
        last_requested_at_ms bigint NOT NULL
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE answers (
        invitation_id text NOT NULL REFERENCES invitations,
        revision int NOT NULL,
        score int NOT NULL,
        comment text NOT NULL,
        language text NOT NULL,
        answered_at_ms bigint NOT NULL,
        PRIMARY KEY (invitation_id, revision)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
