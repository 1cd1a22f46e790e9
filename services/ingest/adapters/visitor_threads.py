"""A visitor's conversation: found by their identity alone, read for the widget, and how far each side has read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libs.storage import Database, fetch_all, fetch_one
from services.ingest.adapters.tables import ATTACHMENTS, ENTRIES
from services.ingest.domain.files import Attachment
from services.ingest.domain.model import Entry
from services.ingest.domain.threads import HOPS
from services.ingest.domain.visitors import Visitor

_OF_IDENTITY: Final = (
    "SELECT conversation_id FROM ingest.identities WHERE channel = $1 AND account = $2 AND external_id = $3"
)
_STATE: Final = """
SELECT t.case_reference, t.continued_as_conversation_id,
       coalesce(r.customer_entry_seq, 0), coalesce(r.agent_message_seq, 0)
FROM ingest.threads t LEFT JOIN ingest.thread_reads r USING (conversation_id) WHERE conversation_id = $1
"""
_ENTRIES: Final = f"""
SELECT {", ".join("e." + name.strip() for name in ENTRIES.columns.split(","))}, r.provider_id
FROM ingest.thread_entries e
LEFT JOIN ingest.raw_messages r ON e.kind = 'customer' AND r.id = e.ref_id AND r.scope = $4
WHERE e.conversation_id = $1 AND e.entry_seq > $2 ORDER BY e.entry_seq LIMIT $3
"""
_FILES: Final = (
    f"SELECT {ATTACHMENTS.columns} FROM ingest.attachments"
    " WHERE conversation_id = $1 AND message_id = ANY($2::text[]) ORDER BY message_id, position"
)
_FILE: Final = (
    f"SELECT {ATTACHMENTS.columns} FROM ingest.attachments WHERE conversation_id = $1 AND attachment_id = $2"
)
_READ: Final = """
INSERT INTO ingest.thread_reads AS r (conversation_id, customer_entry_seq, agent_message_seq)
SELECT conversation_id, least($2::bigint, entry_seq), least($3::bigint, message_seq)
FROM ingest.threads WHERE conversation_id = $1
ON CONFLICT (conversation_id) DO UPDATE SET
    customer_entry_seq = greatest(r.customer_entry_seq, excluded.customer_entry_seq),
    agent_message_seq = greatest(r.agent_message_seq, excluded.agent_message_seq)
RETURNING customer_entry_seq, agent_message_seq
"""


@dataclass(frozen=True, slots=True)
class ThreadState:
    """A conversation as the widget needs it beside its entries."""

    conversation_id: str
    case_reference: str
    continued_as: str
    customer_entry_seq: int
    """The customer has read so far."""
    agent_message_seq: int
    """An agent has read so far."""


class VisitorThreads:
    """Reads and marks conversations of visitors."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def newest(self, visitor: Visitor) -> ThreadState | None:
        """The conversation a visitor is in, followed to where it goes on; None before their first message."""
        async with self.database.read() as connection:
            row = await fetch_one(connection, _OF_IDENTITY, *visitor.identity.row_key)
        state = await self.state(row[0]) if row and row[0] else None
        for _ in range(HOPS):
            following = await self.state(state.continued_as) if state and state.continued_as else None
            if following is None:
                break
            state = following
        return state

    async def state(self, conversation_id: str) -> ThreadState | None:
        """The conversation, or None."""
        async with self.database.read() as connection:
            row = await fetch_one(connection, _STATE, conversation_id)
        return None if row is None else ThreadState(conversation_id, *row)

    async def entries(
        self, conversation_id: str, after: int, most: int, scope: str
    ) -> list[tuple[Entry, str | None]]:
        """Entries after a number, each with the widget's own id of it, where one of `scope` has sent it."""
        async with self.database.read() as connection:
            rows = await fetch_all(connection, _ENTRIES, conversation_id, after, most, scope)
        return [(ENTRIES.value_of(row[:-1]), row[-1]) for row in rows]

    async def files(self, conversation_id: str, message_ids: Sequence[str]) -> dict[str, list[Attachment]]:
        """The files of messages, by message."""
        async with self.database.read() as connection:
            rows = await fetch_all(connection, _FILES, conversation_id, list(message_ids))
        found: dict[str, list[Attachment]] = {}
        for row in rows:
            file = ATTACHMENTS.value_of(row)
            found.setdefault(file.message_id, []).append(file)
        return found

    async def file(self, conversation_id: str, attachment_id: str) -> Attachment | None:
        """A file of the conversation, or None."""
        async with self.database.read() as connection:
            row = await fetch_one(connection, _FILE, conversation_id, attachment_id)
        return None if row is None else ATTACHMENTS.value_of(row)

    async def mark(
        self, conversation_id: str, *, customer_entry_seq: int = 0, agent_message_seq: int = 0
    ) -> tuple[int, int] | None:
        """Notes how far a side has read, never backwards nor beyond the end, and says how far both have; None for an
        unknown conversation."""
        async with self.database.begin() as uow:
            row = await fetch_one(
                uow.connection, _READ, conversation_id, customer_entry_seq, agent_message_seq
            )
            await uow.commit()
        return None if row is None else (row[0], row[1])
