"""A message came: say what it is about. A person acted: remember it, and never overrule it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.message import Message as Event

from libs.contracts import (
    ConversationCorrected,
    ConversationResolved,
    ConversationTriaged,
    CustomerIdentified,
    MessageReceived,
    ReplySent,
    StatusChanged,
    TransferRequested,
)
from libs.storage import Want
from libs.streams import Received, Retry, StreamRouter
from libs.telemetry import metrics
from services.triage.adapters.contracts import (
    circumstances_of,
    event_of,
    lesson_of,
    query_of,
    row_of,
    unnamed_of,
    watched_of,
)
from services.triage.adapters.queries import WEEK_MS, known_of
from services.triage.adapters.tables import Customer
from services.triage.context import Outside, Prepared, TriageContext
from services.triage.domain.decision import decide, nothing_known
from services.triage.domain.memory import Conversation, changed, corrected, decided, ended, heard, touched
from services.triage.domain.signals import Signals
from services.triage.ports import Classifier, ClassifierUnavailable, Unclassifiable

Human = ReplySent | StatusChanged | ConversationCorrected | TransferRequested | ConversationResolved
stream = StreamRouter[TriageContext](group="triage")


@stream.prepare(MessageReceived)
async def classify(batch: Sequence[Received[MessageReceived]], outside: Outside) -> Sequence[Prepared]:
    """Signals of a batch, the rules in force, and what is known of the customers."""
    events = [received.event for received in batch]
    rules = await outside.rules.current()
    known = await known_of(outside.database, events)
    signals = await _signals_of(events, outside.classifier, known.languages)
    return [
        Prepared(
            found,
            rules,
            known.customers.get(event.customer_id, Customer(event.customer_id)),
            _contacts(event, known.contacts.get(event.customer_id, {}), events),
        )
        for event, found in zip(events, signals, strict=True)
    ]


def _contacts(event: MessageReceived, known: Mapping[str, int], events: Sequence[MessageReceived]) -> int:
    """Conversations of the customer in the seven days before the message: those stored and those of the batch."""
    if not event.customer_id:
        return 1
    at = event.received_at_ms
    found = {conversation for conversation, when in known.items() if at - WEEK_MS < when <= at}
    found.update(
        e.conversation_id
        for e in events
        if e.customer_id == event.customer_id and at - WEEK_MS < e.received_at_ms <= at
    )
    return len(found | {event.conversation_id})


async def _signals_of(
    events: Sequence[MessageReceived], classifier: Classifier, languages: dict[str, str]
) -> Sequence[Signals | Unclassifiable]:
    """Messages of one conversation go one after the other: the language of one helps the next."""
    rounds: dict[int, list[int]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    for index, event in enumerate(events):
        rounds[seen[event.conversation_id]].append(index)
        seen[event.conversation_id] += 1
    found: dict[int, Signals | Unclassifiable] = {}
    for indexes in rounds.values():
        queries = [query_of(events[i], languages.get(events[i].conversation_id, "")) for i in indexes]
        try:
            results = await classifier.classify(queries)
        except ClassifierUnavailable as error:
            raise Retry(str(error)) from error
        for index, result in zip(indexes, results, strict=True):
            found[index] = result
            if isinstance(result, Signals):
                after = heard(Conversation(""), result.language, 1)
                languages[events[index].conversation_id] = after.language or languages.get(
                    events[index].conversation_id, ""
                )
    return [found[index] for index in range(len(events))]


def _both(event: MessageReceived, ctx: TriageContext) -> Iterable[Want]:
    return [
        ctx.conversations.want(event.conversation_id),
        ctx.decisions.want((event.conversation_id, event.message_seq)),
    ]


def _conversation(event: Human, ctx: TriageContext) -> Iterable[Want]:
    return [ctx.conversations.want(event.conversation_id)]


@stream.on(MessageReceived, emits=[ConversationTriaged], load=_both)
async def triage_message(received: Received[MessageReceived], ctx: TriageContext) -> Sequence[Event]:
    """Decides once for each message, also the tenth of a conversation: what changed is said."""
    event = received.event
    if ctx.decisions.get((event.conversation_id, event.message_seq)) is not None:
        return []
    conversation = _known(event.conversation_id, ctx)
    asked: Prepared = received.prepared
    signals = asked.signals
    if isinstance(signals, Unclassifiable):
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


def _corrected(event: ConversationCorrected, ctx: TriageContext) -> Iterable[Want]:
    return [
        ctx.conversations.want(event.conversation_id),
        ctx.corrections.want((event.conversation_id, event.human_version)),
    ]


@stream.on(ConversationCorrected, load=_corrected)
async def keep_correction(received: Received[ConversationCorrected], ctx: TriageContext) -> Sequence[Event]:
    """Remembers what a person set; it holds until the episode ends, and is learnt from."""
    event = received.event
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
