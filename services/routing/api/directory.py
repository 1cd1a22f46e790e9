"""The directory and the people in it."""

import asyncio
import contextlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.storage import Database
from libs.web import (
    IfMatch,
    NotFound,
    Page,
    PageParams,
    PreconditionFailed,
    check_if_match,
    etag_of,
    make_page,
)
from services.routing.adapters import queries, where
from services.routing.adapters.public_holidays import UnknownRegion, public_holidays
from services.routing.adapters.rows import AgentRow
from services.routing.api import schemas
from services.routing.api.agent_shapes import AgentShape, AgentView, agent_shape, profile_of
from services.routing.api.answering import RESPONSES, answered
from services.routing.api.directory_shapes import (
    DirectoryShape,
    DirectoryView,
    directory_of,
    shape_of,
)
from services.routing.api.shapes import NewId, PathId, PoolId, Reader, Supervisor, Text, refusal
from services.routing.domain.commands import PutAgent, PutDirectory, RemoveAgent
from services.routing.domain.directory import AgentProfile, Directory, version_of
from services.routing.operations import Desk
from services.routing.settings import RoutingSettings

Reason = Annotated[Text, Query(description="Why, for the audit")]
_AGENTS = "agents-by-id"
_MOST_REGIONS: Final = 512
_CREATED: dict[int | str, dict[str, Any]] = {201: {"model": AgentView, "description": "A new person"}}


def _anything(if_match: str | None) -> bool:
    return if_match is not None and if_match.strip() == "*"


def _expected(row: AgentRow | None, if_match: str | None) -> str:
    """What the entry still has to be when the command's turn comes; empty for whatever it is."""
    return "" if _anything(if_match) else version_of(row.profile if row else None)


def _check_entry(row: AgentRow | None, wanted: AgentProfile, if_match: str | None) -> None:
    """A new entry has no version to name; an entry that is already as wanted need not be named (RFC 9110, 13.1.1)."""
    if row is None and if_match is not None:
        raise PreconditionFailed("The directory has no such agent: leave If-Match out to add them.")
    if row is not None and row.profile != wanted:
        check_if_match(if_match, version_of(row.profile))


def _view(row: AgentRow) -> AgentView:
    return AgentView(
        id=row.profile.agent_id,
        version=version_of(row.profile),
        agent=agent_shape(row.profile),
        presence=row.state.presence,
    )


async def _regions_looked_up(request: Request, _me: Supervisor) -> None:
    """Looks the holidays of the body's regions up in a thread, once for each region: the first look takes up to a
    tenth of a second, and the check of the body would hold the event loop as long."""
    try:
        calendars = (await request.json()).get("calendars", ())
        regions = {str(region) for calendar in calendars for region in calendar.get("regions", ())}
    except (ValueError, TypeError, AttributeError):
        return  # what is wrong with the body is told by its check
    for region in sorted(regions)[:_MOST_REGIONS]:
        with contextlib.suppress(UnknownRegion):
            await asyncio.to_thread(public_holidays, region)


def _judged(body: DirectoryShape, version: int) -> tuple[Directory, list[str]]:
    wanted = directory_of(body, version)
    return wanted, list(wanted.problems())


