"""What people read: lists, the one response about a conversation, its timeline, trailing messages."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from libs.storage import Database
from libs.telemetry import get_logger
from libs.web import NotFound, Page, PageParams, PageQuery, Principal, etag_of, make_page, require_role
from services.agent.adapters import lists, queries
from services.agent.api import message_views, schemas, views
from services.agent.api.shapes import ConversationId
from services.agent.domain.reaching import Way
from services.agent.ports import Ways, WaysAway

_log = get_logger("agent")
Staff = Annotated[Principal, Depends(require_role("agent"))]
StatusName = Literal["new", "open", "pending_customer", "on_hold", "snoozed", "resolved"]
Cause = Literal["thanks", "automatic", "spam", "survey_answer"]
_Id = Annotated[str, Query(max_length=100)]

# The oldest entry has position 1; a page cursor is the position of the last entry shown.
_TIMELINE = "timeline"


def reading(database: Database, ways: Ways) -> APIRouter:
    """The routes that change nothing."""
    router = APIRouter(prefix="/v1")

    @router.get("/conversations", response_model=Page[schemas.Summary])
    async def list_conversations(
        request: Request,
        response: Response,
        _me: Staff,
        page: PageParams,
        status: Annotated[list[StatusName], Query(max_length=6, description="Any of these")] = [],  # noqa: B006
        team: _Id = "",
        agent: Annotated[str, Query(max_length=100, description="Who has it now")] = "",
        q: Annotated[str, Query(max_length=40, description="Case reference")] = "",
    ) -> Response:
        """Conversations, newest first."""
        wanted = lists.Wanted(tuple(status), team, agent, _references(q))
        after = page.after("conversations-newest", int, str)
        async with database.read() as connection:
            rows = await lists.listing(connection, wanted, after, page.limit + 1)
        shown = make_page(
            request,
            response,
            page,
            rows,
            kind="conversations-newest",
            key=lambda row: (row.created_at_ms, row.conversation_id),
            show=views.summary,
        )
        return _answer(shown, response)

    @router.get("/conversations/{conversation_id}", response_model=schemas.Detail)
    async def get_conversation(
        conversation_id: ConversationId,
        request: Request,
        _me: Staff,
        limit: Annotated[int, Query(ge=1, le=200, description="How many messages at most")] = 50,
    ) -> Response:
        """Everything about a conversation. Send its ETag as If-Match with what you do next."""
        asked = asyncio.ensure_future(_ways(ways, conversation_id))
        try:
            async with database.read() as connection:
                whole = await queries.whole(connection, conversation_id)
                if whole is None:
                    raise _unknown(conversation_id)
                shown = await queries.messages(connection, conversation_id, None, limit + 1)
        except BaseException:
            asked.cancel()
            raise
        conversation = whole.placed.conversation
        entries = make_page(
            request,
            Response(),
            PageQuery(limit),
            shown,
            kind=_TIMELINE,
            key=lambda row: (row.entry.position,),
            show=lambda row: message_views.message(row, conversation),
        )
        body = views.detail(whole, entries, await asked).model_dump_json()
        return Response(
            body, headers={"ETag": etag_of(conversation.human_version)}, media_type="application/json"
        )

    @router.get("/conversations/{conversation_id}/messages", response_model=Page[schemas.Message])
    async def list_messages(
        conversation_id: ConversationId, request: Request, response: Response, _me: Staff, page: PageParams
    ) -> Response:
        """The timeline, newest first."""
        before = page.after(_TIMELINE, int)
        async with database.read() as connection:
            conversation = await queries.conversation(connection, conversation_id)
            if conversation is None:
                raise _unknown(conversation_id)
            rows = await queries.messages(
                connection, conversation_id, before[0] if before else None, page.limit + 1
            )
        shown = make_page(
            request,
            response,
            page,
            rows,
            kind=_TIMELINE,
            key=lambda row: (row.entry.position,),
            show=lambda row: message_views.message(row, conversation),
        )
        return _answer(shown, response)

    @router.get("/messages/trailing", response_model=Page[schemas.Trailing])
    async def list_trailing_messages(
        request: Request,
        response: Response,
        _me: Staff,
        page: PageParams,
        cause: Annotated[Cause | None, Query(description="Only these")] = None,
    ) -> Response:
        """Messages that opened no episode and belong to none, with the cause, newest first: for review."""
        after = page.after("trailing-newest", int, str)
        async with database.read() as connection:
            rows = await lists.trailing(connection, cause or "", after, page.limit + 1)
        shown = make_page(
            request,
            response,
            page,
            rows,
            kind="trailing-newest",
            key=lambda row: (row.received_at_ms, row.message_id),
            show=views.trailing,
        )
        return _answer(shown, response)

    return router


async def _ways(ways: Ways, conversation_id: str) -> Sequence[Way] | None:
    """None while ingest cannot be asked: the rest of the response must not wait for it."""
    try:
        return await ways.of(conversation_id)
    except WaysAway as error:
        _log.warning("ways_not_known", conversation=conversation_id, reason=str(error))
        return None


def _answer(body: BaseModel, response: Response) -> Response:
    """The body as it is: checking it against its own schema again would double the time of a list."""
    return Response(body.model_dump_json(), headers=dict(response.headers), media_type="application/json")


def _unknown(conversation_id: str) -> NotFound:
    return NotFound(f"There is no conversation {conversation_id}.")


def _references(query: str) -> tuple[str, ...]:
    """A case reference as people type it: any case, with or without the hyphen."""
    given = query.strip().upper()
    if not given:
        return ()
    bare = given.replace("-", "").replace(" ", "")
    return tuple({given, bare, f"{bare[:3]}-{bare[3:]}"})
