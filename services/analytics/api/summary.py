"""The summary: what a period was like, by team, topic, channel or language."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from libs.storage import Database
from libs.web import Principal, Unprocessable, require_role
from services.analytics.adapters.figures import TOTAL, read_figures
from services.analytics.adapters.records import rfc3339
from services.analytics.api.figures import Summary, group_of
from services.analytics.settings import DAY_MS, AnalyticsSettings

_LONGEST_DAYS: Final = 400
_END_OF_TIME_MS: Final = 253_402_300_800_000


def router(database: Database, settings: AnalyticsSettings) -> APIRouter:
    """Route of the summary."""
    routes = APIRouter(prefix="/v1/summary", tags=["summary"])

    @routes.get("", summary="Volume, times, satisfaction, promises and reopens of a period")
    async def summary(
        _me: Annotated[Principal, Depends(require_role("service", "supervisor"))],
        by: Annotated[Literal["team", "topic", "channel", "language"], Query()] = "team",
        from_: Annotated[
            AwareDatetime | None, Query(alias="from", description="Default: 7 days before `to`")
        ] = None,
        to: Annotated[
            AwareDatetime | None, Query(description="Not in the period any more; default: now")
        ] = None,
        min_n: Annotated[
            int | None, Query(ge=1, le=1000, description="Show satisfaction from so many answers on")
        ] = None,
    ) -> Summary:
        now_ms = database.clock.now_ms()
        to_ms = _ms(to) if to is not None else now_ms + 1
        from_ms = _ms(from_) if from_ is not None else to_ms - 7 * DAY_MS
        if not 0 < to_ms - from_ms <= _LONGEST_DAYS * DAY_MS or from_ms <= 0 or to_ms >= _END_OF_TIME_MS:
            raise Unprocessable(
                f"from must lie before to, at most {_LONGEST_DAYS} days, both from 1970 to 9999.",
                slug="bad-period",
            )
        async with database.snapshot() as connection:
            figures = await read_figures(connection, database.schema, by, from_ms, to_ms, settings.exact_rows)
        least = min_n or settings.smallest_n
        immature = to_ms > now_ms - settings.reopen_window_ms
        return Summary(
            by=by,
            period_from=rfc3339(from_ms) or "",
            period_to=rfc3339(to_ms) or "",
            as_of=rfc3339(now_ms) or "",
            min_n=least,
            reopen_window_days=settings.reopen_window_days,
            groups=[group_of(figures, key, least, immature) for key in figures.keys],
            total=group_of(figures, TOTAL, least, immature),
        )

    return routes


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
