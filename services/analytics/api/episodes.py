"""Ended episodes, newest first: where a figure leads to."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.storage import Database, fetch_all
from libs.web import Page, PageParams, Principal, make_page, require_role
from services.analytics.adapters.records import rfc3339
from services.analytics.api.schemas import EpisodeItem

_COLUMNS: Final = (
    "conversation_id, episode, revision, final, team_id, topic, channel, language, opened_at_ms, resolved_at_ms, wait_ms,"
    " first_response_ms, resolution_ms, first_response_state, resolution_state, csat_score, reopened"
)
_KIND: Final = "episodes-by-resolution"


def router(database: Database) -> APIRouter:
    """Routes of the episode list."""
    routes = APIRouter(prefix="/v1/episodes", tags=["episodes"])

    @routes.get("", summary="Ended episodes, newest resolution first")
    async def list_episodes(
        request: Request,
        response: Response,
        _me: Annotated[Principal, Depends(require_role("service", "supervisor"))],
        page: PageParams,
        team: Annotated[str | None, Query(max_length=100)] = None,
        topic: Annotated[str | None, Query(max_length=100)] = None,
        channel: Annotated[str | None, Query(max_length=20)] = None,
        day: Annotated[date | None, Query(description="Day of the resolution, UTC")] = None,
    ) -> Page[EpisodeItem]:
        conditions, arguments = ["true"], list[Any]()
        for column, value in (("team_id", team), ("topic", topic), ("channel", channel)):
            if value is not None:
                arguments.append(value)
                conditions.append(f"{column} = ${len(arguments)}")
        if day is not None:
            arguments += _bounds(day)
            count = len(arguments)
            conditions.append(f"resolved_at_ms >= ${count - 1} AND resolved_at_ms < ${count}")
        last = page.after(_KIND, int, str, int)
        if last is not None:
            arguments += last
            count = len(arguments)
            conditions.append(
                f"(resolved_at_ms, conversation_id, episode) < (${count - 2}, ${count - 1}, ${count}::bigint)"
            )
        arguments.append(page.limit + 1)
        async with database.read() as connection:
            rows = await fetch_all(
                connection,
                f"SELECT {_COLUMNS} FROM {database.schema}.episodes WHERE {' AND '.join(conditions)}"
                f" ORDER BY resolved_at_ms DESC, conversation_id DESC, episode DESC LIMIT ${len(arguments)}",
                *arguments,
            )
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_KIND,
            key=lambda row: (row[9], row[0], row[1]),
            show=_show,
        )

    return routes


def _bounds(day: date) -> tuple[int, int]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end_ms = int(start.timestamp() * 1000) + int(timedelta(days=1).total_seconds() * 1000)
    return int(start.timestamp() * 1000), end_ms


def _show(row: tuple[Any, ...]) -> EpisodeItem:
    return EpisodeItem(
        episode_id=f"{row[0]}:{row[1]}",
        conversation_id=row[0],
        episode=row[1],
        revision=row[2],
        final=row[3],
        team_id=row[4],
        topic=row[5],
        channel=row[6],
        language=row[7],
        opened_at=rfc3339(row[8]),
        resolved_at=rfc3339(row[9]),
        wait_ms=row[10],
        first_response_ms=row[11],
        resolution_ms=row[12],
        first_response_clock=row[13],
        resolution_clock=row[14],
        csat_score=row[15] or None,
        reopened=row[16],
    )
