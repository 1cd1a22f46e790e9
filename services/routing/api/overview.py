"""What a supervisor sees: queues, what waits in them, people at work, what is at risk; asked for, or followed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.runtime import Clock
from libs.storage import Database
from libs.web import (
    NotFound,
    Page,
    PageParams,
    Principal,
    SseEvent,
    make_page,
    require_role,
    sse_response,
)
from services.routing import waits
from services.routing.adapters import overview as rows
from services.routing.adapters import queries
from services.routing.adapters.known_directories import KnownDirectories
from services.routing.api import schemas, views
from services.routing.api.shapes import PathId, PoolId, Reader, Supervisor, instant
from services.routing.domain.expected_wait import expectation
from services.routing.domain.model import PRESENCES, Notice
from services.routing.settings import RoutingSettings

Watching = Annotated[Principal, Depends(require_role("supervisor", ticket=True))]
SOON_MS = 15 * 60_000
"""Due within so long counts as at risk."""
_LOOK_SECONDS = 1.0
_WAITING, _RISK, _ROSTER, _NOTICES = "queue-order", "due-first", "roster-by-id", "notices-oldest"


def overview(
    database: Database, clock: Clock, directories: KnownDirectories, settings: RoutingSettings
) -> APIRouter:
    """The routes that supervisors' screens read."""
    router = APIRouter(prefix="/v1")

    @router.get("/queues", response_model=list[schemas.QueueCount])
    async def list_queues(_me: Reader, pool: PoolId = None) -> list[schemas.QueueCount]:
        """How each queue stands: who waits and since when, what is late or soon due, who is there to serve it, and
        whether it is closed or cannot be served by anybody."""
        return (await _look(database, clock, directories, pool or settings.pool)).queues

    @router.get("/queues/{queue_id}/conversations", response_model=Page[schemas.Waiting])
    async def list_waiting(
        queue_id: PathId, request: Request, response: Response, _me: Reader, page: PageParams
    ) -> Page[schemas.Waiting]:
        """What waits in a queue or is offered out of it, in the order in which it is served."""
        async with database.read() as connection:
            known = await directories.about(connection, queue_id=queue_id)
        if queue_id not in known.queue_by_id:
            raise NotFound("The directory has no such queue.", slug="unknown-queue")
        after = page.after(_WAITING, int, int, str)
        place = (after[0], after[1], after[2]) if after else None
        async with database.read() as connection:
            found = await rows.in_order(connection, queue_id, place, page.limit + 1)
        return make_page(
            request,
            response,
            page,
            found,
            kind=_WAITING,
            key=lambda row: row.item.order,
            show=lambda row: views.waiting(row, known),
        )

    @router.get("/conversations/{conversation_id}/wait", response_model=schemas.Wait)
    async def get_wait(conversation_id: PathId, _me: Reader) -> schemas.Wait:
        """The place in the queue and how long it may take, as a customer is told it. 404 when it does not wait."""
        now_ms = clock.now_ms()
        async with database.read() as connection:
            place = await waits.place_of(connection, conversation_id)
            row = await queries.item(connection, conversation_id)
            served = await waits.rates(connection, row.pool_id if row else settings.pool, now_ms)
        if row is None or not place:
            raise NotFound("The conversation does not wait.")
        queue_id = row.item.queue_id
        seen = expectation(place, served.get(queue_id, 0), waits.WINDOW_MS)
        return schemas.Wait(
            conversation_id=conversation_id,
            queue_id=queue_id,
            position=place,
            expected_ms=seen.expected_ms if seen else None,
            low_ms=seen.low_ms if seen else None,
            high_ms=seen.high_ms if seen else None,
            as_of=instant(now_ms),
        )

    @router.get("/at-risk", response_model=Page[schemas.Conversation])
    async def list_at_risk(
        request: Request,
        response: Response,
        _me: Reader,
        page: PageParams,
        within_seconds: Annotated[int, Query(ge=0, le=30 * 86_400)] = SOON_MS // 1000,
        pool: PoolId = None,
    ) -> Page[schemas.Conversation]:
        """Conversations with a promise that is broken or will be within so long, the most urgent first."""
        after = page.after(_RISK, int, str)
        until_ms = clock.now_ms() + within_seconds * 1000
        place = (after[0], after[1]) if after else None
        async with database.read() as connection:
            found = await rows.at_risk(connection, pool or settings.pool, until_ms, place, page.limit + 1)
            known = await directories.of(connection, pool or settings.pool)
        return make_page(
            request,
            response,
            page,
            found,
            kind=_RISK,
            key=lambda row: (row.item.due_ms, row.item.conversation_id),
            show=lambda row: views.conversation(row, known),
        )

    @router.get("/roster", response_model=Page[schemas.AtWork])
    async def list_roster(
        request: Request,
        response: Response,
        _me: Supervisor,
        page: PageParams,
        presence: Literal["", "online", "no_new", "away", "offline"] = "",
        pool: PoolId = None,
    ) -> Page[schemas.AtWork]:
        """The people by id: their presence and since when, what they have by channel, whether they are drained."""
        after = page.after(_ROSTER, str)
        async with database.read() as connection:
            people = await rows.roster(
                connection, pool or settings.pool, presence, after[0] if after else "", page.limit + 1
            )
            loads = await rows.loads(connection, [p.state.agent_id for p in people])
            standing = await rows.notices(connection, pool or settings.pool)
        drained = {n.about for n in standing if n.kind == "agent"}
        everybody = any(n.kind == "pool" for n in standing)
        return make_page(
            request,
            response,
            page,
            people,
            kind=_ROSTER,
            key=lambda row: (row.state.agent_id,),
            show=lambda row: views.at_work(
                row, loads[row.state.agent_id], everybody or row.state.agent_id in drained
            ),
        )

    @router.get("/notices", response_model=Page[schemas.Notice])
    async def list_notices(
        request: Request,
        response: Response,
        _me: Supervisor,
        page: PageParams,
        kind: Literal["", "agent", "pool", "queue", "unserved"] = "",
        pool: PoolId = None,
    ) -> Page[schemas.Notice]:
        """What stands over the pool, oldest first: drained, closed, and as `unserved` the alarm that somebody waits in
        a queue that nobody could serve."""
        after = page.after(_NOTICES, int, str, str)
        async with database.read() as connection:
            standing = await rows.notices(connection, pool or settings.pool)
        found = [
            n
            for n in standing
            if kind in ("", n.kind) and (after is None or (n.since_ms, n.kind, n.about) > tuple(after))
        ]
        return make_page(
            request,
            response,
            page,
            found[: page.limit + 1],
            kind=_NOTICES,
            key=lambda n: (n.since_ms, n.kind, n.about),
            show=_noticed,
        )

    @router.get(
        "/overview/stream",
        response_model=None,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def follow_overview(request: Request, _me: Watching, pool: PoolId = None) -> Response:
        """Server-sent events: `overview` at once and whenever something in it changes, each time whole, looked at
        once a second. So a stream that was cut has nothing to make up for."""
        pool_id = pool or settings.pool
        return sse_response(request, _follow(database, clock, directories, pool_id), retry_ms=1000)

    return router


async def _follow(
    database: Database, clock: Clock, directories: KnownDirectories, pool_id: str
) -> AsyncIterator[SseEvent]:
    told: dict[str, Any] = {}
    number = 0
    while True:
        seen = await _look(database, clock, directories, pool_id)
        facts = seen.model_dump(exclude={"as_of"})
        if facts != told:
            told, number = facts, number + 1
            yield SseEvent(seen.model_dump(), "overview", number)
        # No bell: every step of the engine would have to ring it, and a screen of totals needs no more.
        await asyncio.sleep(_LOOK_SECONDS)


async def _look(
    database: Database, clock: Clock, directories: KnownDirectories, pool_id: str
) -> schemas.Overview:
    now_ms = clock.now_ms()
    async with database.read() as connection:
        known = await directories.of(connection, pool_id)
        counts = await queries.queue_counts(connection, pool_id)
        people = await rows.presences(connection, pool_id)
        risks = await rows.risks(connection, pool_id, now_ms, now_ms + SOON_MS)
        standing = await rows.notices(connection, pool_id)
    by_state = {(queue_id, state): (number, oldest) for queue_id, state, number, oldest in counts}
    present = {(team, presence): number for team, presence, number in people}
    late = {queue_id: (breached, soon) for queue_id, breached, soon in risks}
    over = {n.notice_id: n for n in standing}
    queues = [
        schemas.QueueCount(
            queue_id=q.queue_id,
            team_id=q.team_id,
            name=q.name,
            **{
                s: by_state.get((q.queue_id, s), (0, 0))[0]
                for s in ("waiting", "offered", "assigned", "parked", "with_bot")
            },
            oldest_eligible_at=instant(by_state.get((q.queue_id, "waiting"), (0, 0))[1]),
            online_agents=present.get((q.team_id, "online"), 0),
            agents={p: present.get((q.team_id, p), 0) for p in PRESENCES},
            breached=late.get(q.queue_id, (0, 0))[0],
            due_soon=late.get(q.queue_id, (0, 0))[1],
            closed=_notice(over.get(("queue", q.queue_id))),
            unserved=_notice(over.get(("unserved", q.queue_id))),
        )
        for q in known.queues
    ]
    return schemas.Overview(as_of=instant(now_ms), queues=queues, notices=[_noticed(n) for n in standing])


def _notice(notice: Notice | None) -> schemas.Notice | None:
    return None if notice is None else _noticed(notice)


def _noticed(notice: Notice) -> schemas.Notice:
    return schemas.Notice(
        kind=notice.kind,
        about=notice.about,
        since_at=instant(notice.since_ms),
        by=notice.by or None,
        reason=notice.reason,
    )
