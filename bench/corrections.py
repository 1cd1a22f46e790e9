"""What a correction does to later messages: how often the overlay helps and hurts, by the cosine it asks for.

People correct what the default model got wrong or left unknown among half of the messages; the other half comes later.
Ten halvings of the messages that a model had not seen. `--choose` prints the same for models that leave out another
part of the own set: the limits in `domain/overlay.py` were chosen there.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench import report
from services.operators.evaluate import drawn, tools_of
from services.triage.adapters.encoders import Encoders
from services.triage.adapters.evaluation.labels import judge_rows, train_rows
from services.triage.adapters.knowledge import HERE, Sources, load_knowledge
from services.triage.adapters.labelled_files import read_labelled
from services.triage.adapters.training.dataset import Example, load_examples
from services.triage.adapters.training.making import make_model
from services.triage.domain.classification import Knowledge, Query, classify_many
from services.triage.domain.encoding import Encode, Encoder, Floats
from services.triage.domain.overlay import SIMILAR
from services.triage.domain.signals import UNKNOWN, Signals

_HALVINGS = 10
_THRESHOLD = 0.4
_LIMITS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


@dataclass
class Tally:
    """Later messages, summed over the halvings."""

    changed: int = 0
    helped: int = 0
    """Became right."""
    hurt: int = 0
    """Was right and became wrong, or had no topic and got a wrong one."""

    def add(self, before: str, after: str, wanted: str) -> None:
        if before == after:
            return
        self.changed += 1
        self.helped += after == wanted
        self.hurt += after != wanted and before in (wanted, UNKNOWN)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--choose", type=Path, help="on folds 1 and 2, with models that left them out, kept in this folder"
    )
    parser.add_argument(
        "--data", type=Path, help="folder with banking77/train.csv.gz: that in place of the own set"
    )
    arguments = parser.parse_args()
    sources = Sources.default()
    encode = Encoders(remembered=60_000)
    examples = load_examples(HERE / "data", sources.taxonomy.languages)
    tables: dict[tuple[str, float], Tally] = {}
    later = 0
    if arguments.data:
        later = banking(arguments.data, encode, tables)
    for fold in () if arguments.data else (1, 2) if arguments.choose else (0,):
        model = HERE / "models"
        mine = [e for e in examples if e.check]
        if arguments.choose and fold:
            model = arguments.choose / str(fold)
            if not (model / "default.json").exists():
                make_model(HERE / "data", HERE / "lexicon", sources.taxonomy, model, print, check_fold=fold)
            mine = [e for e in load_examples(HERE / "data", sources.taxonomy.languages, fold) if e.check]
        knowledge = load_knowledge(replace(sources, model=model))
        later += tally(mine, knowledge, encode, tables)
    what = (
        "a quarter of banking77, judged after ten examples a topic" if arguments.data else "the check split"
    )
    rows = [
        [
            state,
            f"{limit:.2f}",
            f"{t.changed / later:.4f}",
            f"{t.helped / later:.4f}",
            f"{t.hurt / later:.4f}",
        ]
        for (state, limit), t in sorted(tables.items())
    ]
    for row in rows:
        print("  ".join(row), flush=True)
    if arguments.choose:
        return
    report.write(
        "corrections_banking77" if arguments.data else "corrections",
        "Corrections: what they change in later messages",
        "python -m bench.corrections" + (" --data DIR" if arguments.data else ""),
        ["the model said", "cosine from", "changed", "became right", "became wrong"],
        rows,
        f"Shares of {later // _HALVINGS} later messages, mean of {_HALVINGS} halvings of {what}; wrong and unknown"
        f" ones of the other half are corrected. In force: {SIMILAR:.2f} where the model names no topic or makes"
        " the mistake that was corrected; never where it names yet another topic.",
    )


def tally(
    examples: Sequence[Example], knowledge: Knowledge, encode: Encode, tables: dict[tuple[str, float], Tally]
) -> int:
    """Adds to the tables; the number of later messages."""
    topical = [e for e in examples if e.topic and e.kind == "request"]
    texts = [e.text for e in topical]
    signals: list[Signals] = classify_many([Query(text) for text in texts], knowledge)
    vectors = encode(texts, [e.language for e in topical])
    return halve([e.topic for e in topical], [s.topic.value for s in signals], vectors, tables)


def banking(data: Path, encode: Encoder, tables: dict[tuple[str, float], Tally]) -> int:
    """The same of a set whose 77 topics are close together, by a model that was given ten examples of each."""
    rows = [replace(row, language="en") for row in read_labelled(data / "banking77" / "train.csv.gz").rows]
    few = drawn(rows, 10, 1)
    known = {row.number for row in few}
    later = [row for row in rows if row.number not in known][::4]
    tools = replace(tools_of(None), encode=encode)
    verdicts = judge_rows(later, model := train_rows(few, tools, "topic").model, tools, "topic", "cascade")
    said = [
        model.labels[int(v.probabilities[0].argmax())] if v.confidence[0] >= _THRESHOLD else UNKNOWN
        for v in verdicts
    ]
    right = np.mean([a == row.label for a, row in zip(said, later, strict=True)])
    print(f"{len(later)} texts, {right:.4f} right, {said.count(UNKNOWN)} without a topic")
    vectors = encode([row.text for row in later], ["en"] * len(later))
    return halve([row.label for row in later], said, vectors, tables)


def halve(
    wanted: Sequence[str], said: Sequence[str], vectors: Floats, tables: dict[tuple[str, float], Tally]
) -> int:
    """Adds ten halvings to the tables; the number of later messages of all."""
    cosines = vectors @ vectors.T
    count = 0
    for seed in range(_HALVINGS):
        order = np.random.default_rng(seed).permutation(len(wanted))
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        lessons = [int(i) for i in first if said[i] != wanted[int(i)]]
        count += len(second)
        for i in second.tolist():
            best = lessons[int(cosines[i, lessons].argmax())]
            same = said[i] == said[best]
            state = "no topic" if said[i] == UNKNOWN else "the same wrong topic" if same else "another topic"
            for limit in _LIMITS:
                after = wanted[best] if cosines[i, best] >= limit else said[i]
                tables.setdefault((state, limit), Tally()).add(said[i], after, wanted[i])
    return count


if __name__ == "__main__":
    main()
