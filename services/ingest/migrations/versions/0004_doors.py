"""Mailboxes that are read, attachments, whole webhooks, webhooks out.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE raw_messages ADD COLUMN sender_key text NOT NULL DEFAULT ''")
    op.execute(
        """
        CREATE TABLE mailboxes (
            account text PRIMARY KEY,
            uid_validity bigint NOT NULL DEFAULT 0,
            last_uid bigint NOT NULL DEFAULT 0,
            read_at_ms bigint NOT NULL DEFAULT 0,
            since_ms bigint NOT NULL DEFAULT 0,
            owner text NOT NULL,
            lease_until_ms bigint NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE attachments (
            attachment_id text PRIMARY KEY,
            conversation_id text NOT NULL,
            message_id text NOT NULL,
            position int NOT NULL,
            name text NOT NULL,
            declared text NOT NULL,
            media_type text NOT NULL,
            inline boolean NOT NULL,
            size bigint NOT NULL,
            blob_key text NOT NULL,
            state text NOT NULL,
            reason text NOT NULL,
            source text NOT NULL,
            channel text NOT NULL,
            account text NOT NULL,
            attempts int NOT NULL,
            due_at_ms bigint NOT NULL,
            created_at_ms bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX attachments_by_message ON attachments (conversation_id, message_id, position)")
    op.execute("CREATE INDEX attachments_due ON attachments (due_at_ms) WHERE state = 'waiting'")
    op.execute("CREATE INDEX attachments_by_blob ON attachments (blob_key) WHERE blob_key <> ''")
    op.execute("CREATE INDEX attachments_by_time ON attachments USING brin (created_at_ms)")
    op.execute(
        "CREATE TABLE blobs"
        " (key text PRIMARY KEY, content text NOT NULL, size bigint NOT NULL, put_at timestamptz NOT NULL)"
    )
    op.execute(
        "CREATE TABLE blob_pieces"
        " (content text NOT NULL, number int NOT NULL, data bytea NOT NULL, PRIMARY KEY (content, number))"
    )
    op.execute("ALTER TABLE blob_pieces ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute(
        """
        CREATE TABLE raw_hooks (
            id text PRIMARY KEY,
            provider text NOT NULL,
            account text NOT NULL,
            key_id text NOT NULL,
            payload bytea NOT NULL,
            received_at_ms bigint NOT NULL
        )
        """
    )
    # Encrypted bytes do not compress.
    op.execute("ALTER TABLE raw_hooks ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.execute(
        """
        CREATE TABLE notices (
            notice_id text PRIMARY KEY,
            endpoint text NOT NULL,
            type text NOT NULL,
            body text NOT NULL,
            state text NOT NULL,
            attempts int NOT NULL,
            due_at_ms bigint NOT NULL,
            reason text NOT NULL,
            created_at_ms bigint NOT NULL,
            finished_at_ms bigint NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX notices_due ON notices (due_at_ms) WHERE state = 'waiting'")
    op.execute("CREATE INDEX notices_by_time ON notices USING brin (created_at_ms)")
    op.execute("CREATE INDEX raw_hooks_by_time ON raw_hooks USING brin (received_at_ms)")
