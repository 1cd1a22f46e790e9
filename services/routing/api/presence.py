"""Presence, heartbeats, and the feed of an agent."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response

from libs.storage import Database
from libs.web import (
    Broadcast,
    Conflict,
    NotFound,
    Principal,
    last_event_id,
    require_role,
    sse_response,
)
from services.routing.adapters import queries
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.api import schemas, views
from services.routing.api.answering import RESPONSES, answered
from services.routing.api.feed import Feed
from services.routing.api.shapes import Agent, Body, PathId, Supervisor, Text, instant
from services.routing.domain.commands import SetPresence
from services.routing.operations import Desk
from services.routing.settings import RoutingSettings

Streaming = Annotated[Principal, Depends(require_role("agent", ticket=True))]


class NewPresence(Body):
    """online takes work; no_new keeps what there is; away loses open offers; offline ends the lease."""

    presence: Literal["online", "no_new", "away", "offline"]
    reason: Text = ""


def presence(
    database: Database,
    desk: Desk,
    hub: Broadcast,
    directories: KnownDirectories,
    settings: RoutingSettings,
) -> APIRouter:
    """The routes of agents' front-ends about themselves."""
    router = APIRouter(prefix="/v1")
    feed = Feed(database, desk, hub, directories, settings)

    async def show(agent_id: str) -> schemas.Presence:
        async with database.read() as connection:
            row = await queries.agent(connection, agent_id)
            if row is None:
                raise NotFound(f"The directory has no agent {agent_id!r}.", slug="unknown-agent")
            load = await queries.load(connection, agent_id)
            return views.presence(row, await queries.lease(connection, agent_id), *load)

    async def change(
        request: Request, response: Response, me: Principal, agent_id: str, body: NewPresence, by: str = ""
    ) -> Any:
        await show(agent_id)
        ask = await desk.begin(request, me)
        command = SetPresence(
            command_id=ask.command_id,
            agent_id=agent_id,
            presence=body.presence,
            by=by,
            reason=body.reason,
        )
        result = await desk.ask(ask, command, lease_of="" if body.presence == "offline" else agent_id)
        if result is not None and result.ok:
            return await show(agent_id)
        return answered(ask.command_id, result, lambda _: schemas.Removed(agent_id=agent_id))

    @router.get("/presence", response_model=schemas.Presence)
    async def get_presence(me: Agent) -> schemas.Presence:
        """The caller's own presence and load."""
        return await show(me.subject)

    @router.put("/presence", response_model=schemas.Presence, responses=RESPONSES)
    async def put_presence(body: NewPresence, request: Request, response: Response, me: Agent) -> Any:
        """Goes online, takes no new work, goes away or offline. Begins a lease that heartbeats renew."""
        return await change(request, response, me, me.subject, body)

    @router.put("/agents/{agent_id}/presence", response_model=schemas.Presence, responses=RESPONSES)
    async def put_presence_of(
        agent_id: PathId, body: NewPresence, request: Request, response: Response, me: Supervisor
    ) -> Any:
        """Sets the presence of somebody else."""
        return await change(request, response, me, agent_id, body, by=me.subject)

    @router.post("/presence/heartbeat", response_model=schemas.Lease)
    async def post_heartbeat(me: Agent) -> schemas.Lease:
        """Renews the lease. An open feed does the same by itself. 409 `no-lease` when there is none."""
        until_ms = await desk.renew(me.subject)
        if until_ms is None:
            raise Conflict("There is no lease: set the presence first.", slug="no-lease")
        return schemas.Lease(agent_id=me.subject, lease_until_at=instant(until_ms))

    @router.get(
        "/feed",
        response_model=None,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def get_feed(request: Request, me: Streaming) -> Response:
        """The caller's offers, assignments and notices as server-sent events.

        A new stream begins with `state`: presence, open offers and assignments. With Last-Event-ID it goes on after
        that event; when that is too old, it begins with `resync`, which says the same as `state`. Then come `offer`,
        `offer_closed`, `assigned`, `unassigned`, `presence`, `draining`, `transfer_failed`, `transfer_refused`,
        `sla_warning`, `sla_breach` and `sla_step`. While the stream is open the lease is renewed.
        """
        after = last_event_id(request)
        if not await feed.has(me.subject):
            raise NotFound(f"The directory has no agent {me.subject!r}.", slug="unknown-agent")
        return sse_response(request, feed.follow(me.subject, after), retry_ms=1000)

    @router.post("/feed/tickets", status_code=201, response_model=schemas.Ticket)
    async def post_feed_ticket(request: Request, me: Agent) -> schemas.Ticket:
        """A one-time key for the feed within 30 seconds, as `?ticket=`: a browser's EventSource sends no headers."""
        return schemas.Ticket(ticket=request.app.state.tokens.issue_ticket(me))

    return router
