"""Erasing a customer: a service's rows in the transaction of the event, its rows on the log and its dead letters soon after.

The row of an erasure stays for ever: it is the service's report, and what comes late of an erased customer is known by it.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, TypeVar

import structlog
from google.protobuf.message import Message
from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import CATALOGUE, TOPICS, full_name, message_type, pack, partition_of, unpack
from libs.storage import Database, Rows, TableRepository, UnitOfWork, execute, fetch_all
from libs.streams.log import Log

E = TypeVar("E", bound=Message)
ERASED: Final = "erased"
"""Stands where a key was that named a person."""
_EVERY_SECONDS: Final = 5.0
_ROWS: Final = 20_000
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What a service did to forget a customer."""

    customer_id: str
    keys: tuple[str, ...]
    """Keys of log rows and dead letters that speak of the customer; forgotten too once those are blanked."""
    counts: Mapping[str, int]
    """Rows deleted or blanked, by table; log rows as `log`."""
    erased_at_ms: int
    done_at_ms: int = 0
    """0 while rows of the log wait to be blanked."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the statements of a service have come upon."""

    counts: Mapping[str, int]
    keys: Sequence[str]


@cache
def _table(schema: str) -> TableRepository[Erasure]:
    table = Table(
        "erasures",
        MetaData(schema=schema),
        Column("customer_id", Text, primary_key=True),
        Column("keys", JSONB),
        Column("counts", JSONB),
        Column("erased_at_ms", BigInteger),
        Column("done_at_ms", BigInteger),
    )
    return TableRepository(
        table,
        Erasure,
        from_row=lambda row: Erasure(**{**row, "keys": tuple(row["keys"])}),
        upsert=True,
    )


def erasures(uow: UnitOfWork) -> Rows[Erasure]:
    """The erasures that a service knows of: a customer who has a row is not to be written down again."""
    return uow.rows(_table(uow.schema))


def erase(uow: UnitOfWork, customer_id: str, forget: Callable[[AsyncConnection], Awaitable[Found]]) -> None:
    """Forgets a customer at the end of the transaction, and leaves the report. A second time counts what came since."""

    async def work() -> None:
        found = await forget(uow.connection)
        await execute(
            uow.connection,
            f"INSERT INTO {uow.schema}.erasures AS e (customer_id, keys, counts, erased_at_ms, done_at_ms)"
            " VALUES ($1, $2::text::jsonb, $3::text::jsonb, $4, 0) ON CONFLICT (customer_id) DO UPDATE SET"
            " keys = e.keys || excluded.keys, done_at_ms = 0",
            customer_id,
            json.dumps(sorted({customer_id, *found.keys})),
            json.dumps(dict(found.counts)),
            uow.now_ms,
        )

    uow.at_the_end(work)


async def report_of(database: Database, customer_id: str) -> Erasure | None:
    """What a service did to forget a customer; None when it has not heard of it."""
    table = _table(database.schema)
    async with database.read() as connection:
        rows = await fetch_all(
            connection, f"SELECT {table.columns} FROM {table.name} WHERE customer_id = $1", customer_id
        )
    return table.value_of(rows[0]) if rows else None


