"""Beside requests and events: leases that end, rows that are old enough to go, the pool of a fresh installation."""

import asyncio
import contextlib
from pathlib import Path

import yaml

from libs.runtime import derived_id
from libs.storage import Database, execute, fetch_all, fetch_one
from services.routing.adapters.contracts import pool_command, team_changed
from services.routing.adapters.repositories import DIRECTORIES, PLACES
from services.routing.adapters.rows import DirectoryRow, PlaceRow, places_of
from services.routing.api.directory_shapes import DirectoryShape, directory_of
from services.routing.domain.commands import EndLease
from services.routing.domain.directory import Directory
from services.routing.domain.events import TeamChanged
from services.routing.settings import RoutingSettings

_LOOK_SECONDS = 1.0
_CLEAN_SECONDS = 600.0
_HOUR_MS = 3_600_000
_MOST = 5_000
_ANY_LATE = "SELECT 1 FROM routing.leases WHERE lease_until_ms < $1 LIMIT 1"
_OLD = (
    ("feed", "at_ms < $1", "feed_hours"),
    ("results", "at_ms < $1", "result_hours"),
    ("asked", "at_ms < $1", "result_hours"),
    ("idempotency_keys", "created_at_ms < $1", "result_hours"),
    ("wait_told", "at_ms < $1", "result_hours"),
    ("audit", "at_ms < $1", "audit_days"),
    ("decisions", "at_ms < $1", "decision_days"),
    ("snapshots", "taken_at_ms < $1", "snapshot_days"),
    ("snapshot_rows", "taken_at_ms < $1", "snapshot_days"),
    ("shadow_differences", "at_ms < $1", "shadow_days"),
    ("offers", "state <> 'open' AND closed_at_ms < $1", "decision_days"),
)


def default_directory() -> Directory:
    """The directory of a fresh installation. Raises ValueError when the file is not usable."""
    text = (Path(__file__).parent / "default_directory.yaml").read_text(encoding="utf-8")
    directory = directory_of(DirectoryShape(**yaml.safe_load(text)), version=1)
    if directory.problems():
        raise ValueError(f"default_directory.yaml: {'; '.join(directory.problems())}")
    return directory


async def make_pool(database: Database, pool_id: str, directory: Directory) -> bool:
    """Makes the pool with that directory; False when it is there."""
    async with database.begin() as uow:
        made = await fetch_one(
            uow.connection,
            "INSERT INTO routing.pools (pool_id, at_ms, sequence) VALUES ($1, $2, 0)"
            " ON CONFLICT DO NOTHING RETURNING pool_id",
            pool_id,
            uow.now_ms,
        )
        if made is None:
            return False
        uow.rows(DIRECTORIES).put(DirectoryRow(pool_id, directory.version, directory))
        for kind, one in places_of(directory):
            uow.rows(PLACES).put(PlaceRow(kind, one, pool_id))
        for team in directory.teams:
            uow.emit(team_changed(TeamChanged(team, removed=False), directory.version, uow.now_ms))
        await uow.commit()
    return True


async def extend_leases(database: Database, lease_seconds: float) -> None:
    """After a start nobody is late: the time in which no heartbeat could come is not counted."""
    async with database.begin() as uow:
        await execute(
            uow.connection,
            "UPDATE routing.leases SET lease_until_ms = greatest(lease_until_ms, $1)",
            uow.now_ms + int(lease_seconds * 1000),
        )
        await uow.commit()


async def end_leases(database: Database) -> int:
    """Sends EndLease for agents whose lease is over; how many that were."""
    async with database.look() as connection:
        if not await fetch_all(connection, _ANY_LATE, database.clock.now_ms()):
            return 0
    async with database.begin() as uow:
        late = await fetch_all(
            uow.connection,
            "DELETE FROM routing.leases WHERE agent_id IN ("
            "SELECT agent_id FROM routing.leases WHERE lease_until_ms < $1 ORDER BY agent_id FOR UPDATE SKIP LOCKED)"
            " RETURNING agent_id, lease_until_ms",
            uow.now_ms,
        )
        if not late:
            return 0
        found = await fetch_all(
            uow.connection,
            "SELECT agent_id, presence_epoch, pool_id FROM routing.agents WHERE agent_id = ANY($1::text[])",
            [agent_id for agent_id, _ in late],
        )
        known = {agent_id: (epoch, pool_id) for agent_id, epoch, pool_id in found}
        for agent_id, until_ms in sorted(late):
            if agent_id in known:
                epoch, pool_id = known[agent_id]
                command_id = derived_id("lease", agent_id, str(until_ms))
                command = EndLease(command_id=command_id, agent_id=agent_id, presence_epoch=epoch)
                uow.emit(pool_command(pool_id, command))
        await uow.commit()
    return len(late)


async def watch_leases(database: Database, stop: asyncio.Event) -> None:
    """Ends leases once a second."""
    while not stop.is_set():
        await end_leases(database)
        await _sleep(stop, _LOOK_SECONDS)


async def forget_old(database: Database, settings: RoutingSettings, stop: asyncio.Event) -> None:
    """Removes what is older than the settings say, every ten minutes, in small transactions."""
    while not stop.is_set():
        for table, condition, setting in _OLD:
            hours = getattr(settings, setting) * (24 if setting.endswith("_days") else 1)
            while await _forget(database, table, condition, hours) == _MOST and not stop.is_set():
                continue
        await _sleep(stop, _CLEAN_SECONDS)


async def _forget(database: Database, table: str, condition: str, hours: int) -> int:
    async with database.begin() as uow:
        gone = await fetch_all(
            uow.connection,
            f"DELETE FROM routing.{table} WHERE ctid IN"
            f" (SELECT ctid FROM routing.{table} WHERE {condition} LIMIT {_MOST}) RETURNING 1",
            uow.now_ms - hours * _HOUR_MS,
        )
        await uow.commit()
    return len(gone)


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
