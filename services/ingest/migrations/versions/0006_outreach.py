"""Templates, consent, the budget of automatic answers, events of the operator's systems and what is sent on them.

Revision ID: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE deliveries
            ADD COLUMN template text NOT NULL DEFAULT '',
            ADD COLUMN template_language text NOT NULL DEFAULT '',
            ADD COLUMN template_values jsonb NOT NULL DEFAULT '[]'
        """
    )
    op.execute(
        """
        CREATE TABLE consents (
            channel text NOT NULL,
            account text NOT NULL,
            external_id text NOT NULL,
            customer_id text NOT NULL,
            state text NOT NULL,
            source text NOT NULL,
            actor text NOT NULL,
            evidence text NOT NULL,
            at_ms bigint NOT NULL,
            PRIMARY KEY (channel, account, external_id)
        )
        """
    )
    op.execute("CREATE INDEX consents_by_customer ON consents (customer_id)")
    op.execute(
        """
        CREATE TABLE auto_replies (
            channel text NOT NULL,
            account text NOT NULL,
            external_id text NOT NULL,
            day int NOT NULL,
            count int NOT NULL,
            PRIMARY KEY (channel, account, external_id, day)
        )
        """
    )
    op.execute("ALTER TABLE threads ADD COLUMN cause jsonb")
    op.execute(
        """
        CREATE TABLE outreach_rules (
            version bigint PRIMARY KEY,
            book jsonb NOT NULL,
            author text NOT NULL,
            note text NOT NULL,
            put_at_ms bigint NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE outreach (
            outreach_id text PRIMARY KEY,
            event_id text NOT NULL,
            event_type text NOT NULL,
            rule text NOT NULL,
            customer_id text NOT NULL,
            attributes jsonb NOT NULL,
            zone text NOT NULL,
            language text NOT NULL,
            state text NOT NULL,
            reason text NOT NULL,
            due_at_ms bigint NOT NULL,
            expires_at_ms bigint NOT NULL,
            channel text NOT NULL,
            conversation_id text NOT NULL,
            created_at_ms bigint NOT NULL,
            sent_at_ms bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX outreach_due ON outreach (due_at_ms) WHERE state = 'waiting'")
    op.execute("CREATE INDEX outreach_sent ON outreach (customer_id, sent_at_ms) WHERE state = 'sent'")
    op.execute("CREATE INDEX outreach_by_time ON outreach (created_at_ms DESC, outreach_id DESC)")
