"""Messages that no model has seen, in `bench.triage`: the default model on them, and categories from English examples."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.triage_sets import Bench, Line
from services.operators.evaluate import drawn
from services.triage.adapters.encoders import Encoders
from services.triage.adapters.knowledge import Sources, load_knowledge
from services.triage.adapters.labelled_files import Row
from services.triage.domain.classification import Query, classify_many
from services.triage.domain.measures import auroc, recall_at

_HERE: Final = Path(__file__).resolve().parent / "unseen"
_A_CATEGORY: Final = 200
_DRAWINGS: Final = (1, 2, 3)
_ALONE: Final = 30.0
"""Inverse regularisation of the one head that the plain way has."""
_TOPICS: Final = {
    "ACCOUNT": ("account.access", "account.profile"),
    "FEEDBACK": ("feedback", "complaint"),
    "DELIVERY": ("delivery", "shipping"),
}
"""Of the own set's topics, those that a category holds where it is not the topic of its name."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """One message; `bench/unseen/README.md` says what the rest means."""

    text: str
    language: str
    category: str
    topics: tuple[str, ...]
    """Those of the own set that are right for it."""
    angry: bool
    person: bool
    part: str


def unseen_messages(languages: Sequence[str]) -> list[Unseen]:
    """All of them."""
    return [
        Unseen(
            row["text"],
            code,
            row["category"],
            (row["topic"],) if "topic" in row else _TOPICS.get(row["category"], (row["category"].lower(),)),
            row.get("angry", False),
            row.get("person", False),
            row.get("part", "plain"),
        )
        for code in languages
        for row in map(json.loads, (_HERE / f"{code}.jsonl").read_text(encoding="utf-8").splitlines())
    ]


def unseen(bench: Bench) -> Iterator[Line]:
    """The default model on them."""
    sources = Sources.default()
    both = load_knowledge(sources)
    words = replace(both, topics=None, encode=None)
    rows = unseen_messages(sources.taxonomy.languages)
    said = [classify_many([Query(row.text) for row in rows], one) for one in (both, words)]
    plain = [i for i, row in enumerate(rows) if row.part == "plain"]
    languages = {code: [i for i in plain if rows[i].language == code] for code in sources.taxonomy.languages}
    for name, mine in (("all", plain), *languages.items()):
        right = [float(np.mean([one[i].best_topic in rows[i].topics for i in mine])) for one in said]
        yield Line(f"default model, topics, {name} ({len(mine)})", right[0], right[1], None, 0.74, 0.85)
    angry, person = (np.array(one) for one in ([r.angry for r in rows], [r.person for r in rows]))
    for name, mine in (("all", plain), *languages.items()):
        found = [auroc(np.array([one[i].anger for i in mine]), angry[mine]) for one in said]
        yield Line(f"angry or not, AUROC, {name}", found[0], found[1], None, 0.85, 0.95)
    wish = [np.array([s.wish_for_person for s in one]) for one in said]
    for name, left_out in (("all others", ""), ("plain others", "mention")):
        mine = [i for i, row in enumerate(rows) if row.part != left_out]
        found = [recall_at(one[mine], person[mine], 0.01) for one in wish]
        count = f"{int(person[mine].sum())} among {len(mine)}"
        yield Line(
            f"wish for a person, recall at 1 % of {name} ({count})", found[0], found[1], None, 0.9, 0.97
        )
    at = float(np.sort(wish[0][~person])[::-1][int(0.01 * (~person).sum())])
    found_by = {code: _share(wish[0] > at, person, rows, code) for code in languages}
    bench.notes.append(f"Wishes found by language, against all others: {found_by}.")


def support(bench: Bench) -> Iterator[Line]:
    """Categories of support requests, learnt from English examples that templates made, mean of three drawings."""
    train = [replace(row, language="en") for row in bench.rows("bitext-support-categories/train")]
    languages = Sources.default().taxonomy.languages
    rows = [row for row in unseen_messages(languages) if row.part == "plain"]
    test = [Row(i, i, row.text, row.category, row.language) for i, row in enumerate(rows)]
    drawings = [drawn(train, _A_CATEGORY, seed) for seed in _DRAWINGS]
    found = [bench.three(some, test) for some in drawings]
    for code in languages:
        values = [float(np.mean([one[i].by_language[code]["accuracy"] for one in found])) for i in range(3)]
        what = f"11 support categories, {_A_CATEGORY} English examples each, {code}"
        yield Line(what, values[0], values[1], values[2], 0.74, 0.85)
    plain = [_plain_way(some, test) for some in drawings]
    means = {code: f"{np.mean([one[code] for one in plain]):.3f}" for code in languages}
    bench.notes.append(
        f"The plain way (the first encoder and one head, strength {_ALONE:g}) on the same messages: {means}."
    )


def _plain_way(train: Sequence[Row], test: Sequence[Row]) -> dict[str, float]:
    """Accuracy by language of the first encoder with logistic regression."""
    encode = Encoders(bridge=None, remembered=60_000)
    model = LogisticRegression(C=_ALONE, max_iter=500).fit(
        encode([row.text for row in train], ["en"] * len(train)), [row.label for row in train]
    )
    said = model.predict(encode([row.text for row in test], [row.language for row in test]))
    right = said == np.array([row.label for row in test])
    spoken = np.array([row.language for row in test])
    return {code: float(right[spoken == code].mean()) for code in sorted(set(spoken.tolist()))}


def _share(found: np.ndarray, person: np.ndarray, rows: Sequence[Unseen], code: str) -> float:
    mine = np.array([row.language == code for row in rows])
    return round(float(found[mine & person].mean()), 2)
