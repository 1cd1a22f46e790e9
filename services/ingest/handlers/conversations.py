"""What ingest does when something happened: a payload is threaded and numbered; what is said to a customer goes out."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message

from libs.contracts import (
    Channel,
    ConsentChanged,
    ConversationContinued,
    ConversationResolved,
    CustomerIdentified,
    DeliveryFailed,
    EpisodeOpened,
    MessageDelivered,
    MessageReceived,
    PayloadAccepted,
    ReplySent,
    SurveyCancelled,
    SurveyRequested,
)
from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Received, StreamRouter
from services.ingest.adapters.desk import Desk, Prepared
from services.ingest.adapters.wire import CHANNELS
from services.ingest.context import IngestContext
from services.ingest.domain import threads as rules
from services.ingest.domain.deliveries import Delivery, DeliveryKind, DeliveryState
from services.ingest.domain.model import PROVIDED, ChannelName, EntryKind, Thread
from services.ingest.operations.going_out import put_out, put_template, want_ways
from services.ingest.operations.normalising import normalise, want_continued, want_first, want_second
from services.ingest.operations.statuses import want_deliveries, want_rows

normaliser = StreamRouter[IngestContext](group="ingest-normaliser")
outbound = StreamRouter[IngestContext](group="ingest-outbound")


@normaliser.prepare(PayloadAccepted)
async def read_payloads(batch: Sequence[Received[PayloadAccepted]], desk: Desk) -> Sequence[Prepared]:
    return await desk.prepare(batch)


@normaliser.on(
    PayloadAccepted,
    emits=[
        CustomerIdentified,
        ConsentChanged,
        ConversationContinued,
        MessageReceived,
        MessageDelivered,
        DeliveryFailed,
    ],
    load=[want_first, want_second, want_rows, want_deliveries, *[want_continued] * (rules.HOPS + 1)],
)
async def receive_message(received: Received[PayloadAccepted], ctx: IngestContext) -> Sequence[Message]:
    return ctx.tell(normalise(received.prepared, ctx))


def _want_thread(event: Any, ctx: IngestContext) -> Iterator[Want]:
    yield ctx.threads.want(event.conversation_id)


def _nowhere(event: Any, source_id: str, received: Received[Any], ctx: IngestContext) -> list[Message]:
    """What is for a conversation that ingest has never opened: its sender is told, since nobody else can be."""
    return [
        DeliveryFailed(
            delivery_id=str(UUID(bytes=received.event_id)),
            conversation_id=event.conversation_id,
            source_id=source_id,
            channel=CHANNELS.get(event.channel, Channel.CHANNEL_UNSPECIFIED),
            failed_at_ms=ctx.uow.now_ms,
            reason="ingest does not know this conversation: no customer message has opened it",
        )
    ]


def _want_customer(event: Any, ctx: IngestContext) -> Iterator[Want]:
    thread = ctx.threads.get(event.conversation_id)
    if thread is not None:
        yield ctx.customers.want(thread.customer_id)


def _want_ways(event: Any, ctx: IngestContext) -> Iterator[Want]:
    yield from want_ways(ctx.threads.get(event.conversation_id), ctx)


_WANTED: Final = [_want_thread, _want_customer, _want_ways]


@outbound.on(ReplySent, emits=[MessageDelivered, DeliveryFailed], load=_WANTED)
async def send_reply(received: Received[ReplySent], ctx: IngestContext) -> Sequence[Message]:
    """A reply is part of the thread at once; by mail it has still to be carried."""
    event = received.event
    thread = ctx.threads.get(event.conversation_id)
    if thread is None:
        return _nowhere(event, event.reply_id, received, ctx)
    kind = EntryKind.REPLY if event.human else EntryKind.NOTICE
    changed, entry = rules.add_entry(thread, kind, event.text, event.sent_at_ms, event.reply_id)
    ctx.put_entry(changed, entry)
    channel = _channel(event.channel, thread)
    delivery_id = str(UUID(bytes=received.event_id))
    if channel == ChannelName.MAIL or channel in PROVIDED:
        automatic = not event.human
        delivery = _delivery(delivery_id, event.reply_id, DeliveryKind.REPLY, channel, event, ctx, automatic)
        if event.HasField("template"):
            named = event.template
            delivery = put_template(delivery, named.name, named.language, named.values)
        return ctx.tell(put_out(delivery, thread, ctx))
    told = [
        MessageDelivered(
            delivery_id=delivery_id,
            conversation_id=event.conversation_id,
            source_id=event.reply_id,
            channel=CHANNELS[channel],
            delivered_at_ms=max(ctx.uow.now_ms, event.sent_at_ms),
            attempts=1,
        )
    ]
    return ctx.tell(told)


@outbound.on(SurveyRequested, emits=[DeliveryFailed], load=_WANTED)
async def send_survey(received: Received[SurveyRequested], ctx: IngestContext) -> Sequence[Message]:
    event = received.event
    thread = ctx.threads.get(event.conversation_id)
    if thread is None:
        return _nowhere(event, event.invitation_id, received, ctx)
    channel = _channel(event.channel, thread)
    delivery_id = _survey_delivery(event.invitation_id)
    delivery = _delivery(delivery_id, event.invitation_id, DeliveryKind.SURVEY, channel, event, ctx, True)
    return ctx.tell(put_out(delivery, thread, ctx))


@outbound.on(
    SurveyCancelled,
    load=lambda event, ctx: [ctx.deliveries.want(_survey_delivery(event.invitation_id))],
)
async def cancel_survey(received: Received[SurveyCancelled], ctx: IngestContext) -> Sequence[Message]:
    """A survey that has not gone out does not go out."""
    delivery = ctx.deliveries.get(_survey_delivery(received.event.invitation_id))
    if delivery is not None and delivery.state == DeliveryState.WAITING:
        ctx.deliveries.put(delivery.ended(DeliveryState.CANCELLED, received.event.reason, ctx.uow.now_ms))
    return []


@outbound.on(ConversationResolved, load=_want_thread)
async def note_resolution(received: Received[ConversationResolved], ctx: IngestContext) -> Sequence[Message]:
    event = received.event
    thread = ctx.threads.get(event.conversation_id)
    if thread is not None:
        thread = rules.resolve(thread, event.episode, event.resolved_at_ms)
        ref_id = f"{event.conversation_id}:{event.episode}"
        ctx.put_entry(*rules.add_entry(thread, EntryKind.RESOLVED, "", event.resolved_at_ms, ref_id))
    return []


@outbound.on(
    EpisodeOpened,
    # Every conversation is opened with its first episode: only a reopening is news.
    load=lambda event, ctx: [ctx.threads.want(event.conversation_id)] if event.episode > 1 else [],
)
async def note_reopening(received: Received[EpisodeOpened], ctx: IngestContext) -> Sequence[Message]:
    event = received.event
    thread = ctx.threads.get(event.conversation_id) if event.episode > 1 else None
    if thread is not None:
        ctx.threads.put(rules.open_episode(thread, event.episode))
    return []


def _survey_delivery(invitation_id: str) -> str:
    return derived_id("survey", invitation_id)


def _channel(named: str, thread: Thread) -> ChannelName:
    """The channel the sender chose, or where the customer last was."""
    return ChannelName(named) if named in CHANNELS else ChannelName(thread.channel)


def _delivery(
    delivery_id: str,
    source_id: str,
    kind: DeliveryKind,
    channel: ChannelName,
    event: Any,
    ctx: IngestContext,
    automatic: bool,
) -> Delivery:
    return Delivery(
        delivery_id=delivery_id,
        conversation_id=event.conversation_id,
        source_id=source_id,
        kind=kind,
        channel=channel,
        text=event.text,
        automatic=automatic,
        state=DeliveryState.WAITING,
        attempts=0,
        due_at_ms=ctx.uow.now_ms,
        possibly_twice=False,
        reason="",
        created_at_ms=ctx.uow.now_ms,
        finished_at_ms=0,
        traceparent=ctx.uow.traceparent,
    )
