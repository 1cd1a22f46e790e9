"""What a supervisor orders: move, pin, boost, drain, close. Each is a command of the engine, kept in the audit."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, model_validator

from libs.storage import Database
from libs.web import IfMatch, NotFound, Page, PageParams, check_if_match, etag_of, make_page
from services.routing.adapters import overview, queries
from services.routing.adapters.rows import AuditRow, ItemRow
from services.routing.api import schemas
from services.routing.api.answering import RESPONSES, answered, assignment
from services.routing.api.shapes import (
    Agent,
    Body,
    Id,
    PathId,
    PoolId,
    Reader,
    Supervisor,
    Text,
    instant,
    shown,
)
from services.routing.domain.commands import ByPerson
from services.routing.domain.orders import Boost, CallBack, CloseQueue, Drain, Escalate, Move, Pin
from services.routing.domain.versions import placement
from services.routing.operations import Ask, Desk
from services.routing.settings import RoutingSettings

_AUDIT = "audit-newest"
_LONGEST_MS = 366 * 86_400_000


class Place(Body):
    """Exactly one of the three."""

    queue_id: Id | None = None
    team_id: Id | None = None
    agent_id: Id | None = None
    reason: Text = ""

    @model_validator(mode="after")
    def _one_place(self) -> "Place":
        if sum(t is not None for t in (self.queue_id, self.team_id, self.agent_id)) != 1:
            raise ValueError("name exactly one of queue_id, team_id and agent_id")
        return self


class Pinning(Body):
    on: bool = True
    reason: Text = ""


class Boosting(Body):
    """Milliseconds by which it goes ahead; 0 clears it."""

    boost_ms: int = Field(ge=0, le=_LONGEST_MS)
    reason: Text = ""


class Calling(Body):
    """Why somebody else has to look at it."""

    reason: Text = ""


class Leaving(Body):
    """`on` false: the customer waits again."""

    on: bool = True
    reason: Text = ""


class Draining(Body):
    """`give_back` lets what is in hand return to its queues at once; else it is finished."""

    on: bool
    give_back: bool = False
    reason: Text = ""


class Closing(Body):
    """`move_waiting` sends what waits along the queue's overflow too; else it is served to the end."""

    on: bool
    move_waiting: bool = False
    reason: Text = ""


