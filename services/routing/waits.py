"""Customers who wait are told their place and how long it may take: once when they begin, again when it changes much."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import PoolCommand, WaitPredicted
from libs.runtime import derived_id
from libs.storage import Database, execute, fetch_all, fetch_one
from services.routing.adapters import queries
from services.routing.adapters.contracts import pool_command
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.domain.directory import Directory
from services.routing.domain.expected_wait import Expectation, expectation
from services.routing.domain.orders import PassOn
from services.routing.domain.queue_policy import Queue

WINDOW_MS: Final = 30 * 60_000
"""What was taken up in the last half hour says how fast it goes."""
_MOST: Final = 2_000
_LOCK: Final = 7_204_118
"""One replica at a time tells: an advisory lock of the database, held for the transaction."""

_TAKEN_UP = (
    "SELECT i.queue_id, count(*) FROM routing.offers o JOIN routing.items i USING (conversation_id)"
    " WHERE o.pool_id = $1 AND o.state = 'accepted' AND o.transfer_from = '' AND o.closed_at_ms > $2"
)
_PLACES = (
    "SELECT p.conversation_id, p.episode, p.queue_id, p.place, t.place, t.expected_ms FROM ("
    "SELECT conversation_id, episode, queue_id, channel, row_number() OVER ("
    "PARTITION BY queue_id ORDER BY key_ms, eligible_at_ms, conversation_id) AS place"
    " FROM routing.items WHERE pool_id = $1 AND state IN ('waiting', 'offered')) p"
    " JOIN routing.items i USING (conversation_id)"
    " LEFT JOIN routing.wait_told t ON t.conversation_id = p.conversation_id AND t.episode = p.episode"
    " WHERE p.channel = ANY($2::text[]) AND (i.facts ->> 'waiting_since_ms')::bigint <= $4"
    " AND NOT coalesce((i.facts ->> 'call_back')::boolean, false)"
    " ORDER BY p.place, p.conversation_id LIMIT $3"
)


async def rates(connection: AsyncConnection, pool_id: str, now_ms: int) -> dict[str, int]:
    """How many conversations each queue's people took up in the window."""
    rows = await fetch_all(connection, f"{_TAKEN_UP} GROUP BY i.queue_id", pool_id, now_ms - WINDOW_MS)
    return {str(queue_id): int(number) for queue_id, number in rows}


async def place_of(connection: AsyncConnection, conversation_id: str) -> int:
    """The place of a waiting conversation in its queue, 1 = next; 0 when it does not wait."""
    row = await fetch_one(
        connection,
        "SELECT count(*) FROM routing.items o JOIN routing.items m ON m.conversation_id = $1"
        " AND m.state IN ('waiting', 'offered') AND o.queue_id = m.queue_id"
        " WHERE o.state IN ('waiting', 'offered') AND (o.key_ms, o.eligible_at_ms, o.conversation_id)"
        " <= (m.key_ms, m.eligible_at_ms, m.conversation_id)",
        conversation_id,
    )
    return row[0] if row else 0


async def tell(
    database: Database, directories: KnownDirectories, pool_id: str, after_seconds: float = 0
) -> int:
    """Publishes WaitPredicted for those who have waited so long and whose wait is new or another than they were
    told; how many."""
    async with database.begin() as uow:
        locked = await fetch_one(uow.connection, "SELECT pg_try_advisory_xact_lock($1)", _LOCK)
        if locked is None or not locked[0]:
            return 0
        directory = await directories.of(uow.connection, pool_id)
        served = await rates(uow.connection, pool_id, uow.now_ms)
        places = await fetch_all(
            uow.connection,
            _PLACES,
            pool_id,
            live_channels(directory),
            _MOST,
            uow.now_ms - int(after_seconds * 1000),
        )
        events = []
        for conversation_id, episode, queue_id, place, told_place, told_ms in places:
            seen = expectation(place, served.get(queue_id, 0), WINDOW_MS)
            if told_place is not None and not _another(place, seen, told_place, told_ms):
                continue
            queue = directory.queue_by_id.get(queue_id)
            if queue is not None:
                events.append(_predicted(conversation_id, episode, queue, place, seen, uow.now_ms))
        await _remember(uow.connection, events)
        uow.emit(*events, *_onward(pool_id, directory, events))
        await uow.commit()
    return len(events)


async def watch(
    database: Database,
    directories: KnownDirectories,
    every_seconds: float,
    after_seconds: float,
    stop: asyncio.Event,
) -> None:
    """Tells so often, in every pool; 0 = never."""
    while every_seconds and not stop.is_set():
        async with database.read() as connection:
            pools = await queries.pools(connection)
        for pool_id in pools:
            await tell(database, directories, pool_id, after_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(every_seconds):
                await stop.wait()


def live_channels(directory: Directory) -> list[str]:
    """Channels on which a customer sits and waits: those that nobody's capacity calls interruptible."""
    rules = [rule for capacity in directory.capacities for rule in capacity.channels]
    return sorted({r.channel for r in rules} - {r.channel for r in rules if r.interruptible})


def _another(place: int, seen: Expectation | None, told_place: int, told_ms: int) -> bool:
    """Whether it is worth telling again: a third more or less time, or without a time half the place."""
    if seen is None:
        return place * 2 <= told_place or (told_ms > 0)
    return not told_ms * 2 <= seen.expected_ms * 3 <= told_ms * 4 + 3


def _predicted(
    conversation_id: str, episode: int, queue: Queue, place: int, seen: Expectation | None, now_ms: int
) -> WaitPredicted:
    known = seen or Expectation(0, 0, 0)
    return WaitPredicted(
        conversation_id=conversation_id,
        episode=episode,
        queue_id=queue.queue_id,
        position=place,
        expected_ms=known.expected_ms,
        low_ms=known.low_ms,
        high_ms=known.high_ms,
        predicted_at_ms=now_ms,
        call_back_offered=queue.relief.call_back,
    )


def _onward(pool_id: str, directory: Directory, told: list[WaitPredicted]) -> Iterator[PoolCommand]:
    """Those who would wait longer than their queue lets anybody wait."""
    for one in told:
        limit_ms = directory.queue_by_id[one.queue_id].relief.overflow_expected_ms
        if limit_ms and one.expected_ms > limit_ms:
            command = PassOn(
                command_id=derived_id("onward", one.conversation_id, one.queue_id, str(one.predicted_at_ms)),
                conversation_id=one.conversation_id,
                queue_id=one.queue_id,
                expected_ms=one.expected_ms,
            )
            yield pool_command(pool_id, command)


async def _remember(connection: Any, events: list[WaitPredicted]) -> None:
    if not events:
        return
    await execute(
        connection,
        "INSERT INTO routing.wait_told (conversation_id, episode, place, expected_ms, at_ms)"
        " SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])"
        " ON CONFLICT (conversation_id) DO UPDATE SET episode = excluded.episode, place = excluded.place,"
        " expected_ms = excluded.expected_ms, at_ms = excluded.at_ms",
        [e.conversation_id for e in events],
        [e.episode for e in events],
        [e.position for e in events],
        [e.expected_ms for e in events],
        [e.predicted_at_ms for e in events],
    )
