"""What is asked of a batch of messages before its transaction: signals, a second opinion, rules, customers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from libs.contracts import MessageReceived
from libs.streams import Retry
from services.triage.adapters.contracts import by_hand, query_of
from services.triage.adapters.queries import WEEK_MS, known_of
from services.triage.adapters.tables import Customer
from services.triage.context import Outside, Prepared
from services.triage.domain.memory import Conversation, heard
from services.triage.domain.redaction import redacted
from services.triage.domain.second_opinion import Question, with_opinion, worth_asking
from services.triage.domain.signals import Signals
from services.triage.ports import Classifier, ClassifierUnavailable, SecondOpinion, Unclassifiable

Results = Sequence[Signals | Unclassifiable]


async def prepared(events: Sequence[MessageReceived], outside: Outside) -> Sequence[Prepared]:
    """One for each message. Raises Retry when no classifier can be started."""
    rules = await outside.rules.current()
    known = await known_of(outside.database, events)
    signals = await _signals_of(events, outside.classifier, known.languages)
    if outside.second is not None:
        signals = await _with_opinions(events, signals, known.customers, outside.second)
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
) -> Results:
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


async def _with_opinions(
    events: Sequence[MessageReceived],
    signals: Results,
    customers: Mapping[str, Customer],
    second: SecondOpinion,
) -> Results:
    """Asks outside about requests whose topic nobody named, without what says who wrote them."""
    found = list(signals)
    asked: dict[int, tuple[Signals, Question]] = {}
    for index, (event, mine) in enumerate(zip(events, signals, strict=True)):
        if isinstance(mine, Signals) and by_hand(event) and worth_asking(mine):
            customer = customers.get(event.customer_id, Customer(event.customer_id))
            text = redacted(query_of(event, "").text, customer.attributes.values())
            asked[index] = (mine, Question(text))
    if asked:
        opinions = await second.ask([question for _, question in asked.values()])
        for (index, (mine, _)), opinion in zip(asked.items(), opinions, strict=True):
            found[index] = with_opinion(mine, opinion)
    return found
