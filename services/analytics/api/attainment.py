"""Attainment by due date: how many promises were kept, by team, queue, class or clock, and which ones."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from libs.storage import Database, fetch_all
from libs.web import Page, PageParams, Principal, Unprocessable, make_page, require_role
from services.analytics.adapters.attainment import Wanted, behind, by_group
from services.analytics.adapters.records import rfc3339
from services.analytics.domain.intervals import share
from services.analytics.settings import DAY_MS

_LONGEST_DAYS: Final = 400
_END_OF_TIME_MS: Final = 253_402_300_800_000
_GROUPS: Final = "attainment-groups"
_PROMISES: Final = "attainment-promises"
Metric = Literal["first_response", "next_response", "update", "resolution", "agent_work", "total_resolution"]
Class = Literal["low", "normal", "high"]
_Manager = Annotated[Principal, Depends(require_role("service", "supervisor"))]


class Attainment(BaseModel):
    """Met of met and breached, over the promises due in the period, with the 95 % Wilson interval."""

    key: str
    name: str
    n: int = Field(description="Due in the period: met and breached")
    met: int
    breached: int
    overdue: int = Field(description="Of the breached: still open, past their due instant")
    rate: float | None
    low: float | None
    high: float | None
    cohort: str = "due in the period; open ones past due are breached"


class DuePromise(BaseModel):
    """One instance of a clock."""

    conversation_id: str
    episode: int
    metric: str
    instance: int
    team_id: str
    queue_id: str
    urgency: str
    due_at: str | None
    state: Literal["met", "breached", "overdue"]


def _wanted(database: Database) -> Any:
    async def wanted(
        metric: Annotated[Metric | None, Query()] = None,
        team: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
        queue: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
        class_: Annotated[Class | None, Query(alias="class", description="Urgency")] = None,
        from_: Annotated[
            AwareDatetime | None, Query(alias="from", description="Default: 7 days before `to`")
        ] = None,
        to: Annotated[
            AwareDatetime | None, Query(description="Not in the period any more; default: now")
        ] = None,
    ) -> Wanted:
        now_ms = database.clock.now_ms()
        to_ms = _ms(to) if to is not None else now_ms + 1
        from_ms = _ms(from_) if from_ is not None else to_ms - 7 * DAY_MS
        if not 0 < to_ms - from_ms <= _LONGEST_DAYS * DAY_MS or from_ms <= 0 or to_ms >= _END_OF_TIME_MS:
            raise Unprocessable(
                f"from must lie before to, at most {_LONGEST_DAYS} days, both from 1970 to 9999.",
                slug="bad-period",
            )
        named = {"metric": metric, "team": team, "queue": queue, "class": class_}
        return Wanted(from_ms, to_ms, now_ms, {k: v for k, v in named.items() if v is not None})

    return Depends(wanted)


def router(database: Database) -> APIRouter:
    """Routes of attainment."""
    routes = APIRouter(prefix="/v1/attainment", tags=["attainment"])
    which = _wanted(database)

    @routes.get("", summary="Promises kept, of those due in a period")
    async def attainment(
        request: Request,
        response: Response,
        _me: _Manager,
        page: PageParams,
        by: Annotated[Literal["team", "queue", "class", "metric"], Query()] = "team",
        wanted: Wanted = which,
    ) -> Page[Attainment]:
        after = page.after(_GROUPS, str)
        async with database.snapshot() as connection:
            rows = await by_group(
                connection, database.schema, by, wanted, after[0] if after else None, page.limit + 1
            )
            labels = await fetch_all(
                connection, f"SELECT id, name FROM {database.schema}.labels WHERE kind = $1", by
            )
        names = {row[0]: row[1] for row in labels}
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_GROUPS,
            key=lambda row: (row[0],),
            show=lambda row: _group(row, names),
        )

    @routes.get("/promises", summary="The promises behind the figures, the first due first")
    async def promises(
        request: Request, response: Response, _me: _Manager, page: PageParams, wanted: Wanted = which
    ) -> Page[DuePromise]:
        after = page.after(_PROMISES, int, str, str, int)
        async with database.read() as connection:
            rows = await behind(connection, database.schema, wanted, after, page.limit + 1)
        return make_page(
            request, response, page, rows, kind=_PROMISES, key=lambda row: row[:4], show=_promise
        )

    return routes


def _group(row: tuple[str, int, int, int], names: dict[str, str]) -> Attainment:
    key, met, breached, overdue = row
    known = share(met, met + breached)
    return Attainment(
        key=key,
        name=names.get(key, key),
        n=met + breached,
        met=met,
        breached=breached,
        overdue=overdue,
        rate=known.rate,
        low=known.low,
        high=known.high,
    )


def _promise(row: tuple[Any, ...]) -> DuePromise:
    due_ms, conversation_id, metric, instance, episode, team_id, queue_id, urgency, state = row
    return DuePromise(
        conversation_id=conversation_id,
        episode=episode,
        metric=metric,
        instance=instance,
        team_id=team_id,
        queue_id=queue_id,
        urgency=urgency,
        due_at=rfc3339(due_ms),
        state="overdue" if state == "running" else state,
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
