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
from services.triage.adapters.encoders import Encoders
from services.triage.adapters.knowledge import HERE, Sources, load_knowledge
from services.triage.adapters.training.dataset import Example, load_examples
from services.triage.adapters.training.making import make_model
from services.triage.domain.classification import Knowledge, Query, classify_many
from services.triage.domain.label_model import Encode, Floats
from services.triage.domain.overlay import SIMILAR_WHEN_NAMED, SIMILAR_WHEN_UNKNOWN
from services.triage.domain.signals import UNKNOWN, Signals

_HALVINGS = 10
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
    arguments = parser.parse_args()
    sources = Sources.default()
    encode = Encoders(remembered=60_000)
    examples = load_examples(HERE / "data", sources.taxonomy.languages)
    tables: dict[tuple[str, float], Tally] = {}
    later = 0
    for fold in (1, 2) if arguments.choose else (0,):
        model = HERE / "models"
        mine = [e for e in examples if e.check]
        if arguments.choose and fold:
            model = arguments.choose / str(fold)
            if not (model / "default.json").exists():
                make_model(HERE / "data", HERE / "lexicon", sources.taxonomy, model, print, check_fold=fold)
            mine = [e for e in load_examples(HERE / "data", sources.taxonomy.languages, fold) if e.check]
        knowledge = load_knowledge(replace(sources, model=model))
        later += tally(mine, knowledge, encode, tables)
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
        "corrections",
        "Corrections: what they change in later messages",
        "python -m bench.corrections",
        ["the model said", "cosine from", "changed", "became right", "became wrong"],
        rows,
        f"Shares of {later // _HALVINGS} later messages, mean of {_HALVINGS} halvings of the check split; wrong and unknown"
        f" ones of the other half are corrected. In force: {SIMILAR_WHEN_UNKNOWN:.2f} where the model names no topic,"
        f" {SIMILAR_WHEN_NAMED:.2f} where it makes the mistake that was corrected, never where it names yet another topic.",
    )


def tally(
    examples: Sequence[Example], knowledge: Knowledge, encode: Encode, tables: dict[tuple[str, float], Tally]
) -> int:
    """Adds to the tables; the number of later messages."""
    topical = [e for e in examples if e.topic and e.kind == "request"]
    texts, languages = [e.text for e in topical], [e.language for e in topical]
    signals: list[Signals] = classify_many([Query(text) for text in texts], knowledge)
    vectors: Floats = encode(texts, languages)
    cosines = vectors @ vectors.T
    said = [s.topic.value for s in signals]
    count = 0
    for seed in range(_HALVINGS):
        order = np.random.default_rng(seed).permutation(len(topical))
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        lessons = [int(i) for i in first if said[i] != topical[int(i)].topic]
        count += len(second)
        for i in second.tolist():
            best = lessons[int(cosines[i, lessons].argmax())]
            same = said[i] == said[best]
            state = "no topic" if said[i] == UNKNOWN else "the same wrong topic" if same else "another topic"
            for limit in _LIMITS:
                after = topical[best].topic if cosines[i, best] >= limit else said[i]
                tables.setdefault((state, limit), Tally()).add(said[i], after, topical[i].topic)
    return count


if __name__ == "__main__":
    main()