class LogEraser:
    """Blanks what erased customers wrote, and who they were, in the rows that a service has put on the log."""

    def __init__(self, database: Database, log: Log, topics: Sequence[str]) -> None:
        """`topics` are the service's own."""
        self._database = database
        self._log = log
        self._topics = [name for name in topics if TOPICS[name].personal]

    async def run(self, stop: asyncio.Event) -> None:
        """Works until stopped. What a kill leaves half done is done again."""
        while not stop.is_set():
            if not await self.round():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_EVERY_SECONDS):
                        await stop.wait()

    async def round(self) -> int:
        """Finishes the erasures that wait. Returns how many those were."""
        table = _table(self._database.schema)
        async with self._database.read() as connection:
            rows = await fetch_all(
                connection,
                f"SELECT {table.columns} FROM {table.name} WHERE done_at_ms = 0 ORDER BY erased_at_ms LIMIT 20",
            )
        for row in rows:
            await self._finish(table.value_of(row))
        return len(rows)

    async def _finish(self, erasure: Erasure) -> None:
        blanked = 0
        for topic in self._topics:
            by_partition: dict[int, list[str]] = {}
            for key in erasure.keys:
                by_partition.setdefault(partition_of(key), []).append(key)
            for partition, keys in by_partition.items():
                blanked += await self._blank(topic, partition, keys)
        async with self._database.begin() as uow:
            dead = await fetch_all(
                uow.connection,
                f"DELETE FROM {self._database.schema}.dead_letters WHERE key = ANY($1::text[]) RETURNING id",
                list(erasure.keys),
            )
            rows = erasures(uow)
            await rows.load([erasure.customer_id])
            known = rows.get(erasure.customer_id)
            # Keys that came meanwhile are for the next round.
            if known is not None and known.keys == erasure.keys:
                counts = {**known.counts, "log": blanked, "dead_letters": len(dead)}
                rows.put(replace(known, keys=(), counts=counts, done_at_ms=uow.now_ms))
            await uow.commit()
        _log.info("customer_erased", customer=erasure.customer_id, log_rows=blanked)

    async def _blank(self, topic: str, partition: int, keys: Sequence[str]) -> int:
        """Goes through one partition in steps, so that nothing else waits for long."""
        topic_id = self._log.topic_id(topic)
        async with self._database.read() as connection:
            ((first, last),) = await fetch_all(
                connection,
                "SELECT min(number), max(number) FROM log.events WHERE topic = $1 AND partition = $2",
                topic_id,
                partition,
            )
        blanked = 0
        for start in range(first or 0, (last or -1) + 1, _ROWS):
            async with self._database.begin() as uow:
                blanked += await _blank_rows(uow, topic_id, partition, start, keys)
                await uow.commit()
        # Readers of this process that have not had them yet see what the database has now.
        self._log.recent.clear()
        return blanked


async def _blank_rows(uow: UnitOfWork, topic_id: int, partition: int, start: int, keys: Sequence[str]) -> int:
    rows = await fetch_all(
        uow.connection,
        "SELECT number, data FROM log.events WHERE topic = $1 AND partition = $2 AND number >= $3 AND number < $4"
        " AND log.key_of(data) = ANY($5::bytea[])",
        topic_id,
        partition,
        start,
        start + _ROWS,
        [key.encode() for key in keys],
    )
    changed = [(number, new) for number, data in rows if (new := blanked(data)) is not None]
    if changed:
        await execute(
            uow.connection,
            "UPDATE log.events e SET data = u.d FROM unnest($3::bigint[], $4::bytea[]) AS u(n, d)"
            " WHERE e.topic = $1 AND e.partition = $2 AND e.number = u.n",
            topic_id,
            partition,
            [number for number, _ in changed],
            [data for _, data in changed],
        )
    return len(changed)


def blanked(data: bytes) -> bytes | None:
    """A packed row without what is personal in it; None when there is nothing to change."""
    envelope = unpack(data)
    kind, entry = message_type(envelope.type), CATALOGUE.get(envelope.type)
    names = TOPICS[entry.topic].personal.get(envelope.type, ()) if entry else ()
    if kind is None or entry is None or not names:
        return None
    message: Any = kind.FromString(envelope.payload)
    for name in names:
        message.ClearField(name)
    key = envelope.key
    if entry.key_field in names:
        key = ERASED
        setattr(message, entry.key_field, ERASED)
    new = pack(replace(envelope, key=key, payload=message.SerializeToString(deterministic=True)))
    return None if new == data else new


def without_person(event: E, known: Rows[Erasure]) -> E:
    """The event as a handler may keep it: of a customer who was erased, with its personal fields empty.

    The erasure of its `customer_id` is loaded. Rows of different topics come in any order, so that what speaks of a
    customer may come after they are forgotten.
    """
    customer_id: str = getattr(event, "customer_id")  # noqa: B009 - generated messages share no base with the field
    if not customer_id or known.get(customer_id) is None:
        return event
    entry = CATALOGUE[full_name(type(event))]
    kept = type(event)()
    kept.CopyFrom(event)
    for name in (*TOPICS[entry.topic].personal.get(full_name(type(event)), ()), "customer_id"):
        if name != entry.key_field:
            kept.ClearField(name)
    return kept
