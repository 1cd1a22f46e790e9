"""A message came: say what it is about. A person acted: remember it, and never overrule it."""

from collections.abc import Iterable, Sequence
from functools import partial

from google.protobuf.message import Message as Event

from libs.contracts import (
    ConversationCorrected,
    ConversationResolved,
    ConversationTriaged,
    CustomerErased,
    CustomerIdentified,
    MessageReceived,
    ReplySent,
    StatusChanged,
    TransferRequested,
)
from libs.storage import Want
from libs.streams import Received, StreamRouter, erase, without_person
from libs.telemetry import metrics
from services.triage.adapters.contracts import (
    circumstances_of,
    event_of,
    lesson_of,
    row_of,
    unnamed_of,
    watched_of,
)
from services.triage.adapters.erasing import forget
from services.triage.adapters.tables import Customer
from services.triage.context import Outside, Prepared, TriageContext
from services.triage.domain.decision import decide, nothing_known
from services.triage.domain.memory import Conversation, changed, corrected, decided, ended, heard, touched
from services.triage.ports import Unclassifiable
from services.triage.preparing import prepared

Human = ReplySent | StatusChanged | ConversationCorrected | TransferRequested | ConversationResolved
stream = StreamRouter[TriageContext](group="triage")


@stream.prepare(MessageReceived)
async def classify(batch: Sequence[Received[MessageReceived]], outside: Outside) -> Sequence[Prepared]:
    """Signals of a batch, the rules in force, and what is known of the customers."""
    return await prepared([received.event for received in batch], outside)


def _both(event: MessageReceived, ctx: TriageContext) -> Iterable[Want]:
    return [
        ctx.conversations.want(event.conversation_id),
        ctx.decisions.want((event.conversation_id, event.message_seq)),
        ctx.erasures.want(event.customer_id),
    ]


def _conversation(event: Human, ctx: TriageContext) -> Iterable[Want]:
    return [ctx.conversations.want(event.conversation_id)]


@stream.on(MessageReceived, emits=[ConversationTriaged], load=_both)
async def triage_message(received: Received[MessageReceived], ctx: TriageContext) -> Sequence[Event]:
    """Decides once for each message, also the tenth of a conversation: what changed is said."""
    event = without_person(received.event, ctx.erasures)
    if ctx.decisions.get((event.conversation_id, event.message_seq)) is not None:
        return []
    conversation = _known(event.conversation_id, ctx)
    asked: Prepared = received.prepared
    signals = asked.signals
    if event is not received.event:
        # The signals quote the words: what came late of a customer who is forgotten says nothing any more.
        signals = nothing_known("the customer was forgotten", ctx.taxonomy, "")
    elif isinstance(signals, Unclassifiable):
        signals = nothing_known(signals.reason, ctx.taxonomy, "")
    circumstances = circumstances_of(event, conversation, asked.customer, asked.contacts, ctx.zone)
    decision = decide(signals, circumstances, asked.rules)
    human_version, now_ms = conversation.human_version, ctx.uow.now_ms
    news = watched_of(decision)
    heard_now = heard(conversation, signals.language, event.message_seq)
    ctx.conversations.put(
        decided(heard_now, event.customer_id, event.message_seq, event.received_at_ms, news)
    )
    ctx.decisions.put(row_of(decision, event, human_version, now_ms))
    unnamed = unnamed_of(decision, event, now_ms)
    if unnamed is not None:
        ctx.unnamed.put(unnamed)
    # The model's topic: what people set could be any word, and a metric has few labels.
    topic, kind = signals.topic.value, decision.signals.kind.value
    ctx.uow.after_commit(lambda: metrics.triage_decisions.labels(topic, kind).inc())
    what_changed = changed(conversation, event.message_seq, news)
    return [event_of(decision, event, human_version, now_ms, what_changed)]


@stream.on(CustomerIdentified, load=lambda event, ctx: [ctx.customers.want(event.customer_id)])
async def know_customer(received: Received[CustomerIdentified], ctx: TriageContext) -> Sequence[Event]:
    """Keeps what rules may ask of a customer."""
    event = received.event
    ctx.customers.put(Customer(event.customer_id, event.tier, dict(event.attributes)))
    return []


@stream.on(CustomerErased)
async def forget_customer(received: Received[CustomerErased], ctx: TriageContext) -> Sequence[Event]:
    """What a customer wrote, and what is known of them, goes."""
    customer_id = received.event.customer_id
    erase(ctx.uow, customer_id, partial(forget, customer_id=customer_id))
    return []


def _corrected(event: ConversationCorrected, ctx: TriageContext) -> Iterable[Want]:
    return [
        ctx.conversations.want(event.conversation_id),
        ctx.corrections.want((event.conversation_id, event.human_version)),
        ctx.erasures.want(event.customer_id),
    ]


@stream.on(ConversationCorrected, load=_corrected)
async def keep_correction(received: Received[ConversationCorrected], ctx: TriageContext) -> Sequence[Event]:
    """Remembers what a person set; it holds until the episode ends, and is learnt from."""
    event = without_person(received.event, ctx.erasures)
    lesson = lesson_of(event)
    if lesson is not None and ctx.corrections.get((event.conversation_id, event.human_version)) is None:
        ctx.corrections.put(lesson)
    known = _known(event.conversation_id, ctx)
    ctx.conversations.put(corrected(known, event.field, event.value, event.human_version))
    return []


@stream.on(ConversationResolved, load=_conversation)
async def end_corrections(received: Received[ConversationResolved], ctx: TriageContext) -> Sequence[Event]:
    """Corrections hold for the episode in which they were made."""
    event = received.event
    ctx.conversations.put(ended(_known(event.conversation_id, ctx), event.human_version))
    return []


@stream.on(ReplySent, load=_conversation)
async def note_reply(received: Received[ReplySent], ctx: TriageContext) -> Sequence[Event]:
    """Remembers that a person acted."""
    return _note(received.event, ctx)


@stream.on(StatusChanged, load=_conversation)
async def note_status(received: Received[StatusChanged], ctx: TriageContext) -> Sequence[Event]:
    """Remembers that a person acted."""
    return _note(received.event, ctx)


@stream.on(TransferRequested, load=_conversation)
async def note_transfer(received: Received[TransferRequested], ctx: TriageContext) -> Sequence[Event]:
    """Remembers that a person acted."""
    return _note(received.event, ctx)


def _note(event: ReplySent | StatusChanged | TransferRequested, ctx: TriageContext) -> Sequence[Event]:
    known = _known(event.conversation_id, ctx)
    after = touched(known, event.human_version)
    if after != known:
        ctx.conversations.put(after)
    return []


def _known(conversation_id: str, ctx: TriageContext) -> Conversation:
    return ctx.conversations.get(conversation_id) or Conversation(conversation_id)
