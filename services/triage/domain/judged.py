"""What a model said of labelled texts that it had not seen: figures by topic, confusions, calibration, a comparison."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.triage.domain.measures import BINS, accuracy, calibration_error, macro_f1


@dataclass(frozen=True, slots=True)
class Judged:
    """One text, by the key of its row."""

    key: str
    label: str
    said: str
    confidence: float
    """0..1: the chance that `said` is right."""
    language: str
    check: bool
    """Held out of training; otherwise judged by a model of the other folds."""


@dataclass(frozen=True, slots=True)
class TopicFigures:
    """How well one topic is found."""

    topic: str
    texts: int
    precision: float
    """Share of the texts said to be of it that are; nan when it was never said."""
    recall: float
    """Share of its texts that were said to be; nan when it has none."""
    f1: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of about the same confidence."""

    low: float
    high: float
    texts: int
    confidence: float
    """Their mean."""
    right: float
    """Share of them that are right."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same texts, neither of which had seen them."""

    texts: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    gained: Sequence[str]
    """Keys of texts that became right."""
    lost: Sequence[str]
    """Keys of texts that became wrong."""

    @property
    def worse(self) -> bool:
        """Fewer texts are right than before, or the mean F1 of the topics fell by more than a hundredth."""
        if not self.texts:
            return False
        return len(self.lost) > len(self.gained) or (
            self.after["macro_f1"] < self.before["macro_f1"] - _LEAST_FALL
        )


_LEAST_FALL = 0.01


def figures(judged: Sequence[Judged]) -> dict[str, float]:
    """Count, accuracy, macro-F1 and calibration error; of no texts nan."""
    wanted, said = [j.label for j in judged], [j.said for j in judged]
    right = np.array([j.label == j.said for j in judged])
    return {
        "texts": float(len(judged)),
        "accuracy": accuracy(wanted, said),
        "macro_f1": macro_f1(wanted, said),
        "calibration_error": calibration_error(np.array([j.confidence for j in judged]), right),
    }


def by_topic(judged: Sequence[Judged]) -> list[TopicFigures]:
    """Each topic that was wanted or said, the commonest first."""
    wanted = Counter(j.label for j in judged)
    said = Counter(j.said for j in judged)
    right = Counter(j.label for j in judged if j.label == j.said)
    found = []
    for topic in sorted({*wanted, *said}, key=lambda name: (-wanted[name], name)):
        total = wanted[topic] + said[topic]
        found.append(
            TopicFigures(
                topic,
                wanted[topic],
                right[topic] / said[topic] if said[topic] else float("nan"),
                right[topic] / wanted[topic] if wanted[topic] else float("nan"),
                2 * right[topic] / total,
            )
        )
    return found


def confusions(judged: Sequence[Judged], most: int) -> list[tuple[str, str, int]]:
    """(wanted, said, how often), the commonest mistakes first."""
    counts = Counter((j.label, j.said) for j in judged if j.label != j.said)
    return [(a, b, n) for (a, b), n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]]


def reliability(judged: Sequence[Judged], bins: int = 10) -> list[Bin]:
    """Bins of equal width over 0..1 that hold texts."""
    placed: dict[int, list[Judged]] = {}
    for j in judged:
        placed.setdefault(min(bins - 1, int(j.confidence * bins)), []).append(j)
    return [
        Bin(
            index / bins,
            (index + 1) / bins,
            len(mine),
            float(np.mean([j.confidence for j in mine])),
            float(np.mean([j.label == j.said for j in mine])),
        )
        for index, mine in sorted(placed.items())
    ]


def answered(judged: Sequence[Judged], threshold: float) -> tuple[float, float]:
    """Share of texts at or above a threshold, and the share of those that are right (nan when there are none)."""
    said = [j for j in judged if j.confidence >= threshold]
    share = len(said) / len(judged) if judged else float("nan")
    return share, float(np.mean([j.label == j.said for j in said])) if said else float("nan")


def compare(before: Sequence[Judged], after: Sequence[Judged]) -> Comparison:
    """On the texts that both have under the same label; on those held out alone where there are enough of them."""
    old, new = {j.key: j for j in before}, {j.key: j for j in after}
    common = [key for key in old if key in new and old[key].label == new[key].label]
    held = [key for key in common if old[key].check and new[key].check]
    keys = held if len(held) >= _ENOUGH else common
    return Comparison(
        len(keys),
        figures([old[key] for key in keys]),
        figures([new[key] for key in keys]),
        [k for k in keys if old[k].said != old[k].label and new[k].said == new[k].label],
        [k for k in keys if old[k].said == old[k].label and new[k].said != new[k].label],
    )


_ENOUGH = 4 * BINS
