"""Routes of a customer's own thread: what was said, and what is said next."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from libs.storage import Database, fetch_all, fetch_one
from libs.web import (
    NotFound,
    Page,
    PageParams,
    SseEvent,
    Tokens,
    last_event_id,
    make_page,
    sse_response,
)
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.tables import ENTRIES, THREADS
from services.ingest.api.callers import SECURITY, check_reader
from services.ingest.api.schemas import ConversationOut, EntryOut, TicketOut, shown_time
from services.ingest.domain.model import Entry, Thread

_POLL_S: Final = 2.0
_AT_ONCE: Final = 100
_KIND: Final = "thread"
_ENTRIES: Final = (
    f"SELECT {ENTRIES.columns} FROM ingest.thread_entries"
    " WHERE conversation_id = $1 AND entry_seq > $2 ORDER BY entry_seq LIMIT $3"
)
_THREAD: Final = f"SELECT {THREADS.columns} FROM ingest.threads WHERE conversation_id = $1"


def threads_router(database: Database, tokens: Tokens, signals: Signals) -> APIRouter:
    """GET a conversation, its entries, and their stream."""
    router = APIRouter(prefix="/v1/conversations", tags=["threads"])

    async def read(conversation_id: str, after: int, limit: int) -> list[Entry]:
        async with database.read() as connection:
            rows = await fetch_all(connection, _ENTRIES, conversation_id, after, limit)
        return [ENTRIES.value_of(row) for row in rows]

    async def find(conversation_id: str) -> Thread:
        async with database.read() as connection:
            row = await fetch_one(connection, _THREAD, conversation_id)
        if row is None:
            raise NotFound("There is no such conversation.", slug="unknown-conversation")
        return THREADS.value_of(row)

    async def stream(conversation_id: str, after: int) -> AsyncIterator[SseEvent]:
        with signals.watch_thread(conversation_id) as bell:
            while True:
                entries = await read(conversation_id, after, _AT_ONCE)
                for entry in entries:
                    yield SseEvent(_entry(entry), entry.kind, entry.entry_seq)
                    after = entry.entry_seq
                if len(entries) < _AT_ONCE:
                    await bell.wait(_POLL_S)

    @router.get(
        "/{conversation_id}", summary="The conversation as its customer sees it", openapi_extra=SECURITY
    )
    async def get_conversation(conversation_id: str, request: Request) -> ConversationOut:
        check_reader(request, tokens, conversation_id)
        return _conversation(await find(conversation_id))

    @router.get("/{conversation_id}/messages", summary="The thread, oldest first", openapi_extra=SECURITY)
    async def list_entries(
        conversation_id: str, request: Request, response: Response, page: PageParams
    ) -> Page[EntryOut]:
        check_reader(request, tokens, conversation_id)
        after = page.after(_KIND, int) or (0,)
        rows = await read(conversation_id, after[0], page.limit + 1)
        if not rows:
            await find(conversation_id)
        return make_page(
            request, response, page, rows, kind=_KIND, key=lambda entry: (entry.entry_seq,), show=_entry
        )

    @router.post(
        "/{conversation_id}/tickets",
        status_code=201,
        summary="A one-time key for the event stream, for browsers, which send no header there",
        openapi_extra=SECURITY,
    )
    async def post_ticket(conversation_id: str, request: Request) -> TicketOut:
        principal = check_reader(request, tokens, conversation_id)
        await find(conversation_id)
        return TicketOut(ticket=tokens.issue_ticket(principal))

    @router.get(
        "/{conversation_id}/events",
        summary="The thread as server-sent events, from its beginning or after Last-Event-ID",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
        openapi_extra=SECURITY,
    )
    async def stream_entries(
        conversation_id: str,
        request: Request,
        ticket: Annotated[
            str | None, Query(max_length=4096, description="From POST tickets, instead of a token")
        ] = None,
    ) -> Any:
        check_reader(request, tokens, conversation_id, ticket=ticket)
        after = last_event_id(request) or 0
        await find(conversation_id)
        return sse_response(request, stream(conversation_id, after))

    return router


def _entry(entry: Entry) -> EntryOut:
    return EntryOut(
        entry_seq=entry.entry_seq,
        kind=entry.kind,  # type: ignore[arg-type]  # an EntryKind, stored as text
        text=entry.text,
        full_text=entry.full_text,
        at=shown_time(entry.at_ms),
        ref_id=entry.ref_id,
        message_seq=entry.message_seq,
    )


def _conversation(thread: Thread) -> ConversationOut:
    return ConversationOut(
        conversation_id=thread.conversation_id,
        case_reference=thread.case_reference,
        channel=thread.channel,
        subject=thread.subject,
        status="resolved" if thread.resolved else "open",
        opened_at=shown_time(thread.opened_at_ms),
        resolved_at=shown_time(thread.resolved_at_ms) if thread.resolved else None,
        entry_seq=thread.entry_seq,
        continues_conversation_id=thread.continues_conversation_id or None,
        continued_as_conversation_id=thread.continued_as_conversation_id or None,
    )