def supervision(database: Database, desk: Desk, settings: RoutingSettings) -> APIRouter:
    """The routes of supervisors' orders, and the audit of all of them."""
    router = APIRouter(prefix="/v1")

    async def item_of(conversation_id: str) -> ItemRow:
        async with database.read() as connection:
            row = await queries.item(connection, conversation_id)
        if row is None:
            raise NotFound("Routing has not seen this conversation.")
        return row

    async def expected(ask: Ask, conversation_id: str, if_match: str | None, *, required: bool = True) -> str:
        """The version that the command must find; empty for whatever it is."""
        row = await item_of(conversation_id)
        if not await desk.repeated(ask) and (required or if_match is not None):
            check_if_match(if_match, placement(row.item))
        anything = if_match is None or if_match.strip() == "*"
        return "" if anything else placement(row.item)

    async def order(ask: Ask, command: ByPerson, response: Response) -> Any:
        result = await desk.ask(ask, command)
        if result is not None and result.ok:
            row = await item_of(str(result.body["conversation_id"]))
            response.headers["ETag"] = etag_of(placement(row.item))
        return answered(ask.command_id, result, assignment)

    @router.post(
        "/conversations/{conversation_id}/move", response_model=schemas.Assignment, responses=RESPONSES
    )
    async def move_conversation(
        conversation_id: PathId,
        body: Place,
        request: Request,
        response: Response,
        me: Supervisor,
        if_match: IfMatch = None,
    ) -> Any:
        """Brings the conversation to a queue, a team, or by an offer to an agent, wherever it is; no hop is counted."""
        ask = await desk.begin(request, me)
        command = Move(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason,
            conversation_id=conversation_id,
            to_queue=body.queue_id or "",
            to_team=body.team_id or "",
            to_agent=body.agent_id or "",
            expected_version=await expected(ask, conversation_id, if_match),
        )
        return await order(ask, command, response)

    @router.put(
        "/conversations/{conversation_id}/pin", response_model=schemas.Assignment, responses=RESPONSES
    )
    async def pin_conversation(
        conversation_id: PathId,
        body: Pinning,
        request: Request,
        response: Response,
        me: Supervisor,
        if_match: IfMatch = None,
    ) -> Any:
        """Puts a waiting conversation first, until somebody has it. Of several pinned ones the earlier pin goes first."""
        ask = await desk.begin(request, me)
        command = Pin(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason,
            conversation_id=conversation_id,
            on=body.on,
            expected_version=await expected(ask, conversation_id, if_match),
        )
        return await order(ask, command, response)

    @router.put(
        "/conversations/{conversation_id}/boost", response_model=schemas.Assignment, responses=RESPONSES
    )
    async def boost_conversation(
        conversation_id: PathId,
        body: Boosting,
        request: Request,
        response: Response,
        me: Supervisor,
        if_match: IfMatch = None,
    ) -> Any:
        """Lets the conversation go ahead by so much; with its other boosts at most the pool's limit."""
        ask = await desk.begin(request, me)
        command = Boost(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason,
            conversation_id=conversation_id,
            boost_ms=body.boost_ms,
            expected_version=await expected(ask, conversation_id, if_match),
        )
        return await order(ask, command, response)

    @router.post(
        "/conversations/{conversation_id}/escalate", response_model=schemas.Assignment, responses=RESPONSES
    )
    async def escalate_conversation(
        conversation_id: PathId,
        request: Request,
        response: Response,
        me: Agent,
        body: Calling | None = None,
        if_match: IfMatch = None,
    ) -> Any:
        """Gives it the queue's escalation boost, and brings it where the queue escalates to. Its holder may, and a
        supervisor. If-Match may be left out."""
        ask = await desk.begin(request, me)
        command = Escalate(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason if body else "",
            conversation_id=conversation_id,
            agent_id="" if me.may_act_as("supervisor") else me.subject,
            expected_version=await expected(ask, conversation_id, if_match, required=False),
        )
        return await order(ask, command, response)

    @router.put(
        "/conversations/{conversation_id}/call-back", response_model=schemas.Assignment, responses=RESPONSES
    )
    async def call_back(
        conversation_id: PathId,
        request: Request,
        response: Response,
        me: Reader,
        body: Leaving | None = None,
    ) -> Any:
        """The customer goes instead of waiting and keeps the place; whoever takes the conversation calls. 409
        `no-call-back` where the queue does not do that. Sending it again changes nothing."""
        ask = await desk.begin(request, me)
        command = CallBack(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason if body else "",
            conversation_id=conversation_id,
            on=body.on if body else True,
        )
        return answered(ask.command_id, await desk.ask(ask, command), assignment)

    @router.put("/agents/{agent_id}/drain", response_model=schemas.Drained, responses=RESPONSES)
    async def drain_agent(
        agent_id: PathId, body: Draining, request: Request, response: Response, me: Supervisor
    ) -> Any:
        """The agent takes nothing more, whatever the presence says, or again. Sending it again changes nothing."""
        return await drain(agent_id, body, request, me)

    @router.put("/pools/{pool_id}/drain", response_model=schemas.Drained, responses=RESPONSES)
    async def drain_pool(
        pool_id: PathId, body: Draining, request: Request, response: Response, me: Supervisor
    ) -> Any:
        """Nobody takes anything more, or again: before a maintenance, say. What comes in waits, with an alarm."""
        async with database.read() as connection:
            known = await queries.pools(connection)
        if pool_id not in known:
            raise NotFound("This installation has no such pool; GET /routing/v1/pools names those it has.")
        return await drain("", body, request, me, pool_id)

    async def drain(
        agent_id: str, body: Draining, request: Request, me: Supervisor, pool: str | None = None
    ) -> Any:
        ask = await desk.begin(request, me)
        command = Drain(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason,
            agent_id=agent_id,
            on=body.on,
            give_back=body.give_back,
        )
        result = await desk.ask(ask, command, pool=pool)
        return answered(ask.command_id, result, lambda r: schemas.Drained.model_validate(dict(r.body)))

    @router.put("/queues/{queue_id}/closed", response_model=schemas.Closed, responses=RESPONSES)
    async def close_queue(
        queue_id: PathId, body: Closing, request: Request, response: Response, me: Supervisor
    ) -> Any:
        """Nothing new comes into the queue, or again: it goes along the overflow, else to the default queue."""
        ask = await desk.begin(request, me)
        command = CloseQueue(
            command_id=ask.command_id,
            by=me.subject,
            reason=body.reason,
            queue_id=queue_id,
            on=body.on,
            move_waiting=body.move_waiting,
        )
        result = await desk.ask(ask, command)
        return answered(ask.command_id, result, lambda r: schemas.Closed.model_validate(dict(r.body)))

    @router.get("/audit", response_model=Page[schemas.Audited])
    async def list_audit(
        request: Request,
        response: Response,
        _me: Supervisor,
        page: PageParams,
        about: Annotated[
            Text, Query(description="A conversation, a queue or an agent; left out = everything")
        ] = "",
        pool: PoolId = None,
    ) -> Page[schemas.Audited]:
        """Who ordered what, when and why, with what became of it, newest first."""
        after = page.after(_AUDIT, int, str)
        async with database.read() as connection:
            rows = await overview.audit(
                connection,
                pool or settings.pool,
                about,
                (after[0], after[1]) if after else None,
                page.limit + 1,
            )
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_AUDIT,
            key=lambda row: (row.at_ms, row.command_id),
            show=_audited,
        )

    return router


def _audited(row: AuditRow) -> schemas.Audited:
    return schemas.Audited(
        command_id=row.command_id,
        at=instant(row.at_ms),
        by=row.by,
        action=row.action,
        about=row.about or None,
        reason=row.reason,
        ok=row.ok,
        outcome=row.slug,
        facts=shown(row.facts),
    )
