"""A model of any set of labels in two tiers: hashed words, and vectors of a sentence encoder. Numpy only.

A text is scored by words first. Where they alone are not sure, the encoder's scores join: logits are added, each with
a weight that was fitted on texts no part had seen ("log-linear pooling"). How far a text lies from everything the model
was trained on is told apart from how sure the label is: by the highest logit and by the nearest labelled examples,
never by the softmax (measured: `docs/decisions/0015-two-tiers.md`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.triage.domain.features import Features, known_share

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Encode = Callable[[Sequence[str], Sequence[str]], Floats]
"""Texts and their languages (ISO 639-1 or `und`) -> unit vectors, texts x DIMENSIONS. Any text is allowed."""

DIMENSIONS = 512
NEAREST = 3
NEVER = 2.0
"""As `sure`: the words never decide alone."""
_KNOWN_ENOUGH = 0.6


@dataclass(frozen=True)
class EncoderHead:
    """The second tier."""

    weights: Floats
    """DIMENSIONS x labels."""
    bias: Floats
    examples: Floats
    """Unit vectors of labelled examples, examples x DIMENSIONS, in the order of their labels."""
    example_labels: Ints
    """Index of the label of each example, ascending."""
    example_texts: tuple[str, ...]
    """The examples' words, for explanations; empty when they are not kept."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How scores become logits, fitted on texts that the parts had not seen."""

    words: float
    """Weight of the words' score, times the share of words that are known."""
    encoder: float
    words_alone: float
    """Weight of the words' score where they decide alone."""
    sure: float
    """Probability, by words alone, from which the encoder is not asked."""


@dataclass(frozen=True, slots=True)
class Scope:
    """From the highest score and the nearness of examples to the chance that a text is out of scope."""

    top_mean: float
    top_scale: float
    near_mean: float
    near_scale: float
    top: float
    near: float
    intercept: float


@dataclass(frozen=True)
class LabelModel:
    """Made by training, never changed."""

    version: str
    labels: tuple[str, ...]
    word_rows: Ints
    """Bucket of words -> row of `weights`, or -1."""
    letter_rows: Ints
    column_rows: Mapping[str, int]
    weights: Floats
    """Rows x labels."""
    bias: Floats
    known: frozenset[int]
    """Buckets of the single words of the training texts."""
    encoder: EncoderHead | None
    mixture: Mixture
    confidence: Mapping[str, float]
    """The logistic map from the log-odds of the best label to the chance that it is right: `slope`, `intercept`,
    `near`, `known`; for words alone `words_slope`, `words_intercept`."""
    scope: Scope
    scope_words: Scope
    """The same where words decide alone; its nearness is the share of known words."""


@dataclass(frozen=True)
class Verdicts:
    """What a model says of texts; arrays in their order."""

    probabilities: Floats
    """Texts x labels; rows sum to 1."""
    confidence: Floats
    """Calibrated chance that the most probable label is right, 0..1."""
    outside: Floats
    """0..1: how likely none of the labels fits."""
    encoded: npt.NDArray[np.bool_]
    """Whether the encoder was asked."""
    near: Floats
    """Mean cosine of the NEAREST examples of the best label, -1..1; where the encoder was not asked, 0."""
    neighbours: tuple[tuple[tuple[int, float], ...], ...]
    """By text the nearest examples of any label: (index into `EncoderHead.examples`, cosine), nearest first."""

    def of(self, index: int) -> "Verdicts":
        """The verdict on one text."""
        one = slice(index, index + 1)
        return Verdicts(
            self.probabilities[one],
            self.confidence[one],
            self.outside[one],
            self.encoded[one],
            self.near[one],
            self.neighbours[one],
        )


