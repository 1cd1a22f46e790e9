"""What a training starts from beside a file: the own set, and what people corrected."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from libs.storage import Database, fetch_all
from services.triage.adapters.labelled_files import Dirty
from services.triage.adapters.learning.tickets import text_key
from services.triage.adapters.learning.versions import Example
from services.triage.adapters.training.dataset import load_examples
from services.triage.domain.classification import Knowledge, Query, classify_many
from services.triage.domain.judged import Judged
from services.triage.domain.taxonomy import Taxonomy

_BATCH = 256


def own_examples(data: Path, taxonomy: Taxonomy) -> list[Example]:
    """The own set's requests, its check split held out; those that show no topic teach what is out of scope."""
    return [
        Example(e.text, e.topic or "oos", e.language, "own", e.check)
        for e in load_examples(data, taxonomy.languages)
        if e.kind == "request" and (e.topic or not e.check)
    ]


async def corrected_examples(database: Database) -> list[Example]:
    """The newest correction of each message, in the order in which they were made."""
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            "SELECT text, topic, language FROM (SELECT DISTINCT ON (conversation_id, message_id) *"
            f" FROM {database.schema}.corrections ORDER BY conversation_id, message_id, human_version DESC) newest"
            " ORDER BY number",
        )
    return [Example(text, topic, language, "correction", False) for text, topic, language in rows]


def joined(base: Sequence[Example], corrected: Sequence[Example]) -> tuple[list[Example], list[Dirty]]:
    """Examples and corrections: where both are about the same words, the newest correction stands. A topic that only
    one text shows cannot be learnt; it is told with the number of its correction."""
    newest = {text_key(e.text): (number, e) for number, e in enumerate(corrected, 1)}
    kept = [e for e in base if e.check or text_key(e.text) not in newest]
    counts = Counter(e.label for e in [*kept, *(e for _, e in newest.values())])
    alone = [
        Dirty(number, f"correction {number}: the only example of topic {e.label!r}; at least two are needed")
        for number, e in newest.values()
        if counts[e.label] < 2
    ]
    return [*kept, *(e for _, e in newest.values() if counts[e.label] > 1)], alone


def judged_by_service(examples: Sequence[Example], knowledge: Knowledge) -> list[Judged]:
    """What the service's own model says of the examples that are held out."""
    held = [e for e in examples if e.check]
    found = []
    for start in range(0, len(held), _BATCH):
        part = held[start : start + _BATCH]
        for e, signals in zip(part, classify_many([Query(e.text) for e in part], knowledge), strict=True):
            key = text_key(e.text)
            found.append(Judged(key, e.label, signals.best_topic, signals.topic.confidence, e.language, True))
    return found
