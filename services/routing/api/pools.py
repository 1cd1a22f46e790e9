"""The pools of an installation: each has its own directory and people, and what comes in is shared out among them."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from libs.runtime import new_id
from libs.storage import Database, execute
from libs.web import IfMatch, NotFound, Unprocessable, check_if_match, etag_of
from services.routing.adapters import queries, where
from services.routing.adapters.repositories import AUDIT, TERRITORIES
from services.routing.adapters.rows import ALL, AuditRow, Territories
from services.routing.api.directory_shapes import DirectoryShape, directory_of
from services.routing.api.shapes import Body, Id, NewId, Reader, Supervisor, Text, refusal
from services.routing.domain.territories import Territory
from services.routing.settings import RoutingSettings
from services.routing.snapshots import take
from services.routing.workers import make_pool

_MOST = 100
_LOCK = 7_204_120
"""One change of the list at a time: an advisory lock of the database, held for the transaction."""


class TerritoryShape(Body):
    """Which new conversations the pool takes: all given conditions must match; without any it takes none by itself."""

    topics: list[Id] = Field(default=[], max_length=200)
    languages: list[Id] = Field(default=[], max_length=200)
    channels: list[Id] = Field(default=[], max_length=200)
    queue_hints: list[Id] = Field(default=[], max_length=200)


class NewPool(Body):
    """`directory` makes the pool; afterwards it is changed by PUT /routing/v1/directory?pool=."""

    takes: TerritoryShape = TerritoryShape()
    directory: DirectoryShape | None = None
    reason: Text = ""


class PoolView(BaseModel):
    """`takes` is null for the first pool, which takes what no other does."""

    id: str
    takes: TerritoryShape | None


class PoolsView(BaseModel):
    """In the order in which they are asked; the first pool comes last. Their number is small."""

    pools: list[PoolView]


def pools(database: Database, settings: RoutingSettings) -> APIRouter:
    """Reading is for every agent, the rest for supervisors."""
    router = APIRouter(prefix="/v1/pools")

    async def known() -> Territories:
        async with database.read() as connection:
            return await queries.territories(connection) or Territories(ALL, 0, ())

    @router.get("", response_model=PoolsView)
    async def list_pools(response: Response, _me: Reader) -> PoolsView:
        """Every pool with what it takes. The ETag is of the list."""
        found = await known()
        response.headers["ETag"] = etag_of(found.version)
        return _view(found, settings.pool)

    @router.put("/{pool_id}", response_model=PoolsView, responses={201: {"model": PoolsView}})
    async def put_pool(
        pool_id: NewId, body: NewPool, response: Response, me: Supervisor, if_match: IfMatch = None
    ) -> Any:
        """Makes a pool, or changes what one takes: the list's ETag as If-Match. Conversations stay where they are."""
        found = await known()
        check_if_match(if_match, found.version)
        if pool_id == settings.pool:
            raise Unprocessable("The first pool takes what no other does: change what the others take.")
        async with database.read() as connection:
            there = await queries.directory(connection, pool_id)
        if there is None:
            await _make(pool_id, body)
            response.status_code = 201
        after = await _keep(pool_id, body, found, me.subject, made=there is None)
        response.headers["ETag"] = etag_of(after.version)
        return _view(after, settings.pool)

    async def _make(pool_id: str, body: NewPool) -> None:
        if body.directory is None:
            raise NotFound("There is no such pool; a `directory` in the body makes it.")
        directory = directory_of(body.directory, version=1)
        async with database.read() as connection:
            problems = [*directory.problems(), *await where.taken(connection, pool_id, directory)]
            if len(await queries.pools(connection)) >= _MOST:
                problems.append(f"there are {_MOST} pools already: put what belongs together into one")
        if problems:
            raise refusal("invalid-directory", {"problems": problems[:50]})
        await make_pool(database, pool_id, directory)
        # What the pool was at first is known from nowhere else.
        await take(database, pool_id, settings.snapshot_closed_days)

    async def _keep(pool_id: str, body: NewPool, before: Territories, by: str, *, made: bool) -> Territories:
        takes = body.takes
        territory = Territory(
            pool_id,
            tuple(takes.topics),
            tuple(takes.languages),
            tuple(takes.channels),
            tuple(takes.queue_hints),
        )
        others = [t for t in before.pools if t.pool_id != pool_id]
        place = next((n for n, t in enumerate(before.pools) if t.pool_id == pool_id), len(others))
        after = Territories(ALL, before.version + 1, (*others[:place], territory, *others[place:]))
        async with database.begin() as uow:
            await execute(uow.connection, "SELECT pg_advisory_xact_lock($1)", _LOCK)
            rows = uow.rows(TERRITORIES)
            await rows.load([ALL])
            now = rows.get(ALL)
            check_if_match(f'"{before.version}"', now.version if now else 0)
            rows.put(after)
            action = "make-pool" if made else "change-pool"
            facts = takes.model_dump()
            uow.rows(AUDIT).put(
                AuditRow(new_id(), pool_id, uow.now_ms, by, action, pool_id, body.reason, True, "ok", facts)
            )
            await uow.commit()
        return after

    return router


def _view(found: Territories, first: str) -> PoolsView:
    views = [
        PoolView(
            id=t.pool_id,
            takes=TerritoryShape(
                topics=list(t.topics),
                languages=list(t.languages),
                channels=list(t.channels),
                queue_hints=list(t.queue_hints),
            ),
        )
        for t in found.pools
    ]
    return PoolsView(pools=[*views, PoolView(id=first, takes=None)])