def directory(database: Database, desk: Desk, settings: RoutingSettings) -> APIRouter:
    """The routes of supervisors; reading is for every agent."""
    router = APIRouter(prefix="/v1")

    @router.get("/directory", response_model=DirectoryView)
    async def get_directory(response: Response, _me: Reader, pool: PoolId = None) -> DirectoryView:
        """Teams, queues, filters, capacities and calendars. The ETag is the version."""
        async with database.read() as connection:
            row = await queries.directory(connection, pool or settings.pool)
        if row is None:
            raise NotFound("The pool has not been made yet.")
        response.headers["ETag"] = etag_of(row.version)
        return DirectoryView(pool=row.pool_id, version=row.version, directory=shape_of(row.directory))

    @router.put(
        "/directory",
        response_model=schemas.Version,
        responses=RESPONSES,
        dependencies=[Depends(_regions_looked_up)],
    )
    async def put_directory(
        body: DirectoryShape,
        request: Request,
        response: Response,
        me: Supervisor,
        if_match: IfMatch = None,
        reason: Reason = "",
        pool: PoolId = None,
    ) -> Any:
        """Replaces the directory. 422 lists every fault; conversations of queues that are gone are routed anew."""
        async with database.read() as connection:
            row = await queries.directory(connection, pool or settings.pool)
        if row is None:
            raise NotFound("The pool has not been made yet.")
        ask = await desk.begin(request, me)
        if not await desk.repeated(ask):
            check_if_match(if_match, row.version)
        wanted, problems = await asyncio.to_thread(_judged, body, row.version)
        async with database.read() as connection:
            problems += await where.taken(connection, row.pool_id, wanted)
        if problems:
            raise refusal("invalid-directory", {"problems": problems[:50]})
        expected = 0 if _anything(if_match) else row.version
        command = PutDirectory(
            command_id=ask.command_id,
            directory=wanted,
            expected_version=expected,
            by=me.subject,
            reason=reason,
        )
        result = await desk.ask(ask, command, pool=row.pool_id)
        if result is not None and result.ok:
            response.headers["ETag"] = etag_of(result.body["version"])
        return answered(ask.command_id, result, lambda r: schemas.Version.model_validate(dict(r.body)))

    @router.get("/agents", response_model=Page[AgentView])
    async def list_agents(
        request: Request, response: Response, _me: Reader, page: PageParams, pool: PoolId = None
    ) -> Page[AgentView]:
        """The people of the directory, by id; without `pool` those of all pools."""
        after = page.after(_AGENTS, str)
        async with database.read() as connection:
            rows = await queries.agents(connection, pool or "", after[0] if after else "", page.limit + 1)
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_AGENTS,
            key=lambda row: (row.profile.agent_id,),
            show=_view,
        )

    @router.get("/agents/{agent_id}", response_model=AgentView)
    async def get_agent(agent_id: PathId, response: Response, _me: Reader) -> AgentView:
        """A person of the directory, with an ETag."""
        async with database.read() as connection:
            row = await queries.agent(connection, agent_id)
        if row is None:
            raise NotFound("The directory has no such agent.", slug="unknown-agent")
        response.headers["ETag"] = etag_of(version_of(row.profile))
        return _view(row)

    @router.put("/agents/{agent_id}", response_model=AgentView, responses={**RESPONSES, **_CREATED})
    async def put_agent(
        agent_id: NewId,
        body: AgentShape,
        request: Request,
        response: Response,
        me: Supervisor,
        if_match: IfMatch = None,
        reason: Reason = "",
    ) -> Any:
        """Adds a person without If-Match; changes one with it. Of two changes of the same version one is refused: 412."""
        async with database.read() as connection:
            row = await queries.agent(connection, agent_id)
        wanted = profile_of(agent_id, body)
        ask = await desk.begin(request, me)
        if not await desk.repeated(ask):
            _check_entry(row, wanted, if_match)
        command = PutAgent(
            command_id=ask.command_id,
            agent=wanted,
            expected_version=_expected(row, if_match),
            by=me.subject,
            reason=reason,
        )
        result = await desk.ask(ask, command)
        if result is not None and result.ok:
            response.headers["ETag"] = etag_of(version_of(wanted))
            response.status_code = 201 if result.body["created"] else 200
        return answered(
            ask.command_id,
            result,
            lambda r: AgentView(
                id=agent_id,
                version=version_of(wanted),
                agent=agent_shape(wanted),
                presence=r.body["presence"],
            ),
        )

    @router.delete("/agents/{agent_id}", response_model=schemas.Removed, responses=RESPONSES)
    async def delete_agent(
        agent_id: PathId,
        request: Request,
        response: Response,
        me: Supervisor,
        if_match: IfMatch = None,
        reason: Reason = "",
    ) -> Any:
        """Removes a person; their offers are rescinded and their conversations return to the queues."""
        async with database.read() as connection:
            row = await queries.agent(connection, agent_id)
        ask = await desk.begin(request, me)
        if not await desk.repeated(ask):
            if row is None:
                raise NotFound("The directory has no such agent.", slug="unknown-agent")
            check_if_match(if_match, version_of(row.profile))
        command = RemoveAgent(
            command_id=ask.command_id,
            agent_id=agent_id,
            expected_version=_expected(row, if_match),
            by=me.subject,
            reason=reason,
        )
        result = await desk.ask(ask, command)
        return answered(ask.command_id, result, lambda _: schemas.Removed(agent_id=agent_id))

    return router
