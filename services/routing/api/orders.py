"""What people order about a conversation: move, pin, boost, escalate, call back. Each is a command of the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, model_validator

from libs.storage import Database
from libs.web import IfMatch, NotFound, Principal, check_if_match, etag_of
from services.routing.adapters import queries
from services.routing.adapters.rows import ItemRow
from services.routing.api import schemas
from services.routing.api.answering import RESPONSES, answered, assignment
from services.routing.api.shapes import Agent, Body, Id, PathId, Reader, Supervisor, Text
from services.routing.domain.commands import ByPerson
from services.routing.domain.orders import Boost, CallBack, Escalate, Move, Pin
from services.routing.domain.versions import placement
from services.routing.operations import Desk

_LONGEST_MS = 366 * 86_400_000

Made = Callable[[str, str], ByPerson]
"""The command of an order, from its id and the version that it must find; an empty one is any."""


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


@dataclass(frozen=True, slots=True)
class Order:
    """What each order about a conversation comes with."""

    conversation_id: PathId
    request: Request
    response: Response
    if_match: IfMatch = None


Given = Annotated[Order, Depends()]


def orders(database: Database, desk: Desk) -> APIRouter:
    """The routes of orders about a conversation. Each answers where it is now, with its new ETag."""
    router = APIRouter(prefix="/v1/conversations/{conversation_id}")
    taker = _Taker(database, desk)

    @router.post("/move", response_model=schemas.Assignment, responses=RESPONSES)
    async def move_conversation(order: Given, body: Place, me: Supervisor) -> Any:
        """Brings the conversation to a queue, a team, or by an offer to an agent, wherever it is; no hop is counted."""
        return await taker.take(
            order,
            me,
            lambda command_id, version: Move(
                command_id=command_id,
                by=me.subject,
                reason=body.reason,
                conversation_id=order.conversation_id,
                to_queue=body.queue_id or "",
                to_team=body.team_id or "",
                to_agent=body.agent_id or "",
                expected_version=version,
            ),
        )

    @router.put("/pin", response_model=schemas.Assignment, responses=RESPONSES)
    async def pin_conversation(order: Given, body: Pinning, me: Supervisor) -> Any:
        """Puts a waiting conversation first, until somebody has it. Of several pinned ones the earlier pin goes first."""
        return await taker.take(
            order,
            me,
            lambda command_id, version: Pin(
                command_id=command_id,
                by=me.subject,
                reason=body.reason,
                conversation_id=order.conversation_id,
                on=body.on,
                expected_version=version,
            ),
        )

    @router.put("/boost", response_model=schemas.Assignment, responses=RESPONSES)
    async def boost_conversation(order: Given, body: Boosting, me: Supervisor) -> Any:
        """Lets the conversation go ahead by so much; with its other boosts at most the pool's limit."""
        return await taker.take(
            order,
            me,
            lambda command_id, version: Boost(
                command_id=command_id,
                by=me.subject,
                reason=body.reason,
                conversation_id=order.conversation_id,
                boost_ms=body.boost_ms,
                expected_version=version,
            ),
        )

    @router.post("/escalate", response_model=schemas.Assignment, responses=RESPONSES)
    async def escalate_conversation(order: Given, me: Agent, body: Calling | None = None) -> Any:
        """Gives it the queue's escalation boost, and brings it where the queue escalates to. Its holder may, and a
        supervisor. If-Match may be left out."""
        return await taker.take(
            order,
            me,
            lambda command_id, version: Escalate(
                command_id=command_id,
                by=me.subject,
                reason=body.reason if body else "",
                conversation_id=order.conversation_id,
                agent_id="" if me.may_act_as("supervisor") else me.subject,
                expected_version=version,
            ),
            required=False,
        )

    @router.put("/call-back", response_model=schemas.Assignment, responses=RESPONSES)
    async def call_back(
        conversation_id: PathId, request: Request, me: Reader, body: Leaving | None = None
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

    return router


class _Taker:
    """Takes an order: the version it was given for, the command, the answer."""

    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def take(self, order: Order, me: Principal, made: Made, *, required: bool = True) -> Any:
        ask = await self._desk.begin(order.request, me)
        row = await self._item(order.conversation_id)
        if not await self._desk.repeated(ask) and (required or order.if_match is not None):
            check_if_match(order.if_match, placement(row.item))
        anything = order.if_match is None or order.if_match.strip() == "*"
        command = made(ask.command_id, "" if anything else placement(row.item))
        result = await self._desk.ask(ask, command)
        if result is not None and result.ok:
            row = await self._item(str(result.body["conversation_id"]))
            order.response.headers["ETag"] = etag_of(placement(row.item))
        return answered(ask.command_id, result, assignment)

    async def _item(self, conversation_id: str) -> ItemRow:
        async with self._database.read() as connection:
            row = await queries.item(connection, conversation_id)
        if row is None:
            raise NotFound("Routing has not seen this conversation.")
        return row