def judge(
    features: Sequence[Features],
    texts: Sequence[str],
    languages: Sequence[str],
    model: LabelModel,
    encode: Encode | None,
    *,
    cascade: bool = True,
) -> Verdicts:
    """Score texts. Without `cascade` the encoder is asked of every text; without `encode` of none."""
    count = len(features)
    words = word_scores(features, model)
    known = np.array([known_share(one, model.known) for one in features], dtype=np.float32)
    alone = softmax(words * model.mixture.words_alone)
    best_alone = alone.max(axis=1) if count else np.zeros(0, dtype=np.float32)
    asked = np.ones(count, dtype=bool)
    if encode is None or model.encoder is None:
        asked[:] = False
    elif cascade:
        asked = (best_alone < model.mixture.sure) | (known < _KNOWN_ENOUGH)
    probabilities = alone
    outside = outside_of(words.max(axis=1), known, model.scope_words) if count else best_alone
    c = model.confidence
    confidence = logistic(c["words_slope"] * log_odds(best_alone) + c["words_intercept"])
    confidence = np.where(known > 0, confidence, np.minimum(confidence, 1.0 / (1 + len(model.labels))))
    near = np.zeros(count, dtype=np.float32)
    neighbours: list[tuple[tuple[int, float], ...]] = [()] * count
    rows = np.flatnonzero(asked)
    if rows.size and encode is not None and model.encoder is not None:
        vectors = encode([texts[i] for i in rows.tolist()], [languages[i] for i in rows.tolist()])
        second = vectors @ model.encoder.weights + model.encoder.bias
        logits = combine(words[rows], known[rows], second, model.mixture)
        probabilities = probabilities.copy()
        probabilities[rows] = softmax(logits)
        best = logits.argmax(axis=1)
        cosines = vectors @ model.encoder.examples.T
        near[rows] = nearness(cosines, best, model.encoder.example_labels)
        chosen = second[np.arange(len(rows)), best]
        outside[rows] = outside_of(chosen, near[rows], model.scope)
        confidence[rows] = confidence_of(probabilities[rows].max(axis=1), near[rows], known[rows], c)
        order = np.argsort(-cosines, axis=1)[:, :NEAREST]
        for at, row in enumerate(rows):
            neighbours[row] = tuple((int(i), float(cosines[at, i])) for i in order[at])
    return Verdicts(probabilities, confidence.astype(np.float32), outside, asked, near, tuple(neighbours))


def word_scores(features: Sequence[Features], model: LabelModel) -> Floats:
    """Scores by words, letters and columns, texts x labels."""
    rows: list[int] = []
    values: list[float] = []
    starts = [0]
    for one in features:
        scale_words = 1.0 / max(1, len(one.words)) ** 0.5
        scale_letters = 1.0 / max(1, len(one.letters)) ** 0.5
        found_words = model.word_rows[np.fromiter(one.words, dtype=np.int64, count=len(one.words))]
        found_letters = model.letter_rows[np.fromiter(one.letters, dtype=np.int64, count=len(one.letters))]
        kept_words = found_words[found_words >= 0].tolist()
        kept_letters = found_letters[found_letters >= 0].tolist()
        rows += kept_words
        rows += kept_letters
        values += [scale_words] * len(kept_words)
        values += [scale_letters] * len(kept_letters)
        for name, value in one.columns.items():
            if (row := model.column_rows.get(name)) is not None:
                rows.append(row)
                values.append(value)
        starts.append(len(rows))
    total = np.repeat(model.bias[None, :], len(features), axis=0).astype(np.float32)
    if rows:
        gathered = model.weights[rows] * np.array(values, dtype=np.float32)[:, None]
        filled = [i for i in range(len(features)) if starts[i] < starts[i + 1]]
        total[filled] += np.add.reduceat(gathered, [starts[i] for i in filled], axis=0)
    return total


def combine(words: Floats, known: Floats, second: Floats, mixture: Mixture) -> Floats:
    """Logits of both tiers: words count for as much as they are known."""
    return np.asarray(mixture.words * known[:, None] * words + mixture.encoder * second, dtype=np.float32)


def nearness(cosines: Floats, best: npt.NDArray[np.int64], example_labels: Ints) -> Floats:
    """Mean of the NEAREST highest cosines among the examples of each text's best label; 0 where it has none.

    `example_labels` ascend.
    """
    near = np.zeros(len(best), dtype=np.float32)
    for label in np.unique(best):
        first, last = np.searchsorted(example_labels, [label, label + 1])
        if first == last:
            continue
        mine = np.flatnonzero(best == label)
        part = np.sort(cosines[mine, first:last], axis=1)[:, -NEAREST:]
        near[mine] = part.mean(axis=1)
    return near


def outside_of(top: Floats, near: Floats, scope: Scope) -> Floats:
    """The chance, 0..1, of being out of scope."""
    value = (
        scope.top * (top - scope.top_mean) / scope.top_scale
        + scope.near * (near - scope.near_mean) / scope.near_scale
        + scope.intercept
    )
    return np.asarray(1.0 - logistic(value), dtype=np.float32)


def confidence_of(best: Floats, near: Floats, known: Floats, fitted: Mapping[str, float]) -> Floats:
    """The chance, 0..1, that the best label is right."""
    value = (
        fitted["slope"] * log_odds(best)
        + fitted["near"] * near
        + fitted["known"] * known
        + fitted["intercept"]
    )
    return np.asarray(logistic(value), dtype=np.float32)


def softmax(scores: npt.NDArray[np.floating]) -> Floats:
    """Rows to probabilities."""
    if not scores.size:
        return np.zeros(scores.shape, dtype=np.float32)
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def log_odds(probability: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The logarithm of the odds, held within -12 .. 12."""
    kept = np.clip(probability.astype(np.float64), 6.1e-6, 1 - 6.1e-6)
    return np.asarray(np.log(kept / (1 - kept)))


def logistic(value: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """1 / (1 + exp(-value)), without overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -30.0, 30.0))))
