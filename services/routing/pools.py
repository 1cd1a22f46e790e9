"""The engines that this process owns: loaded when their partition is claimed, dropped when a batch fails."""

from libs.contracts import partition_of
from libs.primitives import kept_for_good
from libs.storage import UnitOfWork, fetch_all
from libs.streams import Retry
from services.routing.adapters.repositories import AGENTS, DIRECTORIES, ITEMS, NOTICES, OFFERS, SHADOWS
from services.routing.domain.engine import Engine
from services.routing.domain.model import PoolState, Result
from services.routing.domain.rebuilding import Rows

WAKE = "routing.wake"
"""The timer that says a pool has something due; its key is the pool."""
BREACHED = "routing.breached"
"""The timer by which the engine tells intake that a resolution is late: its key is conversation and episode, its
payload the customer."""


class Pools:
    """The state of the group `routing-engine` (`libs.streams.OwnedState`)."""

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._wakes: dict[str, int] = {}
        """When the timer of each pool was last set to go off."""

    async def claimed(self, uow: UnitOfWork, partitions: frozenset[int]) -> None:
        """Loads the pools whose commands are in these partitions, and sets their timers."""
        self.discarded()
        found = await fetch_all(uow.connection, "SELECT pool_id, at_ms, sequence FROM routing.pools")
        for pool_id, at_ms, sequence in found:
            if partition_of(pool_id) in partitions:
                with kept_for_good():
                    state = PoolState(pool_id, at_ms, sequence)
                    self._engines[pool_id] = Engine.restore(await _load(uow, state))
                due_ms = self._engines[pool_id].next_due_ms()
                if due_ms is not None:
                    uow.set_timer(WAKE, pool_id, due_ms)

    def discarded(self) -> None:
        """Drops every engine."""
        self._engines = {}
        self._wakes = {}

    def engine(self, pool_id: str) -> Engine:
        """The engine of a pool that there is. Raises Retry when it was made after the claim: the next one loads it."""
        engine = self._engines.get(pool_id)
        if engine is None:
            raise Retry(f"pool {pool_id!r} is not loaded yet")
        return engine

    def loaded(self, pool_id: str) -> Engine | None:
        """The engine of a pool, if it is here."""
        return self._engines.get(pool_id)

    def watch(self, uow: UnitOfWork, pool_id: str) -> None:
        """Sets the pool's timer when its next due instant has changed."""
        due_ms = self._engines[pool_id].next_due_ms()
        if due_ms is None or self._wakes.get(pool_id) == due_ms:
            return
        self._wakes[pool_id] = due_ms
        uow.set_timer(WAKE, pool_id, due_ms)

    def woken(self, pool_id: str) -> None:
        """The timer has gone off: the next `watch` sets it anew."""
        self._wakes.pop(pool_id, None)


async def _load(uow: UnitOfWork, pool: PoolState) -> Rows:
    connection, pool_id = uow.connection, pool.pool_id
    recent_ms = pool.at_ms - Engine.MEMORY_MS
    directories = await fetch_all(
        connection, f"SELECT {DIRECTORIES.columns} FROM routing.directories WHERE pool_id = $1", pool_id
    )
    agents = [
        AGENTS.value_of(row)
        for row in await fetch_all(
            connection,
            f"SELECT {AGENTS.columns} FROM routing.agents WHERE pool_id = $1",
            pool_id,
        )
    ]
    items = [
        ITEMS.value_of(row)
        for row in await fetch_all(
            connection,
            f"SELECT {ITEMS.columns} FROM routing.items WHERE pool_id = $1 AND state <> 'closed'"
            f" UNION ALL SELECT {ITEMS.columns} FROM routing.items"
            " WHERE pool_id = $1 AND state = 'closed' AND closed_at_ms > $2",
            pool_id,
            recent_ms,
        )
    ]
    offers = [
        OFFERS.value_of(row)
        for row in await fetch_all(
            connection,
            f"SELECT {OFFERS.columns} FROM routing.offers WHERE pool_id = $1 AND state = 'open'"
            f" UNION ALL SELECT {OFFERS.columns} FROM routing.offers"
            " WHERE pool_id = $1 AND state <> 'open' AND closed_at_ms > $2",
            pool_id,
            recent_ms,
        )
    ]
    results = await fetch_all(
        connection,
        "SELECT command_id, ok, slug, body, at_ms FROM routing.results WHERE pool_id = $1 AND at_ms > $2",
        pool_id,
        recent_ms,
    )
    notices = await fetch_all(
        connection,
        f"SELECT {NOTICES.columns} FROM routing.notices WHERE pool_id = $1 AND NOT lifted",
        pool_id,
    )
    shadows = await fetch_all(
        connection, f"SELECT {SHADOWS.columns} FROM routing.shadows WHERE pool_id = $1", pool_id
    )
    return Rows(
        pool=pool,
        directory=DIRECTORIES.value_of(directories[0]).directory,
        profiles=tuple(row.profile for row in agents if not row.removed),
        agents=tuple(row.state for row in agents),
        items=tuple(row.item for row in items),
        offers=tuple(row.offer for row in offers),
        clocks=tuple(clock for row in items for clock in row.clocks),
        results=tuple(Result(*row) for row in results),
        notices=tuple(NOTICES.value_of(row).notice for row in notices),
        shadow=SHADOWS.value_of(shadows[0]).policy if shadows else None,
    )
