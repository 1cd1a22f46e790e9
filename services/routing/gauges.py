"""Who waits and who is at work, as metrics: what an alarm looks at."""

import asyncio
import contextlib
from typing import Final

from libs.runtime import Clock
from libs.storage import Database, fetch_all
from libs.telemetry import metrics
from services.routing.adapters import overview, queries
from services.routing.adapters.known_directories import KnownDirectories

_EVERY_SECONDS: Final = 5.0
_PRESENCES: Final = ("online", "no_new", "away", "offline")


async def look(database: Database, clock: Clock, directories: KnownDirectories, pool_id: str) -> None:
    """Reads queues and presence once and sets the gauges of every team of the directory."""
    async with database.read() as connection:
        directory = await directories.of(connection, pool_id)
        counts = await queries.queue_counts(connection, pool_id)
        people = await fetch_all(
            connection,
            "SELECT team, presence, count(*) FROM routing.agents,"
            " jsonb_array_elements_text(profile -> 'teams') AS team"
            " WHERE pool_id = $1 AND NOT removed GROUP BY team, presence",
            pool_id,
        )
        standing = await overview.notices(connection, pool_id)
    team_of = {queue.queue_id: queue.team_id for queue in directory.queues}
    waiting = dict.fromkeys(team_of.values(), 0)
    oldest = dict.fromkeys(team_of.values(), clock.now_ms())
    for queue_id, state, count, eligible_at_ms in counts:
        team = team_of.get(queue_id)
        if team is not None and state == "waiting":
            waiting[team] += count
            oldest[team] = min(oldest[team], eligible_at_ms)
    for team, number in waiting.items():
        metrics.routing_waiting.labels(team).set(number)
        metrics.routing_oldest_wait.labels(team).set((clock.now_ms() - oldest[team]) / 1000)
    unserved = dict.fromkeys(team_of.values(), 0)
    for notice in standing:
        if notice.kind == "unserved" and notice.about in team_of:
            unserved[team_of[notice.about]] += 1
    for team, number in unserved.items():
        metrics.routing_unserved.labels(team).set(number)
    present = {(team, presence): count for team, presence, count in people}
    for team in waiting:
        for presence in _PRESENCES:
            metrics.routing_agents.labels(team, presence).set(present.get((team, presence), 0))


async def watch(database: Database, clock: Clock, directories: KnownDirectories, stop: asyncio.Event) -> None:
    """Sets the gauges of every pool every five seconds."""
    while not stop.is_set():
        async with database.read() as connection:
            pools = await queries.pools(connection)
        for pool_id in pools:
            await look(database, clock, directories, pool_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await stop.wait()
