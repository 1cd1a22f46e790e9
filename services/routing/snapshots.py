"""A copy of each pool a day, so that last week can be run again, under the same policy or another.

One statement reads the rows and the position of the engine: what it sees is one instant, between two transactions of the
engine, and neither the engine nor the event loop does anything for it.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import CATALOGUE, PoolCommand, full_name, partition_of
from libs.storage import Database, fetch_all, fetch_one
from services.routing.adapters.codec import value_of
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.engine import Engine
from services.routing.domain.model import AgentState, Clock, Item, Notice, Offer, PoolState, Result
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.rebuilding import Rows
from services.routing.settings import RoutingSettings

_GROUP: Final = "routing-engine"
_LOOK_SECONDS: Final = 300.0
_HOUR_MS: Final = 3_600_000
_LOCK: Final = 7_204_119
"""One replica at a time copies: an advisory lock of the database, held for the transaction."""

_KINDS: Final = {
    "directory": "SELECT directory AS row FROM routing.directories t WHERE pool_id = $1",
    "agent": "SELECT to_jsonb(t) AS row FROM routing.agents t WHERE pool_id = $1",
    "item": "SELECT jsonb_build_object('item', facts, 'clocks', clocks) AS row FROM routing.items t"
    " WHERE pool_id = $1 AND (state <> 'closed' OR closed_at_ms > $5)",
    "offer": "SELECT to_jsonb(t) AS row FROM routing.offers t, head"
    f" WHERE t.pool_id = $1 AND (state = 'open' OR closed_at_ms > head.at_ms - {Engine.MEMORY_MS})",
    "result": "SELECT to_jsonb(t) AS row FROM routing.results t, head"
    f" WHERE t.pool_id = $1 AND t.at_ms > head.at_ms - {Engine.MEMORY_MS}",
    "notice": "SELECT to_jsonb(t) AS row FROM routing.notices t WHERE pool_id = $1 AND NOT lifted",
    "shadow": "SELECT to_jsonb(t) AS row FROM routing.shadows t WHERE pool_id = $1",
}
_COPY: Final = (
    "WITH head AS (SELECT p.at_ms, p.sequence, coalesce(o.number, 0) AS number FROM routing.pools p"
    " LEFT JOIN routing.positions o ON o.group_name = $2 AND o.topic = $3 AND o.partition = $4"
    " WHERE p.pool_id = $1), copied AS (INSERT INTO routing.snapshot_rows (pool_id, taken_at_ms, kind, row) "
    + " UNION ALL ".join(
        f"SELECT $1, $6::bigint, '{kind}', row FROM ({q}) {kind}_rows" for kind, q in _KINDS.items()
    )
    + " RETURNING 1) INSERT INTO routing.snapshots (pool_id, number, sequence, at_ms, taken_at_ms)"
    " SELECT $1, number, sequence, at_ms, $6 FROM head RETURNING number"
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A pool after the command `number` of its log; `rows.pool.sequence` is that of its last decision."""

    number: int
    rows: Rows


async def take(database: Database, pool_id: str, closed_days: int) -> int:
    """Copies a pool as it is; the number of the last command that it has run."""
    async with database.begin() as uow:
        [(number,)] = await fetch_all(
            uow.connection,
            _COPY,
            pool_id,
            _GROUP,
            CATALOGUE[full_name(PoolCommand)].topic,
            partition_of(pool_id),
            uow.now_ms - closed_days * 24 * _HOUR_MS,
            uow.now_ms,
        )
        await uow.commit()
    return int(number)


async def take_due(database: Database, settings: RoutingSettings) -> int:
    """Copies the pools whose last copy is old enough; how many these were."""
    async with database.begin() as uow:
        locked = await fetch_one(uow.connection, "SELECT pg_try_advisory_xact_lock($1)", _LOCK)
        if locked is None or not locked[0]:
            return 0
        late = await fetch_all(
            uow.connection,
            "SELECT pool_id FROM routing.pools p WHERE NOT EXISTS (SELECT 1 FROM routing.snapshots s"
            " WHERE s.pool_id = p.pool_id AND s.taken_at_ms > $1) ORDER BY pool_id",
            uow.now_ms - settings.snapshot_hours * _HOUR_MS,
        )
        for (pool_id,) in late:
            await take(database, pool_id, settings.snapshot_closed_days)
    return len(late)


async def watch(database: Database, settings: RoutingSettings, stop: asyncio.Event) -> None:
    """Copies when it is time; 0 hours = never."""
    while settings.snapshot_hours and not stop.is_set():
        await take_due(database, settings)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await stop.wait()


async def newest(connection: AsyncConnection, pool_id: str, before_ms: int) -> Snapshot | None:
    """The newest copy of a pool that was taken by then, if there is one."""
    return await _read(connection, pool_id, "taken_at_ms <= $2 ORDER BY taken_at_ms DESC", before_ms)


async def oldest(connection: AsyncConnection, pool_id: str, after_number: int) -> Snapshot | None:
    """The oldest copy after which every command is still in a log that begins after `after_number`."""
    return await _read(connection, pool_id, "number >= $2 ORDER BY taken_at_ms", after_number)


async def _read(connection: AsyncConnection, pool_id: str, which: str, value: int) -> Snapshot | None:
    head = await fetch_one(
        connection,
        "SELECT number, sequence, at_ms, taken_at_ms FROM routing.snapshots"
        f" WHERE pool_id = $1 AND {which} LIMIT 1",
        pool_id,
        value,
    )
    if head is None:
        return None
    number, sequence, at_ms, taken_at_ms = head
    kept: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
    rows = await fetch_all(
        connection,
        "SELECT kind, row FROM routing.snapshot_rows WHERE pool_id = $1 AND taken_at_ms = $2",
        pool_id,
        taken_at_ms,
    )
    for kind, row in rows:
        kept[kind].append(json.loads(row) if isinstance(row, str) else row)
    return Snapshot(number, _rows(PoolState(pool_id, at_ms, sequence), kept))


def _rows(pool: PoolState, kept: dict[str, list[dict[str, Any]]]) -> Rows:
    agents = sorted(kept["agent"], key=lambda row: str(row["agent_id"]))
    items = [value_of(Item, row["item"]) for row in kept["item"]]
    clocks = [value_of(Clock, clock) for row in kept["item"] for clock in row["clocks"]]
    offers = [_picked(Offer, row) for row in kept["offer"]]
    results = [_picked(Result, row) for row in kept["result"]]
    shadow = next((row for row in kept["shadow"] if row["directory"]), None)
    return Rows(
        pool=pool,
        directory=value_of(Directory, kept["directory"][0]),
        profiles=tuple(value_of(AgentProfile, a["profile"]) for a in agents if not a["removed"]),
        agents=tuple(_picked(AgentState, a) for a in agents),
        items=tuple(sorted(items, key=lambda item: item.conversation_id)),
        offers=tuple(sorted(offers, key=lambda offer: offer.offer_id)),
        clocks=tuple(sorted(clocks, key=lambda clock: clock.clock_id)),
        results=tuple(sorted(results, key=lambda result: result.command_id)),
        notices=tuple(sorted((_picked(Notice, n) for n in kept["notice"]), key=lambda n: n.notice_id)),
        shadow=value_of(ShadowPolicy, {k: v for k, v in shadow.items() if k != "pool_id"})
        if shadow
        else None,
    )


def _picked(kind: Any, row: dict[str, Any]) -> Any:
    return kind(**{name: row[name] for name in kind._fields})
