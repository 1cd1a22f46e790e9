"""How long rows stay: as the topic's file says, and never before every reader has passed them."""

import asyncio
import contextlib

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.contracts import TOPICS
from libs.primitives import Clock
from libs.storage import execute, fetch_all
from libs.streams.errors import is_transient
from libs.streams.log import Log

_EVERY_SECONDS = 3600.0
_DAY_MS = 86_400_000
_log = structlog.get_logger()


async def passed_by_all(connection: AsyncConnection, log: Log, topic: str) -> dict[int, int]:
    """The number that every reader of a topic has passed, by partition; a reader without a position holds everything."""
    readers = await fetch_all(
        connection, "SELECT name, position_schema FROM log.readers WHERE topic = $1", log.topic_id(topic)
    )
    heads = await fetch_all(
        connection, "SELECT partition, number FROM log.counters WHERE topic = $1", log.topic_id(topic)
    )
    passed: dict[int, int] = dict(heads)
    for name, schema in readers:
        rows = await fetch_all(
            connection,
            f'SELECT partition, number FROM "{schema}".positions WHERE group_name = $1 AND topic = $2',
            name,
            topic,
        )
        positions: dict[int, int] = dict(rows)
        passed = {partition: min(number, positions.get(partition, 0)) for partition, number in passed.items()}
    return passed


async def retain(engine: AsyncEngine, log: Log, now_ms: int) -> dict[str, int]:
    """Removes what may go, one transaction a topic. Returns how many rows went, by topic."""
    gone: dict[str, int] = {}
    for name, topic in TOPICS.items():
        async with engine.begin() as connection:
            passed = await passed_by_all(connection, log, name)
            partitions, numbers = list(passed), list(passed.values())
            if topic.compact:
                rows = await fetch_all(
                    connection,
                    "DELETE FROM log.events e USING ("
                    " SELECT partition, log.key_of(data) AS key, max(number) AS newest FROM log.events"
                    " WHERE topic = $1 GROUP BY 1, 2) AS k, unnest($2::int[], $3::bigint[]) AS u(p, n)"
                    " WHERE e.topic = $1 AND e.partition = k.partition AND e.partition = u.p AND e.number <= u.n"
                    " AND log.key_of(e.data) = k.key AND e.number < k.newest RETURNING 1",
                    log.topic_id(name),
                    partitions,
                    numbers,
                )
            else:
                rows = await fetch_all(
                    connection,
                    "DELETE FROM log.events e USING unnest($2::int[], $3::bigint[]) AS u(p, n)"
                    " WHERE e.topic = $1 AND e.partition = u.p AND e.number <= u.n AND e.at_ms < $4 RETURNING 1",
                    log.topic_id(name),
                    partitions,
                    numbers,
                    now_ms - topic.retention_days * _DAY_MS,
                )
        if rows:
            gone[name] = len(rows)
    longest = max(topic.retention_days for topic in TOPICS.values())
    async with engine.begin() as connection:
        # Emitted again can only be what a row that is still there leads to.
        await execute(connection, "DELETE FROM log.recovered WHERE at_ms < $1", now_ms - longest * _DAY_MS)
    return gone


async def keep_retaining(engine: AsyncEngine, log: Log, clock: Clock, stop: asyncio.Event) -> None:
    """Runs `retain` every hour until stopped."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await stop.wait()
                return
        try:
            gone = await retain(engine, log, clock.now_ms())
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("retention_failed", error=str(error))
        else:
            _log.info("retained", removed=gone)
