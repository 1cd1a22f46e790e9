"""Offers, assignments, conversations: what agents take, give back and hand over, and why it came to them."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import model_validator

from libs.storage import Database
from libs.web import NotFound, Page, PageParams, etag_of, make_page
from services.routing.adapters import queries
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.api import schemas, screens, views
from services.routing.api.answering import RESPONSES, answered, assignment
from services.routing.api.shapes import Agent, Body, Id, PathId, Reader, Text
from services.routing.domain.commands import AcceptOffer, DeclineOffer, Release, Transfer
from services.routing.domain.versions import placement
from services.routing.operations import Desk

_DECISIONS = "decisions-newest"


class Why(Body):
    """A reason in the agent's words; may be left out."""

    reason: Text = ""


class Target(Body):
    """Exactly one of the three."""

    queue_id: Id | None = None
    team_id: Id | None = None
    agent_id: Id | None = None
    reason: Text = ""

    @model_validator(mode="after")
    def _one_target(self) -> "Target":
        if sum(t is not None for t in (self.queue_id, self.team_id, self.agent_id)) != 1:
            raise ValueError("name exactly one of queue_id, team_id and agent_id")
        return self


def work(database: Database, desk: Desk, directories: KnownDirectories) -> APIRouter:
    """The routes of agents at work. Commands answer with the new state."""
    router = APIRouter(prefix="/v1")

    @router.get("/offers", response_model=list[schemas.Offer])
    async def list_offers(me: Agent) -> list[schemas.Offer]:
        """The caller's open offers, oldest first."""
        async with database.read() as connection:
            return await screens.open_offers(connection, directories, me.subject)

    @router.post("/offers/{offer_id}/accept", response_model=schemas.Assignment, responses=RESPONSES)
    async def accept_offer(offer_id: PathId, request: Request, response: Response, me: Agent) -> Any:
        """Takes the conversation. 409 `offer-gone` says what happened to the offer."""
        ask = await desk.begin(request, me)
        command = AcceptOffer(command_id=ask.command_id, offer_id=offer_id, agent_id=me.subject)
        return answered(ask.command_id, await desk.ask(ask, command), assignment)

    @router.post("/offers/{offer_id}/decline", response_model=schemas.Declined, responses=RESPONSES)
    async def decline_offer(
        offer_id: PathId, request: Request, response: Response, me: Agent, body: Why | None = None
    ) -> Any:
        """Refuses the offer; the conversation goes on to somebody else with its age."""
        reason = body.reason if body else ""
        ask = await desk.begin(request, me)
        command = DeclineOffer(
            command_id=ask.command_id, offer_id=offer_id, agent_id=me.subject, reason=reason
        )
        result = await desk.ask(ask, command)
        return answered(ask.command_id, result, lambda r: schemas.Declined.model_validate(dict(r.body)))

    @router.get("/assignments", response_model=list[schemas.InHand])
    async def list_assignments(me: Agent) -> list[schemas.InHand]:
        """The caller's conversations, the most urgent first."""
        async with database.read() as connection:
            return await screens.assignments(connection, directories, me.subject)

    @router.get("/conversations/{conversation_id}", response_model=schemas.Conversation)
    async def get_conversation(
        conversation_id: PathId, response: Response, _me: Reader
    ) -> schemas.Conversation:
        """Where the conversation is, and its clocks. The ETag is what an order about it has to name."""
        async with database.read() as connection:
            row = await queries.item(connection, conversation_id)
            if row is None:
                raise NotFound("Routing has not seen this conversation.")
            known = await directories.of(connection, row.pool_id)
        response.headers["ETag"] = etag_of(placement(row.item))
        return views.conversation(row, known)

    @router.get("/conversations/{conversation_id}/decisions", response_model=Page[schemas.Decision])
    async def list_decisions(
        conversation_id: PathId, request: Request, response: Response, _me: Reader, page: PageParams
    ) -> Page[schemas.Decision]:
        """Why the conversation is where it is: every decision about it, newest first."""
        after = page.after(_DECISIONS, int, int)
        async with database.read() as connection:
            rows = await queries.decisions(
                connection, conversation_id, (after[0], after[1]) if after else None, page.limit + 1
            )
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_DECISIONS,
            key=lambda row: (row.at_ms, row.sequence),
            show=views.decision,
        )

    @router.post(
        "/conversations/{conversation_id}/release",
        response_model=schemas.Assignment,
        responses=RESPONSES,
    )
    async def release_conversation(
        conversation_id: PathId, request: Request, response: Response, me: Agent, body: Why | None = None
    ) -> Any:
        """Gives the conversation back to its queue. Its holder may, and a supervisor."""
        reason = body.reason if body else ""
        ask = await desk.begin(request, me)
        command = Release(
            command_id=ask.command_id,
            conversation_id=conversation_id,
            agent_id="" if me.may_act_as("supervisor") else me.subject,
            by=me.subject,
            reason=reason,
        )
        return answered(ask.command_id, await desk.ask(ask, command), assignment)

    @router.post(
        "/conversations/{conversation_id}/transfer",
        response_model=schemas.Assignment,
        responses=RESPONSES,
    )
    async def transfer_conversation(
        conversation_id: PathId, body: Target, request: Request, response: Response, me: Agent
    ) -> Any:
        """Hands the conversation to a queue, a team, or by an offer to an agent; the age goes with it."""
        ask = await desk.begin(request, me)
        command = Transfer(
            command_id=ask.command_id,
            conversation_id=conversation_id,
            agent_id="" if me.may_act_as("supervisor") else me.subject,
            to_queue=body.queue_id or "",
            to_team=body.team_id or "",
            to_agent=body.agent_id or "",
            by=me.subject,
            reason=body.reason,
        )
        return answered(ask.command_id, await desk.ask(ask, command), assignment)

    return router
