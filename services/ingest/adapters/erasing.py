"""What ingest deletes of a customer who is forgotten: all of it, so that who writes again is somebody new."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from libs.streams import Found

_UNREAD_MS: Final = 60_000
# The customer first: whoever writes a message of theirs holds the row, and is waited for.
_CUSTOMER: Final = "DELETE FROM ingest.customers WHERE customer_id = $1 RETURNING 1"
_IDENTITIES: Final = (
    "DELETE FROM ingest.identities WHERE customer_id = $1 RETURNING channel, account, external_id"
)
_THREADS: Final = "DELETE FROM ingest.threads WHERE customer_id = $1 RETURNING conversation_id"
_SENDERS: Final = """
SELECT DISTINCT r.sender_key FROM ingest.thread_entries e JOIN ingest.raw_messages r ON r.id = e.ref_id
WHERE e.conversation_id = ANY($1::text[]) AND e.kind = 'customer' AND r.sender_key <> ''
"""
_RAW: Final = """
DELETE FROM ingest.raw_messages r USING ingest.thread_entries e
WHERE r.id = e.ref_id AND e.kind = 'customer' AND e.conversation_id = ANY($1::text[]) RETURNING 1
"""
# A mailbox has one sender key, so by the key alone only what others say of one sender goes: statuses, what was unreadable.
_RAW_OF_SENDERS: Final = """
DELETE FROM ingest.raw_messages
WHERE sender_key = ANY($1::text[]) AND sender_key NOT LIKE 'mail/%' AND received_at_ms < $2 RETURNING 1
"""
_BY_CONVERSATION: Final = {
    "thread_entries": "DELETE FROM ingest.thread_entries WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "thread_reads": "DELETE FROM ingest.thread_reads WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "provider_messages": "DELETE FROM ingest.provider_messages p USING ingest.deliveries d"
    " WHERE p.delivery_id = d.delivery_id AND d.conversation_id = ANY($1::text[]) RETURNING 1",
    "deliveries": "DELETE FROM ingest.deliveries WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "mail_ids": "DELETE FROM ingest.mail_ids WHERE conversation_id = ANY($1::text[]) RETURNING 1",
    "notices": "DELETE FROM ingest.notices WHERE body::jsonb->'data'->>'conversation_id' = ANY($1::text[]) RETURNING 1",
}
# What nobody shows any more is removed with the next sweep of the files.
_FILES: Final = """
UPDATE ingest.attachments SET state = 'expired', reason = 'erased', name = 'erased', declared = '', source = '',
    conversation_id = '', message_id = ''
WHERE conversation_id = ANY($1::text[]) RETURNING blob_key
"""
_READ_BY_PERSON: Final = """
DELETE FROM ingest.provider_messages
WHERE channel = $1 AND account = $2 AND provider_id LIKE 'through:%' AND right(provider_id, length($3) + 1) = ':' || $3
RETURNING 1
"""
_UPLOADS: Final = "DELETE FROM ingest.uploads WHERE right(scope, length($1)) = $1 RETURNING blob_key"
_BY_CUSTOMER: Final = {
    "consents": "DELETE FROM ingest.consents WHERE customer_id = $1 RETURNING 1",
    "outreach": "DELETE FROM ingest.outreach WHERE customer_id = $1 RETURNING 1",
    "memberships": "DELETE FROM ingest.memberships WHERE customer_id = $1 RETURNING 1",
    "customer_links": "DELETE FROM ingest.customer_links WHERE customer_id = $1 OR joined_customer_id = $1 RETURNING 1",
    "merge_proposals": "DELETE FROM ingest.merge_proposals"
    " WHERE customer_id = $1 OR other_customer_id = $1 RETURNING 1",
    "customer_conflicts": "DELETE FROM ingest.customer_conflicts"
    " WHERE customer_id = $1 OR other_customer_id = $1 RETURNING 1",
}
_OF_IDENTITY: Final = (
    "DELETE FROM ingest.auto_replies WHERE channel = $1 AND account = $2 AND external_id = $3 RETURNING 1"
)
_HANDLES: Final = """
UPDATE ingest.customer_handles h SET holders = (
    SELECT coalesce(jsonb_agg(one), '[]') FROM jsonb_array_elements(h.holders) AS one WHERE one->>0 <> $1
) WHERE h.holders @> jsonb_build_array(jsonb_build_array($1::text)) RETURNING 1
"""
_NOBODYS: Final = "DELETE FROM ingest.customer_handles WHERE holders = '[]' RETURNING 1"
_HOOKS: Final = (
    "SELECT id, key_id, payload FROM ingest.raw_hooks"
    " WHERE account = ANY($1::text[]) AND id > $2 ORDER BY id LIMIT 100"
)
_DELETE_HOOKS: Final = "DELETE FROM ingest.raw_hooks WHERE id = ANY($1::text[]) RETURNING 1"

Identity = tuple[str, str, str]


class Forgetting:
    """Deletes one customer after the other. `blob_keys` are files that may be nobody's now, `identities` who they were."""

    def __init__(self) -> None:
        self.blob_keys: set[str] = set()
        self.identities: list[Identity] = []

    async def forget(self, connection: AsyncConnection, customer_id: str, now_ms: int) -> Found:
        """Deletes everything of a customer. What is kept of a webhook as a whole is left to `hooks`."""

        async def count(statement: str, *arguments: Any) -> int:
            return len(await fetch_all(connection, statement, *arguments))

        counts = {"customers": await count(_CUSTOMER, customer_id)}
        identities = [tuple(map(str, row)) for row in await fetch_all(connection, _IDENTITIES, customer_id)]
        self.identities += [(channel, account, id_) for channel, account, id_ in identities]
        threads = [str(id_) for (id_,) in await fetch_all(connection, _THREADS, customer_id)]
        counts |= {"identities": len(identities), "threads": len(threads)}
        senders = [str(key) for (key,) in await fetch_all(connection, _SENDERS, threads)]
        counts["raw_messages"] = await count(_RAW, threads)
        counts["raw_messages"] += await count(_RAW_OF_SENDERS, senders, now_ms - _UNREAD_MS)
        for name, statement in _BY_CONVERSATION.items():
            counts[name] = await count(statement, threads)
        files = [str(key) for (key,) in await fetch_all(connection, _FILES, threads)]
        self.blob_keys.update(key for key in files if key)
        counts["attachments"] = len(files)
        counts["auto_replies"] = 0
        for identity in identities:
            counts["auto_replies"] += await count(_OF_IDENTITY, *identity)
            counts["provider_messages"] += await count(_READ_BY_PERSON, *identity)
            uploads = await fetch_all(connection, _UPLOADS, f"/{identity[0]}/{identity[2]}")
            self.blob_keys.update(str(key) for (key,) in uploads)
        for name, statement in _BY_CUSTOMER.items():
            counts[name] = await count(statement, customer_id)
        counts["customer_handles"] = await count(_HANDLES, customer_id)
        await count(_NOBODYS)
        return Found(counts, [*threads, *senders])


async def next_hooks(
    connection: AsyncConnection, accounts: Sequence[str], after: str
) -> list[tuple[str, str, bytes]]:
    """Webhooks as a whole, by id, sealed: (id, key id, payload)."""
    return [
        (str(i), str(k), bytes(p)) for i, k, p in await fetch_all(connection, _HOOKS, list(accounts), after)
    ]


async def delete_hooks(connection: AsyncConnection, ids: Sequence[str]) -> int:
    """Removes webhooks. Returns how many."""
    return len(await fetch_all(connection, _DELETE_HOOKS, list(ids)))
