"""The linear model: features times weights, calibrated, explained. Numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from services.triage.domain.features import Features, known_share

Floats = npt.NDArray[np.float32]
BINARY = ("anger", "person", "disappointment", "joy", "complexity")
"""Heads that answer one question with yes or no."""
STRANGE = 0.05
"""The most confidence in a topic for a text without a known word, or in a language that is not served."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw scores become probabilities, fitted on predictions for texts the model had not seen."""

    temperature: Mapping[str, float]
    """By head: scores are divided by it before softmax or the logistic function."""
    offset: Mapping[str, float]
    """By binary head: added after the division."""
    topic: Mapping[str, float]
    """The logistic map from log-odds of the best topic to the chance that it is right: `slope`, `intercept`,
    `known` (times the share of known words), `short` (for texts of up to 3 words) and `language:<code>`."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The calibrated result for one text."""

    probabilities: Mapping[str, Mapping[str, float]]
    """Head -> class -> probability; a binary head has its own name as the one class."""
    topic_confidence: float
    """Calibrated chance that the most probable topic is right."""
    known_share: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What spoke for a class."""

    source: Literal["word", "lexicon"]
    detail: str
    weight: float


@dataclass(frozen=True)
class LinearModel:
    """Weights of all heads over one set of features. Made by training, never changed."""

    version: str
    heads: Mapping[str, tuple[str, ...]]
    """Head -> its classes; the columns of `weights` in this order, head after head."""
    word_rows: npt.NDArray[np.int32]
    """Bucket of words -> row of `weights`, or -1."""
    letter_rows: npt.NDArray[np.int32]
    column_rows: Mapping[str, int]
    """Named column -> row."""
    weights: Floats
    """Rows x classes, log-odds."""
    bias: Floats
    known: frozenset[int]
    """Buckets of the single words of the training texts."""
    calibration: Calibration

    def slice_of(self, head: str) -> slice:
        """The columns of a head."""
        start = 0
        for name, classes in self.heads.items():
            if name == head:
                return slice(start, start + len(classes))
            start += len(classes)
        raise KeyError(head)

    def raw(self, features: Features) -> Floats:
        """Uncalibrated scores of all classes of all heads."""
        total: Floats = self.bias.copy()
        for _, rows, scale in self._parts(features):
            kept = rows[rows >= 0]
            if kept.size:
                total += self.weights[kept].sum(axis=0) * scale
        if features.columns:
            named, values = self._columns(features)
            total += values @ self.weights[named]
        return total

    def score(self, features: Features, language: str) -> Scores:
        """Calibrated probabilities of all heads."""
        return calibrate(
            self.heads,
            self.raw(features),
            self.calibration,
            known_share(features, self.known),
            sum(1 for token in features.tokens if token[0].isalpha()),
            language,
        )

    def chance(self, features: Features, head: str) -> float:
        """The calibrated probability of a head of one class, of a model that has no topics."""
        raw = float(self.raw(features)[self.slice_of(head)][0])
        return _logistic(raw / self.calibration.temperature[head] + self.calibration.offset[head])

    def evidence(self, features: Features, head: str, chosen: str, most: int) -> list[Evidence]:
        """The `most` words and columns that spoke loudest for a class, loudest first; positive weights only."""
        columns = self.slice_of(head)
        names = self.heads[head]
        chosen_at = names.index(chosen)

        def speaks(rows: npt.NDArray[np.int32] | list[int]) -> list[float]:
            block = self.weights[rows, columns]
            middle = block.sum(axis=1) / len(names) if len(names) > 1 else 0.0
            return list((block[:, chosen_at] - middle).tolist())

        weights: dict[tuple[Literal["word", "lexicon"], str], float] = {}
        for part, rows, scale in self._parts(features):
            kept = rows >= 0
            spoken = np.array(speaks(rows[kept])) * scale
            if part == "letters":
                positions = np.fromiter(features.letters.values(), dtype=np.int64, count=len(rows))[kept]
                by_token = np.bincount(positions, weights=spoken, minlength=len(features.tokens)).tolist()
                pairs = zip(features.tokens, by_token, strict=True)
            else:
                shown = [" ".join(pair) for pair in features.words.values()]
                pairs = zip(
                    [w for w, keep in zip(shown, kept.tolist(), strict=True) if keep],
                    spoken.tolist(),
                    strict=True,
                )
            for word, weight in pairs:
                if weight:
                    weights["word", word] = weights.get(("word", word), 0.0) + weight
        named = [name for name in features.columns if name in self.column_rows]
        if named:
            for name, weight in zip(named, speaks([self.column_rows[name] for name in named]), strict=True):
                words = ", ".join(features.hits.get(name, ())[:3])
                key = f"{name}: {words}" if words else name
                weights["lexicon", key] = weight * features.columns[name]
        ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:most]
        return [Evidence(source, detail, weight) for (source, detail), weight in ranked if weight > 0.01]

    def _parts(self, features: Features) -> list[tuple[str, npt.NDArray[np.int32], float]]:
        parts = []
        for name, table, buckets in (
            ("words", self.word_rows, features.words),
            ("letters", self.letter_rows, features.letters),
        ):
            if buckets:
                rows = table[np.fromiter(buckets, dtype=np.int64, count=len(buckets))]
                parts.append((name, rows, 1.0 / len(buckets) ** 0.5))
        return parts

    def _columns(self, features: Features) -> tuple[list[int], Floats]:
        pairs = [(self.column_rows[n], v) for n, v in features.columns.items() if n in self.column_rows]
        return [row for row, _ in pairs], np.array([value for _, value in pairs], dtype=np.float32)


def calibrate(
    heads: Mapping[str, Sequence[str]],
    raw: Floats,
    calibration: Calibration,
    known: float,
    words: int,
    language: str,
) -> Scores:
    """Raw scores of one text to probabilities."""
    probabilities: dict[str, Mapping[str, float]] = {}
    start = 0
    for head, classes in heads.items():
        part = raw[start : start + len(classes)].astype(np.float64) / calibration.temperature[head]
        start += len(classes)
        if len(classes) == 1:
            probabilities[head] = {classes[0]: _logistic(float(part[0]) + calibration.offset[head])}
            continue
        shifted = np.exp(part - part.max())
        probabilities[head] = dict(zip(classes, (shifted / shifted.sum()).tolist(), strict=True))
    best = max(probabilities["topic"].values())
    fitted = calibration.topic
    confidence = _logistic(
        fitted["slope"] * log_odds(best)
        + fitted["known"] * known
        + fitted["short"] * float(words <= 3)
        + fitted["intercept"]
        + fitted.get(f"language:{language}", 0.0)
    )
    return Scores(probabilities, confidence if known > 0 else min(confidence, STRANGE), known)


def log_odds(probability: float) -> float:
    """The logarithm of the odds, held within -12 .. 12."""
    kept = min(max(probability, 6.1e-6), 1 - 6.1e-6)
    return float(np.log(kept / (1 - kept)))


def _logistic(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-max(-30.0, min(30.0, value)))))
