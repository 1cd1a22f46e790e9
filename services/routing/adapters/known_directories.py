"""The directories of the pools, kept in memory: reading a big one takes long."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all, fetch_one
from services.routing.adapters import queries
from services.routing.domain.directory import Directory


@dataclass(frozen=True, slots=True)
class QueueNames:
    """A queue and its team as people call them."""

    queue: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: int
    directory: Directory
    teams: Mapping[str, str]


class KnownDirectories:
    """Directories by pool, as the newest committed transaction left them. Each is read again when its version has
    changed; a pool that is not there has an empty one."""

    def __init__(self, first_pool: str) -> None:
        self._first_pool = first_pool
        self._kept: dict[str, _Kept] = {}

    async def of(self, connection: AsyncConnection, pool_id: str) -> Directory:
        """The directory of a pool."""
        found = await fetch_one(
            connection, "SELECT pool_id, version FROM routing.directories WHERE pool_id = $1", pool_id
        )
        return await self._directory(connection, found)

    async def about(
        self, connection: AsyncConnection, *, agent_id: str = "", queue_id: str = ""
    ) -> Directory:
        """The directory of the pool in which the agent or the queue is, else of the first."""
        found = await fetch_one(
            connection,
            "SELECT pool_id, version FROM routing.directories WHERE pool_id = coalesce("
            "(SELECT pool_id FROM routing.agents WHERE agent_id = $1),"
            " (SELECT pool_id FROM routing.places WHERE kind = 'queue' AND id = $2), $3)",
            agent_id,
            queue_id,
            self._first_pool,
        )
        return await self._directory(connection, found)

    async def names(self, connection: AsyncConnection, queue_ids: Iterable[str]) -> dict[str, QueueNames]:
        """By queue, of whatever pools; queues that are gone are left out."""
        wanted = sorted(set(queue_ids))
        pools = await fetch_all(
            connection,
            "SELECT DISTINCT d.pool_id, d.version FROM routing.places p"
            " JOIN routing.directories d USING (pool_id) WHERE p.kind = 'queue' AND p.id = ANY($1::text[])",
            wanted,
        )
        found: dict[str, QueueNames] = {}
        for pool_id, version in pools:
            kept = await self._newest(connection, pool_id, version)
            queues = [q for one in wanted if (q := kept.directory.queue_by_id.get(one))]
            found |= {q.queue_id: QueueNames(q.name, kept.teams.get(q.team_id, "")) for q in queues}
        return found

    async def _directory(self, connection: AsyncConnection, found: Any | None) -> Directory:
        return (await self._newest(connection, *found)).directory if found else Directory()

    async def _newest(self, connection: AsyncConnection, pool_id: str, version: int) -> _Kept:
        kept = self._kept.get(pool_id)
        if kept is not None and kept.version == version:
            return kept
        row = await queries.directory(connection, pool_id)
        if row is None:
            return _Kept(0, Directory(), {})
        teams = {team.team_id: team.name for team in row.directory.teams}
        self._kept[pool_id] = _Kept(row.version, row.directory, teams)
        return self._kept[pool_id]
