"""Routes of an agent's front-end beside a conversation: typing and reading, both ways, without a word of what is written."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from libs.web import NotFound, Principal, SseEvent, require_role, sse_response
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.visitor_threads import VisitorThreads
from services.ingest.api.widget_schemas import ActivityOut, AgentActivityIn

_POLL_S = 15.0
Staff = Annotated[Principal, Depends(require_role("agent", "service"))]


def activity_router(threads: VisitorThreads, signals: Signals) -> APIRouter:
    """POST what the agent does, and the stream of what the customer does."""
    router = APIRouter(prefix="/v1/conversations", tags=["activity"])

    @router.post("/{conversation_id}/activity", summary="The agent types, or has read so far")
    async def post_activity(conversation_id: str, body: AgentActivityIn, _: Staff) -> ActivityOut:
        state = await threads.state(conversation_id)
        if state is None:
            raise _unknown()
        read = state.customer_entry_seq, state.agent_message_seq
        if body.read_message_seq > state.agent_message_seq:
            read = await threads.mark(conversation_id, agent_message_seq=body.read_message_seq) or read
            signals.acts(conversation_id, "agent", "read")
        if body.typing:
            signals.acts(conversation_id, "agent", "typing")
        return ActivityOut(customer_read_entry_seq=read[0], agent_read_message_seq=read[1])

    @router.get(
        "/{conversation_id}/activity",
        summary="What the customer does before the widget, as server-sent events: typing, read",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream_activity(conversation_id: str, request: Request, _: Staff) -> Any:
        state = await threads.state(conversation_id)
        if state is None:
            raise _unknown()
        return sse_response(request, _stream(threads, signals, conversation_id))

    return router


def _unknown() -> NotFound:
    return NotFound("There is no such conversation.", slug="unknown-conversation")


async def _stream(threads: VisitorThreads, signals: Signals, conversation_id: str) -> AsyncIterator[SseEvent]:
    shown = -1
    with (
        signals.watch_acts(conversation_id, "customer", "typing", "read") as bell,
        signals.watch_acts(conversation_id, "customer", "typing") as typing,
    ):
        while (state := await threads.state(conversation_id)) is not None:
            if state.customer_entry_seq > shown:
                shown = state.customer_entry_seq
                yield SseEvent({"customer_read_entry_seq": shown}, "read")
            await bell.wait(_POLL_S)
            if await typing.wait(0):
                yield SseEvent({}, "typing")
