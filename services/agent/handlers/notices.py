"""What routing says of the wait, told to the customer; and the customer's wish to be called instead."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from google.protobuf.message import Message as Event

from libs.contracts import (
    CallBackRequested,
    MessageReceived,
    OutOfHours,
    QueueUnserved,
    ReplySent,
    WaitPredicted,
)
from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Received
from libs.telemetry import get_logger
from services.agent.adapters.contracts import reply_sent
from services.agent.adapters.wording import closed_text, wait_text
from services.agent.context import AgentContext
from services.agent.domain.conversation import SYSTEM, Conversation, NoticeKind
from services.agent.domain.notices import Wording, call_is_offered, silence, tell
from services.agent.domain.placement import Placement
from services.agent.domain.timeline import Entry
from services.agent.handlers.stream import stream

_log = get_logger("notices")


class _OfEpisode(Protocol):
    conversation_id: str
    episode: int


def _wanted(event: _OfEpisode, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.conversations.want(event.conversation_id), ctx.placements.want(event.conversation_id)]


@stream.on(OutOfHours, emits=[ReplySent], load=_wanted)
async def tell_hours(received: Received[OutOfHours], ctx: AgentContext) -> Sequence[Event]:
    """Nobody is there now: the customer hears from when on somebody is."""
    e = received.event
    return _tell(received, ctx, "closed", lambda language: closed_text(language, e.opens_at_ms, e.zone))


@stream.on(WaitPredicted, emits=[ReplySent], load=_wanted)
async def tell_wait(received: Received[WaitPredicted], ctx: AgentContext) -> Sequence[Event]:
    """The customer hears the place and how long it may take, and may be called instead where the queue does that."""
    e = received.event
    return _tell(
        received,
        ctx,
        "wait",
        lambda language: wait_text(
            language, e.position, e.expected_ms, e.low_ms, e.high_ms, offer=e.call_back_offered
        ),
        offer=e.call_back_offered,
    )


@stream.on(QueueUnserved, emits=[ReplySent], load=_wanted)
async def tell_delay(received: Received[QueueUnserved], ctx: AgentContext) -> Sequence[Event]:
    """The customer whose conversation nobody could serve now hears that it may take longer."""
    return _tell(received, ctx, "delayed", lambda language: language.texts["delayed"])


def _want_placement(event: MessageReceived, ctx: AgentContext) -> Iterable[Want]:
    conversation = ctx.conversations.get(event.conversation_id)
    if conversation is not None and call_is_offered(conversation):
        yield ctx.placements.want(event.conversation_id)


WANTED_FOR_A_WISH = _want_placement
"""What `wish_for_a_call` reads, after the conversation itself."""


def wish_for_a_call(
    received: Received[MessageReceived], ctx: AgentContext, conversation: Conversation
) -> tuple[Conversation, Sequence[Event]]:
    """The events of a message that takes the call-back that was offered; none of any other. The conversation comes
    back with what was said in it; the caller saves it."""
    event = received.event
    if not call_is_offered(conversation) or not ctx.notices.wants_a_call(event.text):
        return conversation, []
    placement = ctx.placements.get(event.conversation_id) or Placement(event.conversation_id)
    if placement.agent_id:
        return conversation, []
    why = silence(ctx.notices, conversation, placement, conversation.episode, "call_back")
    text = "" if why else ctx.notices.wording(conversation.language).texts["call_back"].strip()
    told, reply = _say(received, ctx, conversation, "call_back", text)
    wish = CallBackRequested(
        conversation_id=event.conversation_id,
        episode=conversation.episode,
        message_seq=event.message_seq,
        requested_at_ms=event.received_at_ms,
    )
    return told, [wish, *reply]


def _tell(
    received: Received[Any],
    ctx: AgentContext,
    kind: NoticeKind,
    write: Callable[[Wording], str],
    *,
    offer: bool = False,
) -> Sequence[Event]:
    event = received.event
    conversation = ctx.conversations.get(event.conversation_id)
    if conversation is None:
        return []
    placement = ctx.placements.get(event.conversation_id) or Placement(event.conversation_id)
    why = silence(ctx.notices, conversation, placement, event.episode, kind)
    text = "" if why else write(ctx.notices.wording(conversation.language)).strip()
    if not text:
        _log.debug(
            "customer_not_told", conversation_id=event.conversation_id, kind=kind, why=why or "no text"
        )
        return []
    told, events = _say(received, ctx, conversation, kind, text, offer=offer)
    ctx.conversations.put(told)
    return events


def _say(
    received: Received[Any],
    ctx: AgentContext,
    conversation: Conversation,
    kind: NoticeKind,
    text: str,
    *,
    offer: bool = False,
) -> tuple[Conversation, Sequence[Event]]:
    """The notice in the timeline and on its way; without a text only remembered."""
    told = tell(conversation, kind, ctx.uow.now_ms, offer=offer, shown=bool(text))
    if not text:
        return told, []
    entry = Entry(
        message_id=derived_id(received.event_id.hex(), "notice"),
        conversation_id=told.conversation_id,
        position=told.position,
        seq=0,
        after_seq=told.last_seq,
        author=SYSTEM,
        channel=told.channel,
        language_hint="",
        automatic=True,
        survey_answer=False,
        subject="",
        text=text,
        truncated=False,
        at_ms=ctx.uow.now_ms,
        delivery="sending",
    )
    ctx.messages.put(entry)
    return told, [reply_sent(told, entry)]
