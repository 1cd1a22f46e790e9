"""Messages, what triage says of them, what became of replies, and the end of a snooze."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from google.protobuf.message import Message as Event

from libs.contracts import (
    CallBackRequested,
    ConversationContinued,
    ConversationTriaged,
    DeliveryFailed,
    EpisodeOpened,
    MessageDelivered,
    MessageReceived,
    ReplySent,
    StatusChanged,
)
from libs.storage import Want
from libs.streams import Due, Received, without_person
from services.agent.adapters.contracts import entry_of, message_of, reply_sent, rule_entry, understanding_of
from services.agent.context import AgentContext
from services.agent.domain.answering import SENT, answer
from services.agent.domain.arrivals import begin, receive, settle, wake
from services.agent.domain.conversation import (
    Conversation,
    Origin,
    Understanding,
)
from services.agent.domain.timeline import delivered, undelivered
from services.agent.handlers.notices import WANTED_FOR_A_WISH, wish_for_a_call
from services.agent.handlers.stream import stream
from services.agent.operations import SNOOZE, keep


def _conversation(event: MessageReceived | ConversationTriaged, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.conversations.want(event.conversation_id), ctx.erasures.want(event.customer_id)]


def _halves(event: MessageReceived | ConversationTriaged, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.messages.want(event.message_id), ctx.understandings.want(event.message_id)]


def _reply(event: MessageDelivered | DeliveryFailed, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.messages.want(event.source_id)]


# The conversation's row is locked before the other half is looked for: two owners cannot both miss it.
@stream.on(
    MessageReceived,
    emits=[EpisodeOpened, StatusChanged, CallBackRequested, ReplySent],
    load=[_conversation, _halves, WANTED_FOR_A_WISH],
)
async def keep_message(received: Received[MessageReceived], ctx: AgentContext) -> Sequence[Event]:
    """Stores a customer's message; if triage has spoken already, puts it where it belongs."""
    event = without_person(received.event, ctx.erasures)
    if ctx.messages.get(event.message_id) is not None:
        return []
    message = message_of(event)
    conversation = ctx.conversations.get(event.conversation_id) or begin(
        event.conversation_id, event.customer_id, message.origin.channel, event.received_at_ms
    )
    conversation = receive(conversation, message)
    if received.traceparent and message.seq == conversation.last_seq:
        conversation = replace(conversation, traceparent=received.traceparent)
    ctx.messages.put(entry_of(event, message, conversation.position))
    conversation, wish = wish_for_a_call(received, ctx, conversation)
    understood = ctx.understandings.get(event.message_id)
    if understood is None:
        ctx.conversations.put(conversation)
        return wish
    return [*wish, *_settle(ctx, conversation, understood, message.origin)]


@stream.on(
    ConversationTriaged, emits=[EpisodeOpened, StatusChanged, ReplySent], load=[_conversation, _halves]
)
async def keep_decision(received: Received[ConversationTriaged], ctx: AgentContext) -> Sequence[Event]:
    """Stores what triage says of a message; if the message is here, puts it where it belongs."""
    event = without_person(received.event, ctx.erasures)
    understood = understanding_of(event)
    entry = ctx.messages.get(event.message_id)
    conversation = ctx.conversations.get(event.conversation_id)
    if entry is None or conversation is None:
        ctx.understandings.put(understood)
        if conversation is None:
            ctx.conversations.put(
                begin(event.conversation_id, event.customer_id, event.channel, event.received_at_ms)
            )
        return []
    known = ctx.understandings.get(event.message_id)
    if known is not None and known.settled:
        return []
    return _settle(ctx, conversation, understood, entry.origin)


def _settle(
    ctx: AgentContext, conversation: Conversation, understood: Understanding, origin: Origin
) -> Sequence[Event]:
    understood = understood.settled_with(origin)
    settled, facts = settle(conversation, understood)
    after, replied = answer(settled, understood, ctx.uow.now_ms)
    if replied:
        understood = replace(understood, detail={**understood.detail, "reply_state": replied})
    ctx.understandings.put(understood)
    events = keep(ctx, conversation, after, facts)
    if replied != SENT:
        return events
    entry = rule_entry(after, understood, ctx.uow.now_ms)
    ctx.messages.put(entry)
    return [*events, reply_sent(after, entry)]


@stream.timer(SNOOZE, emits=[StatusChanged], load=lambda due, ctx: [ctx.conversations.want(due.key)])
async def end_snooze(due: Due, ctx: AgentContext) -> Sequence[Event]:
    """Opens a snoozed conversation again."""
    conversation = ctx.conversations.get(due.key)
    if conversation is None:
        return []
    after, facts = wake(conversation, due.due_at_ms)
    return keep(ctx, conversation, after, facts) if facts else []


@stream.on(ConversationContinued, load=lambda event, ctx: [ctx.conversations.want(event.conversation_id)])
async def link_continuation(received: Received[ConversationContinued], ctx: AgentContext) -> Sequence[Event]:
    """Remembers in which later conversation this one goes on."""
    event = received.event
    conversation = ctx.conversations.get(event.conversation_id)
    if conversation is not None:
        ctx.conversations.put(replace(conversation, continued_as=event.continued_as_conversation_id))
    return []


@stream.on(MessageDelivered, load=_reply)
async def note_delivery(received: Received[MessageDelivered], ctx: AgentContext) -> Sequence[Event]:
    """Shows that a reply was delivered; survey invitations are not kept here."""
    event = received.event
    entry = ctx.messages.get(event.source_id)
    if entry is not None:
        ctx.messages.put(delivered(entry, event.delivered_at_ms, event.possibly_twice))
    return []


@stream.on(DeliveryFailed, load=_reply)
async def note_failure(received: Received[DeliveryFailed], ctx: AgentContext) -> Sequence[Event]:
    """Shows that a reply could not be delivered."""
    event = received.event
    entry = ctx.messages.get(event.source_id)
    if entry is not None:
        ctx.messages.put(undelivered(entry, event.failed_at_ms, event.reason))
    return []
