"""The feed of an agent as server-sent events: what was written into its table, and beside it what a screen shows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Any

from libs.storage import Database
from libs.web import Broadcast, SseEvent
from services.routing.adapters import queries, screens
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.adapters.rows import FeedRow
from services.routing.api import screens as shown_to
from services.routing.api.shapes import instant, shown
from services.routing.operations import Desk
from services.routing.settings import RoutingSettings
from services.routing.together import Together

_BATCH = 200
_LOOK_SECONDS = 2.0
_BEGINNING = 3
"""Streams that begin at once. After a restart all come back together: they wait for each other here, and leave the
other connections to those who work."""

Line = tuple[FeedRow, dict[str, Any]]
"""A line, and what is shown beside it."""


class Feed:
    """Feeds of agents from their table, so that any replica can go on with any of them. Those that have news at the
    same time are read together."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        hub: Broadcast,
        directories: KnownDirectories,
        settings: RoutingSettings,
    ) -> None:
        self._database = database
        self._hub = hub
        self._directories = directories
        self._beat_seconds = settings.lease_seconds / 3
        self._lines: Together[tuple[str, int], list[Line]] = Together(self._read)
        self._beginning = asyncio.Semaphore(_BEGINNING)
        self._renew: Together[str, int | None] = Together(desk.renew_all)

    async def follow(self, agent_id: str, after: int | None) -> AsyncIterator[SseEvent]:
        """Lines after `after`, for ever; a state first when there is nothing to go on from."""
        beaten = float("-inf")
        with self._hub.listen(f"feed:{agent_id}") as bell:
            position, first = await self._begin(agent_id, after)
            if first is not None:
                yield first
            while True:
                if monotonic() - beaten >= self._beat_seconds:
                    await self._renew(agent_id)
                    beaten = monotonic()
                lines = await self._lines((agent_id, position))
                for line, beside in lines:
                    if line.seq > position + 1:
                        position, state = await self._state(agent_id, "resync")
                        yield state
                        break
                    position = line.seq
                    facts = {**shown(line.payload), **beside, "at": instant(line.at_ms)}
                    yield SseEvent(facts, line.kind, line.seq)
                if len(lines) < _BATCH:
                    await bell.wait(_LOOK_SECONDS)

    async def has(self, agent_id: str) -> bool:
        """Whether the directory has the agent."""
        async with self._beginning, self._database.read() as connection:
            return await queries.agent(connection, agent_id) is not None

    async def _read(self, places: Sequence[tuple[str, int]]) -> list[list[Line]]:
        async with self._database.read() as connection:
            found = await screens.lines_after(connection, places, _BATCH)
            lines = [line for of_agent in found for line in of_agent]
            named = {
                str(line.payload["conversation_id"]) for line in lines if "conversation_id" in line.payload
            }
            if not named:
                return [[(line, {}) for line in of_agent] for of_agent in found]
            facts = await screens.facts_of(connection, sorted(named))
            named_queues = {str(line.payload.get("queue_id") or "") for line in lines}
            queues = {one.queue_id for one in facts.values()} | named_queues
            names = await self._directories.names(connection, queues)
            whys = await screens.whys(
                connection,
                [
                    (str(line.payload["conversation_id"]), int(line.payload["made_at_ms"]))
                    for line in lines
                    if line.kind == "offer"
                ],
            )
        return [
            [(line, shown_to.beside(line, facts, whys, names)) for line in of_agent] for of_agent in found
        ]

    async def _begin(self, agent_id: str, after: int | None) -> tuple[int, SseEvent | None]:
        if after is None:
            return await self._state(agent_id, "state")
        async with self._beginning, self._database.read() as connection:
            row = await queries.agent(connection, agent_id)
            [lines] = await screens.lines_after(connection, [(agent_id, after)], 1)
        newest = row.state.feed_seq if row else 0
        if after > newest or (not lines and after < newest) or (lines and lines[0].seq != after + 1):
            return await self._state(agent_id, "resync")
        return after, None

    async def _state(self, agent_id: str, kind: str) -> tuple[int, SseEvent]:
        """Everything as it is now; lines written meanwhile follow it and may say it again."""
        async with self._beginning, self._database.read() as connection:
            row = await queries.agent(connection, agent_id)
            if row is None:
                return 0, SseEvent({}, kind, 0)
            offers = await shown_to.open_offers(connection, self._directories, agent_id)
            held = await shown_to.assignments(connection, self._directories, agent_id)
        facts = {
            "presence": row.state.presence,
            "offers": [offer.model_dump() for offer in offers],
            "assignments": [one.model_dump() for one in held],
        }
        return row.state.feed_seq, SseEvent(facts, kind, row.state.feed_seq)
