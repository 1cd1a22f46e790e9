"""The outcome feed: every revision of every episode in the order of publication, by long poll."""

import re
import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.storage import Database, fetch_all
from libs.web import Broadcast, NotFound, Principal, decode_cursor, encode_cursor, require_role
from services.analytics.adapters.values import FEED
from services.analytics.api.schemas import OutcomePage, OutcomeRecord, Revisions

READERS: Final = require_role("service", "supervisor")
_CURSOR: Final = "outcomes"
_POLL_SECONDS: Final = 1.0
_EPISODE_ID: Final = re.compile(r"(?P<conversation>.{1,200}):(?P<episode>[0-9]{1,9})")


def router(database: Database, bell: Broadcast) -> APIRouter:
    """Routes of the feed."""
    routes = APIRouter(prefix="/v1/outcomes", tags=["outcomes"])
    feed = f"{database.schema}.outcome_feed"

    @routes.get(
        "",
        summary="Revisions after a cursor, at once or as soon as there is one",
        response_model=OutcomePage,
    )
    async def outcome_feed(
        request: Request,
        _me: Annotated[Principal, Depends(READERS)],
        after: Annotated[
            str | None,
            Query(
                max_length=200,
                description="`next_cursor` of the answer before; none or empty = from the start",
            ),
        ] = None,
        wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for a first one")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000, description="How many at most")] = 100,
    ) -> Response:
        position: int = decode_cursor(after, _CURSOR, int)[0] if after else 0
        until = time.monotonic() + wait
        with bell.listen(FEED) as ring:
            while True:
                rows = await _after(position, limit)
                left = until - time.monotonic()
                if rows or left <= 0 or request.app.state.stopping.is_set():
                    break
                await ring.wait(min(left, _POLL_SECONDS))
        newest = rows[-1][0] if rows else position
        items = ",".join(record for _, record in rows)
        cursor = encode_cursor(_CURSOR, newest)
        return _json(f'{{"items":[{items}],"next_cursor":"{cursor}"}}')

    async def _after(position: int, limit: int) -> Sequence[tuple[Any, ...]]:
        async with database.read() as connection:
            return await fetch_all(
                connection,
                f"SELECT position, record::text FROM {feed} WHERE position > $1 ORDER BY position LIMIT $2",
                position,
                limit,
            )

    async def _revisions(episode_id: str, newest_only: bool) -> list[str]:
        parts = _EPISODE_ID.fullmatch(episode_id)
        if parts is not None and int(parts["episode"]) < 2**31:
            async with database.read() as connection:
                rows = await fetch_all(
                    connection,
                    f"SELECT record::text FROM {feed} WHERE conversation_id = $1 AND episode = $2"
                    f" ORDER BY revision {'DESC LIMIT 1' if newest_only else ''}",
                    parts["conversation"],
                    int(parts["episode"]),
                )
            if rows:
                return [record for (record,) in rows]
        raise NotFound(
            f"No outcome of an episode {episode_id[:200]}; there is one once it has been resolved."
        )

    @routes.get("/{episode_id}", summary="The newest revision of an episode", response_model=OutcomeRecord)
    async def newest_outcome(episode_id: str, _me: Annotated[Principal, Depends(READERS)]) -> Response:
        return _json((await _revisions(episode_id, True))[0])

    @routes.get(
        "/{episode_id}/revisions",
        summary="The revisions of an episode that are still kept, oldest first",
        response_model=Revisions,
    )
    async def outcome_revisions(episode_id: str, _me: Annotated[Principal, Depends(READERS)]) -> Response:
        return _json(f'{{"items":[{",".join(await _revisions(episode_id, False))}]}}')

    return routes


def _json(body: str) -> Response:
    return Response(body.encode(), media_type="application/json")
