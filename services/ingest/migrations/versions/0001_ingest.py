"""Raw payloads, customers, threads and deliveries.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Numbers of cases are taken in blocks, so that a batch costs no round trip.
    op.execute("CREATE SEQUENCE case_blocks MINVALUE 0 START 0")
    op.execute(
        """
        CREATE TABLE raw_messages (
            id text PRIMARY KEY,
            scope text NOT NULL,
            provider_id text,
            body_hash bytea NOT NULL,
            channel text NOT NULL,
            key_id text NOT NULL,
            payload bytea,
            received_at_ms bigint NOT NULL
        )
        """
    )
    # Encrypted bytes do not compress.
    op.execute("ALTER TABLE raw_messages ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.execute(
        "CREATE UNIQUE INDEX raw_messages_by_provider ON raw_messages (scope, provider_id)"
        " WHERE provider_id IS NOT NULL"
    )
    op.execute("CREATE INDEX raw_messages_by_time ON raw_messages USING brin (received_at_ms)")
    op.execute(
        """
        CREATE TABLE identities (
            channel text NOT NULL,
            account text NOT NULL,
            external_id text NOT NULL,
            customer_id text NOT NULL,
            verified boolean NOT NULL,
            conversation_id text NOT NULL,
            PRIMARY KEY (channel, account, external_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE mail_ids (
            address text NOT NULL,
            mail_id text NOT NULL,
            conversation_id text NOT NULL,
            PRIMARY KEY (address, mail_id)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE customers (
            customer_id text PRIMARY KEY,
            display_name text NOT NULL,
            address text NOT NULL,
            language text NOT NULL,
            first_seen_at_ms bigint NOT NULL,
            identities jsonb NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE threads (
            conversation_id text PRIMARY KEY,
            customer_id text NOT NULL,
            channel text NOT NULL,
            account text NOT NULL,
            case_reference text NOT NULL UNIQUE,
            subject text NOT NULL,
            address text NOT NULL,
            last_mail_id text NOT NULL,
            language text NOT NULL,
            opened_at_ms bigint NOT NULL,
            last_inbound_at_ms bigint NOT NULL,
            message_seq bigint NOT NULL,
            entry_seq bigint NOT NULL,
            opened_episode int NOT NULL,
            resolved_episode int NOT NULL,
            resolved_at_ms bigint NOT NULL,
            continues_conversation_id text NOT NULL,
            continued_as_conversation_id text NOT NULL
        ) WITH (fillfactor = 70)
        """
    )
    op.execute(
        """
        CREATE TABLE thread_entries (
            conversation_id text NOT NULL,
            entry_seq bigint NOT NULL,
            kind text NOT NULL,
            text text NOT NULL,
            full_text text,
            at_ms bigint NOT NULL,
            ref_id text NOT NULL,
            message_seq bigint,
            PRIMARY KEY (conversation_id, entry_seq)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX thread_entries_by_message ON thread_entries (ref_id) WHERE kind = 'customer'"
    )
    op.execute(
        """
        CREATE TABLE deliveries (
            delivery_id text PRIMARY KEY,
            conversation_id text NOT NULL,
            source_id text NOT NULL,
            kind text NOT NULL,
            channel text NOT NULL,
            text text NOT NULL,
            automatic boolean NOT NULL,
            state text NOT NULL,
            attempts int NOT NULL,
            due_at_ms bigint NOT NULL,
            possibly_twice boolean NOT NULL,
            reason text NOT NULL,
            created_at_ms bigint NOT NULL,
            finished_at_ms bigint NOT NULL
        ) WITH (fillfactor = 80)
        """
    )
    op.execute(
        "CREATE INDEX deliveries_due ON deliveries (due_at_ms) WHERE state IN ('waiting', 'attempting')"
    )
    op.execute("CREATE INDEX deliveries_by_conversation ON deliveries (conversation_id)")
