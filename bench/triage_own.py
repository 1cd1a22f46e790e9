"""The own set in `bench.triage`: the default model, and topics of seven languages from English examples."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bench.triage_sets import Bench, Line
from services.triage.adapters.knowledge import HERE, Sources, load_knowledge
from services.triage.adapters.labelled_files import Row
from services.triage.adapters.training.dataset import load_examples
from services.triage.domain.classification import Query, classify_many
from services.triage.domain.measures import auroc, recall_at


def own(bench: Bench) -> Iterator[Line]:
    """The default model on the check split of the own set."""
    sources = Sources.default()
    both = load_knowledge(sources)
    words = replace(both, topics=None, encode=None)
    if both.topics is None:
        bench.notes.append("The default model of topics is by words alone, so both columns are the same.")
    everything = load_examples(HERE / "data", sources.taxonomy.languages)
    examples = [e for e in everything if e.check]
    said = [classify_many([Query(e.text) for e in examples], one) for one in (both, words)]
    topical = [i for i, e in enumerate(examples) if e.topic and e.kind == "request"]

    def right(signals: Sequence[object], rows: Sequence[int]) -> float:
        return float(np.mean([signals[i].best_topic == examples[i].topic for i in rows]))  # type: ignore[attr-defined]  # Signals

    yield Line(
        "default model, topics, check split",
        right(said[0], topical),
        right(said[1], topical),
        None,
        0.74,
        0.85,
    )
    for code in sources.taxonomy.languages:
        mine = [i for i in topical if examples[i].language == code]
        yield Line(
            f"default model, topics, {code} ({len(mine)})",
            right(said[0], mine),
            right(said[1], mine),
            None,
            0.74,
            0.85,
        )
    angry, person = (np.array(one) for one in ([e.angry for e in examples], [e.person for e in examples]))
    anger = [auroc(np.array([s.anger for s in one]), angry) for one in said]
    yield Line("angry or not, 8 languages, check split, AUROC", anger[0], anger[1], None, 0.85, 0.95)
    wish = [recall_at(np.array([s.wish_for_person for s in one]), person, 0.01) for one in said]
    yield Line(
        f"wish for a person, recall at 1 % false alarms, check split ({int(person.sum())} wish)",
        wish[0],
        wish[1],
        None,
        0.90,
        0.97,
    )


def from_english(bench: Bench) -> Iterator[Line]:
    """Topics of the own set's other languages, learnt from its English messages alone."""
    languages = Sources.default().taxonomy.languages
    topic_rows = [
        Row(i, i, e.text, e.topic, e.language)
        for i, e in enumerate(load_examples(HERE / "data", languages))
        if e.topic and e.kind == "request" and e.source == "messages"
    ]
    english = [row for row in topic_rows if row.language == "en"]
    found = bench.three(english, [row for row in topic_rows if row.language != "en"])
    for code in languages[1:]:
        values = [one.by_language[code]["accuracy"] for one in found]
        yield Line(
            f"own set, 16 topics from English examples, {code}",
            values[0],
            values[1],
            values[2],
            0.74,
            0.85,
        )
