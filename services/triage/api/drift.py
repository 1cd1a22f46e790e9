"""Drift over HTTP: how things are against the days before, and the alarms."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from libs.storage import Database
from libs.web import NotFound, Page, PageParams, Principal, make_page, require_role
from services.triage.adapters import drift_alarms
from services.triage.adapters.drift_alarms import Alarm
from services.triage.adapters.mix import DAY_MS
from services.triage.api import drift_schemas as schemas
from services.triage.domain.drift import Limits

Reader = Annotated[Principal, Depends(require_role("supervisor", "service"))]
Supervisor = Annotated[Principal, Depends(require_role("supervisor"))]
_KIND: Final = "drift-alarms-newest"
_MOVES: Final = 8


def drift_router(database: Database, limits: Limits) -> APIRouter:
    """The routes over these parts."""
    routes = APIRouter(prefix="/v1/drift", tags=["drift"])

    @routes.get("", summary="Topic mix, confidence and languages of 24 hours against the days before")
    async def get_drift(_me: Reader) -> schemas.DriftOut:
        """Counted every few minutes: the newest conversations may be missing."""
        async with database.read() as connection:
            seen = await drift_alarms.look(connection, database.schema, database.clock.now_ms(), limits)
        return schemas.DriftOut(
            as_of=seen.at_ms,
            window_from=seen.end_ms - DAY_MS,
            signals=[
                schemas.SignalDrift(
                    signal=signal,
                    state=verdict.state,
                    index=round(verdict.distance.above_chance, 4),
                    needed=round(verdict.needed(limits), 4),
                    p_value=verdict.distance.p_value,
                    days=verdict.days,
                    conversations_before=verdict.before,
                    conversations_now=verdict.now,
                    moves=[
                        schemas.MoveOut(
                            value=move.value,
                            before=round(move.before, 4),
                            now=round(move.now, 4),
                            part=round(move.part, 4),
                        )
                        for move in verdict.distance.moves[:_MOVES]
                    ],
                    alarm_id=seen.open[signal].alarm_id if signal in seen.open else None,
                )
                for signal, verdict in seen.verdicts.items()
            ],
        )

    @routes.get("/alarms", summary="Alarms about drift with their evidence, newest first")
    async def list_alarms(
        request: Request, response: Response, _me: Reader, page: PageParams
    ) -> Page[schemas.AlarmOut]:
        after = page.after(_KIND, int, str)
        rows = await drift_alarms.alarms(database, (after[0], after[1]) if after else None, page.limit + 1)
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_KIND,
            key=lambda row: (row.opened_at_ms, row.alarm_id),
            show=_shown,
        )

    @routes.post("/alarms/{alarm_id}/accept", summary="This is how it is from now on")
    async def accept_alarm(
        alarm_id: Annotated[str, Path(min_length=1, max_length=100)], me: Supervisor
    ) -> schemas.AlarmOut:
        """Closes the alarm; what came before it is no longer compared with. Accepted again, nothing changes."""
        found = await drift_alarms.accept(database, alarm_id, me.subject)
        if found is None:
            raise NotFound("There is no such alarm.")
        return _shown(found)

    return routes


def _shown(alarm: Alarm) -> schemas.AlarmOut:
    return schemas.AlarmOut(
        alarm_id=alarm.alarm_id,
        signal=alarm.signal,
        opened_at=alarm.opened_at_ms,
        seen_at=alarm.seen_at_ms,
        closed_at=alarm.closed_at_ms or None,
        accepted_by=alarm.accepted_by,
        **alarm.evidence,
    )
