"""What is read from the tables outside a handler."""

from collections.abc import Iterable

from libs.storage import Database, execute, fetch_all, fetch_one
from services.triage.adapters.tables import DECISIONS, UNNAMED, StoredDecision, Unnamed


async def languages_of(database: Database, conversation_ids: Iterable[str]) -> dict[str, str]:
    """Conversation -> the language of its earlier messages, where one is known."""
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            f"SELECT conversation_id, language FROM {database.schema}.conversations"
            " WHERE conversation_id = ANY($1::text[]) AND language <> ''",
            sorted(conversation_ids),
        )
    return {row[0]: row[1] for row in rows}


async def last_decision(database: Database, conversation_id: str) -> StoredDecision | None:
    """The decision on the newest message of a conversation."""
    async with database.read() as connection:
        row = await fetch_one(
            connection,
            f"SELECT {DECISIONS.columns} FROM {database.schema}.decisions"
            " WHERE conversation_id = $1 ORDER BY message_seq DESC LIMIT 1",
            conversation_id,
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
