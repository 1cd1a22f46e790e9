"""What is read from the tables outside a handler."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libs.contracts import MessageReceived
from libs.storage import Database, Statement, execute, fetch_all, fetch_one, fetch_together
from services.triage.adapters.tables import (
    CUSTOMERS,
    DECISIONS,
    UNNAMED,
    Customer,
    StoredDecision,
    Unnamed,
)

WEEK_MS: Final = 7 * 86_400_000
_MOST_CONTACTS: Final = 100


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a batch's conversations and customers before it is handled."""

    languages: dict[str, str]
    """Conversation -> the language of its earlier messages, where one is known."""
    customers: dict[str, Customer]
    """Those heard of."""
    contacts: dict[str, dict[str, int]]
    """Customer -> conversation -> when its newest message came, of the seven days before the batch's earliest."""


async def known_of(database: Database, events: Sequence[MessageReceived]) -> Known:
    """Read it in one go."""
    conversations = sorted({event.conversation_id for event in events})
    customers = sorted({event.customer_id for event in events if event.customer_id})
    since = min((event.received_at_ms for event in events), default=0) - WEEK_MS
    contacts: dict[str, dict[str, int]] = {}
    asked = [
        Statement(
            f"SELECT conversation_id, language FROM {database.schema}.conversations"
            " WHERE conversation_id = ANY($1::text[]) AND language <> ''",
            [conversations],
        ),
        Statement(
            f"SELECT {CUSTOMERS.columns} FROM {database.schema}.customers WHERE customer_id = ANY($1::text[])",
            [customers],
        ),
        Statement(
            f"SELECT customer_id, conversation_id, contacted_at_ms FROM {database.schema}.conversations"
            " WHERE customer_id = ANY($1::text[]) AND contacted_at_ms > $2"
            " ORDER BY contacted_at_ms DESC LIMIT $3",
            [customers, since, _MOST_CONTACTS * len(customers)],
        ),
    ]
    async with database.read() as connection:
        languages, heard, rows = await fetch_together(connection, asked)
    for customer, conversation, at_ms in rows:
        contacts.setdefault(customer, {})[conversation] = at_ms
    found = map(CUSTOMERS.value_of, heard)
    return Known({row[0]: row[1] for row in languages}, {one.customer_id: one for one in found}, contacts)


async def newest_decisions(database: Database, most: int) -> list[StoredDecision]:
    """The newest decision of each of at most `most` conversations, of the newest 4 * `most` decisions."""
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            f"SELECT {DECISIONS.columns} FROM {database.schema}.decisions"
            " ORDER BY decided_at_ms DESC, conversation_id DESC, message_seq DESC LIMIT $1",
            4 * most,
        )
    found: dict[str, StoredDecision] = {}
    for decision in map(DECISIONS.value_of, rows):
        known = found.get(decision.conversation_id)
        if known is None or decision.message_seq > known.message_seq:
            found[decision.conversation_id] = decision
    return list(found.values())[:most]


async def last_decision(
    database: Database, conversation_id: str, message_seq: int | None = None
) -> StoredDecision | None:
    """The decision on the newest message of a conversation, or on the message of that number."""
    async with database.read() as connection:
        row = await fetch_one(
            connection,
            f"SELECT {DECISIONS.columns} FROM {database.schema}.decisions"
            " WHERE conversation_id = $1 AND ($2::bigint IS NULL OR message_seq = $2)"
            " ORDER BY message_seq DESC LIMIT 1",
            conversation_id,
            message_seq,
        )
    return DECISIONS.value_of(row) if row is not None else None


async def decisions(
    database: Database,
    topic: str | None,
    kind: str | None,
    language: str | None,
    after: tuple[int, str, int] | None,
    limit: int,
) -> list[StoredDecision]:
    """Decisions, newest first, of a topic, kind and language where given; `after` is the key of the last seen."""
    conditions, arguments = ["true"], list[object]()
    for column, value in (("topic", topic), ("kind", kind), ("language", language)):
        if value is not None:
            arguments.append(value)
            conditions.append(f"{column} = ${len(arguments)}")
    if after is not None:
        arguments += after
        count = len(arguments)
        conditions.append(
            f"(decided_at_ms, conversation_id, message_seq) < (${count - 2}, ${count - 1}, ${count})"
        )
    arguments.append(limit)
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            f"SELECT {DECISIONS.columns} FROM {database.schema}.decisions WHERE {' AND '.join(conditions)}"
            f" ORDER BY decided_at_ms DESC, conversation_id DESC, message_seq DESC LIMIT ${len(arguments)}",
            *arguments,
        )
    return [DECISIONS.value_of(row) for row in rows]


async def unnamed_messages(database: Database, most: int) -> list[Unnamed]:
    """The newest requests whose topic nobody knew, without those of conversations that a person has named since."""
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            f"SELECT {UNNAMED.columns} FROM {database.schema}.unnamed u WHERE NOT EXISTS (SELECT FROM"
            f" {database.schema}.corrections c WHERE c.conversation_id = u.conversation_id)"
            " ORDER BY decided_at_ms DESC, conversation_id, message_seq LIMIT $1",
            most,
        )
    return [UNNAMED.value_of(row) for row in rows]


async def forget_decisions(database: Database, before_ms: int) -> None:
    """Removes decisions made before an instant, and the words of requests without a topic."""
    async with database.begin() as uow:
        for table in ("decisions", "unnamed"):
            await execute(
                uow.connection, f"DELETE FROM {database.schema}.{table} WHERE decided_at_ms < $1", before_ms
            )
        await uow.commit()
