"""Which words and columns spoke for a label."""

from typing import Literal

from services.triage.domain.features import Features
from services.triage.domain.label_model import LabelModel

Loud = tuple[Literal["word", "lexicon"], str, float]
_LEAST = 0.01


def loudest(features: Features, model: LabelModel, label: int, most: int) -> list[Loud]:
    """The `most` words and columns with the largest weight for a label against the mean of all, loudest first."""
    weights: dict[tuple[Literal["word", "lexicon"], str], float] = {}

    def spoken(rows: list[int]) -> list[float]:
        block = model.weights[rows]
        return [float(v) for v in block[:, label] - block.mean(axis=1)]

    def add(source: Literal["word", "lexicon"], detail: str, weight: float) -> None:
        weights[source, detail] = weights.get((source, detail), 0.0) + weight

    words = [(int(model.word_rows[bucket]), " ".join(pair)) for bucket, pair in features.words.items()]
    letters = [
        (int(model.letter_rows[bucket]), features.tokens[at]) for bucket, at in features.letters.items()
    ]
    for pairs in (words, letters):
        scale = 1.0 / max(1, len(pairs)) ** 0.5
        kept = [(row, shown) for row, shown in pairs if row >= 0]
        for (_, shown), weight in zip(kept, spoken([row for row, _ in kept]), strict=True):
            add("word", shown, weight * scale)
    named = [name for name in features.columns if name in model.column_rows]
    for name, weight in zip(named, spoken([model.column_rows[name] for name in named]), strict=True):
        hits = ", ".join(features.hits.get(name, ())[:3])
        add("lexicon", f"{name}: {hits}" if hits else name, weight * features.columns[name])
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [(source, detail, weight) for (source, detail), weight in ranked if weight > _LEAST]
