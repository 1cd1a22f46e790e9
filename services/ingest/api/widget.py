"""Routes of the chat widget: a session, what the visitor says and does, and the stream of their conversation."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from libs.telemetry import metrics
from libs.web import NotFound, Problem, SseEvent, Unprocessable, body_limit, last_event_id, sse_response
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.uploads import Uploads
from services.ingest.adapters.visitor_threads import ThreadState, VisitorThreads
from services.ingest.api.accepting import Accepting
from services.ingest.api.bodies import described, header, read_body
from services.ingest.api.schemas import shown_time
from services.ingest.api.widget_access import WidgetAccess
from services.ingest.api.widget_schemas import (
    ActivityOut,
    SessionIn,
    WidgetActivityIn,
    WidgetConversation,
    WidgetEntry,
    WidgetFile,
    WidgetMessage,
    WidgetMessageIn,
    WidgetSession,
)
from services.ingest.domain.files import Attachment
from services.ingest.domain.model import Entry
from services.ingest.domain.visitors import Visitor
from services.ingest.operations.signing_in import sign_in

PREFIX: Final = "/v1/widget/"
_MOST_BYTES: Final = 64 * 1024
_POLL_S: Final = 5.0
_AT_ONCE: Final = 100
_OPEN: Final[dict[str, Any]] = {"security": []}
_SESSION: Final = header("X-Widget-Session", "The session, as POST sessions gave it", 4096)
_PREFER: Final = header(
    "Prefer", "`wait=N`: answer once it has its conversation, after N seconds at most", 1000
)


def widget_router(
    access: WidgetAccess,
    accepting: Accepting,
    threads: VisitorThreads,
    signals: Signals,
    uploads: Uploads,
) -> APIRouter:
    """The routes, all under `/v1/widget/{channel}/{account}`; channel is chat, or web in form mode."""
    router = APIRouter(prefix="/v1/widget/{channel}/{account}", tags=["widget"])

    @router.options("/{what}", include_in_schema=False)
    async def preflight(channel: str, account: str, what: str, request: Request) -> Response:
        access.allow_origin(request, channel, account)
        return Response(status_code=204)

    @router.post(
        "/sessions",
        response_model=WidgetSession,
        summary="A session of a visitor, signed in on the site or not",
        openapi_extra={**_OPEN, **described(SessionIn, _SESSION)},
    )
    @body_limit(_MOST_BYTES)
    async def open_session(channel: str, account: str, request: Request) -> Response:
        access.allow_origin(request, channel, account)
        asked = await read_body(request, SessionIn)
        found = access.account(request, channel, account)
        token, visitor, ends_s = access.open_session(request, found, asked)
        before = access.going_on(request, found)
        if visitor.verified and before is not None:
            await sign_in(threads.database, before, visitor)
        state = await threads.newest(visitor)
        session = WidgetSession(
            session=token,
            visitor=visitor.identity.channel + ":" + visitor.id,
            verified=visitor.verified,
            name=visitor.name,
            expires_at=datetime.fromtimestamp(ends_s, UTC).isoformat().replace("+00:00", "Z"),
            brand=found.brand,
            conversation_id=state.conversation_id if state else None,
            most_file_bytes=uploads.most_bytes,
        )
        return _json(session)

    @router.post(
        "/messages",
        status_code=202,
        response_model=WidgetMessage,
        summary="A visitor's message; sent again with its id it is the same message",
        openapi_extra={**_OPEN, **described(WidgetMessageIn, _SESSION, _PREFER)},
    )
    @body_limit(_MOST_BYTES)
    async def post_widget_message(channel: str, account: str, request: Request) -> Response:
        access.allow_origin(request, channel, account)
        said = await read_body(request, WidgetMessageIn)
        found = access.account(request, channel, account)
        try:
            visitor = access.visitor(request, found)
            if not said.text.strip() and not said.files:
                raise Unprocessable(
                    "The text is empty.",
                    slug="empty-text",
                    extensions={"errors": [{"pointer": "#/text", "detail": "only white space"}]},
                )
            access.rates.check(visitor.scope, access.settings.visitor_messages_per_minute)
            files = await uploads.named(visitor, said.files)
            state = await accepting.from_visitor(visitor, said.id, said, accepting.wait_s(request), files)
        except Problem as problem:
            metrics.ingest_refused.labels(found.channel, problem.slug).inc()
            raise
        return _json(
            WidgetMessage(
                id=said.id,
                state=state.state,
                conversation_id=state.conversation_id,
                case_reference=state.case_reference,
            ),
            202,
        )

    @router.post(
        "/activity",
        response_model=ActivityOut,
        summary="The visitor types, or has read so far",
        openapi_extra={**_OPEN, **described(WidgetActivityIn, _SESSION)},
    )
    @body_limit(_MOST_BYTES)
    async def post_widget_activity(channel: str, account: str, request: Request) -> Response:
        access.allow_origin(request, channel, account)
        done = await read_body(request, WidgetActivityIn)
        visitor = access.visitor(request, access.account(request, channel, account))
        access.rates.check("activity/" + visitor.scope, access.settings.visitor_messages_per_minute * 4)
        state = await _theirs(threads, visitor)
        if done.typing:
            signals.acts(state.conversation_id, "customer", "typing")
        read = state.customer_entry_seq, state.agent_message_seq
        if done.read_entry_seq > state.customer_entry_seq:
            read = await threads.mark(state.conversation_id, customer_entry_seq=done.read_entry_seq) or read
            signals.acts(state.conversation_id, "customer", "read")
        return _json(ActivityOut(customer_read_entry_seq=read[0], agent_read_message_seq=read[1]))

    @router.get(
        "/events",
        summary="The visitor's conversation as server-sent events: conversation, entry, typing, read",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
        openapi_extra={**_OPEN, "parameters": [_SESSION]},
    )
    async def stream_widget(
        channel: str,
        account: str,
        request: Request,
        conversation: Annotated[
            str, Query(max_length=64, description="The conversation Last-Event-ID is of")
        ] = "",
    ) -> Any:
        access.allow_origin(request, channel, account)
        visitor = access.visitor(request, access.account(request, channel, account))
        after = last_event_id(request) or 0
        state = await _theirs(threads, visitor)
        going_on = after if state.conversation_id == conversation else 0
        stream = _stream(threads, signals, visitor, state, going_on, access.tokens.now)
        return sse_response(request, stream)

    return router


async def _theirs(threads: VisitorThreads, visitor: Visitor) -> ThreadState:
    state = await threads.newest(visitor)
    if state is None:
        raise NotFound("The visitor has not written yet.", slug="no-conversation")
    return state


async def _stream(
    threads: VisitorThreads,
    signals: Signals,
    visitor: Visitor,
    state: ThreadState,
    after: int,
    now_s: Callable[[], float],
) -> AsyncIterator[SseEvent]:
    """Entries after a number, then whatever comes. Ends with the session, and where the conversation goes on as another:
    the widget comes back and is given that one."""
    conversation_id = state.conversation_id
    with (
        signals.watch_acts(conversation_id, "agent", "typing", "read", thread=True) as bell,
        signals.watch_acts(conversation_id, "agent", "typing") as typing,
    ):
        yield SseEvent(
            WidgetConversation(
                conversation_id=conversation_id,
                case_reference=state.case_reference,
                agent_read_message_seq=state.agent_message_seq,
                customer_read_entry_seq=state.customer_entry_seq,
            ),
            "conversation",
        )
        known: ThreadState | None = state
        while known is not None and not known.continued_as and now_s() < visitor.ends_s:
            entries = await threads.entries(conversation_id, after, _AT_ONCE, visitor.scope)
            files = await threads.files(conversation_id, [entry.ref_id for entry, _ in entries])
            for entry, own_id in entries:
                shown = _entry(entry, own_id, files.get(entry.ref_id, ()))
                yield SseEvent(shown, "entry", entry.entry_seq)
                after = entry.entry_seq
            if len(entries) == _AT_ONCE:
                continue
            await bell.wait(_POLL_S)
            if await typing.wait(0):
                yield SseEvent({}, "typing")
            before, known = known, await threads.state(conversation_id)
            if known is not None and known.agent_message_seq > before.agent_message_seq:
                yield SseEvent({"agent_read_message_seq": known.agent_message_seq}, "read")


def _entry(entry: Entry, own_id: str | None, files: Sequence[Attachment]) -> WidgetEntry:
    return WidgetEntry(
        entry_seq=entry.entry_seq,
        kind=entry.kind,  # type: ignore[arg-type]  # an EntryKind, stored as text
        text=entry.text,
        at=shown_time(entry.at_ms),
        message_seq=entry.message_seq,
        id=own_id,
        files=[
            WidgetFile(
                id=one.attachment_id,
                name=one.name,
                media_type=one.media_type,
                size=one.size,
                state=one.state,
            )
            for one in files
        ],
    )


def _json(value: WidgetSession | WidgetMessage | ActivityOut, status: int = 200) -> Response:
    return Response(value.model_dump_json(), status, media_type="application/json")
