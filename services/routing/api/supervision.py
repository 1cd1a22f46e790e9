"""What supervisors stop, and the audit of all orders: drain an agent or the pool, close a queue."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from libs.storage import Database
from libs.web import Page, PageParams, Principal, make_page
from services.routing.adapters import overview
from services.routing.adapters.rows import AuditRow
from services.routing.api import schemas
from services.routing.api.answering import RESPONSES, answered
from services.routing.api.shapes import Body, PathId, PoolId, Supervisor, Text, instant, shown
from services.routing.domain.orders import CloseQueue, Drain
from services.routing.operations import Desk
from services.routing.settings import RoutingSettings

_AUDIT = "audit-newest"


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
    """The routes that stop agents, the pool and queues, and the audit."""
    router = APIRouter(prefix="/v1")

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
        return await drain("", body, request, me, pool_id)

    async def drain(
        agent_id: str, body: Draining, request: Request, me: Principal, pool: str | None = None
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
