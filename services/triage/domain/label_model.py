"""A model of any set of labels in two tiers: hashed words, and vectors of a sentence encoder. Numpy only.

A text is scored by words first. Where they alone are not sure, the encoder's scores join: logits are added, each with
a weight that was fitted on texts no part had seen ("log-linear pooling"). How far a text lies from everything the model
was trained on is told apart from how sure the label is: by the highest logit and by the nearest labelled examples,
never by the softmax (measured: `docs/decisions/0015-two-tiers.md`, 0029).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.triage.domain.encoding import BESIDE, Encoder, Floats, encoded
from services.triage.domain.features import Features, known_share
from services.triage.domain.language import UNDETERMINED
from services.triage.domain.probabilities import log_odds, logistic, softmax

Ints = npt.NDArray[np.int32]

NEAREST = 3
NEVER = 2.0
"""As `sure`: the words never decide alone."""
_KNOWN_ENOUGH = 0.6


@dataclass(frozen=True)
class EncoderHead:
    """The second tier."""

    weights: Floats
    """DIMENSIONS x labels; BESIDE x labels of a model of few examples, which both encoders read."""
    bias: Floats
    far_weights: Floats
    """DIMENSIONS x labels, for texts in languages that were not trained: held back more, for what crosses is coarser."""
    far_bias: Floats
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
    """Weight of the words' score, times `word_weight`."""
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
    languages: frozenset[str]
    """Languages of the training texts. In another one words say nothing; when empty they are not known, and words
    count everywhere."""
    thin: frozenset[str]
    """Those of them with so few texts that they are read as languages that were not trained are: by both encoders."""
    encoder: EncoderHead | None
    mixture: Mixture
    confidence: Mapping[str, float]
    """The logistic map from the log-odds of the best label to the chance that it is right: `slope`, `intercept`,
    `near`, `known`, and by trained language `language:CODE`; for words alone `words_slope`, `words_intercept`."""
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
    encoder: Encoder | None,
    *,
    cascade: bool = True,
) -> Verdicts:
    """Score texts. Without `cascade` the encoder is asked of every text; without `encoder` of none."""
    count = len(features)
    words = word_scores(features, model)
    known = np.array([known_share(one, model.known) for one in features], dtype=np.float32)
    weight = word_weight(known, languages, model.languages)
    foreign = np.array([_is_foreign(code, model.languages) for code in languages], dtype=bool)
    shared = np.where(foreign, np.float32(0.0), known)
    alone = softmax(words * model.mixture.words_alone)
    best_alone = alone.max(axis=1) if count else np.zeros(0, dtype=np.float32)
    asked = np.ones(count, dtype=bool)
    if encoder is None or model.encoder is None:
        asked[:] = False
    elif cascade:
        asked = (best_alone < model.mixture.sure) | (shared < _KNOWN_ENOUGH)
    probabilities = alone
    outside = outside_of(words.max(axis=1), known, model.scope_words) if count else best_alone
    c = model.confidence
    confidence = logistic(c["words_slope"] * log_odds(best_alone) + c["words_intercept"])
    confidence = np.where(known > 0, confidence, np.minimum(confidence, 1.0 / (1 + len(model.labels))))
    near = np.zeros(count, dtype=np.float32)
    neighbours: list[tuple[tuple[int, float], ...]] = [()] * count
    rows = np.flatnonzero(asked)
    if rows.size and encoder is not None and model.encoder is not None:
        at = rows.tolist()
        mine, spoken = [texts[i] for i in at], [languages[i] for i in at]
        strange = foreign | np.array([code in model.thin for code in languages], dtype=bool)
        vectors = encoded(mine, spoken, strange[rows], encoder)
        second = _second(vectors, mine, spoken, foreign[rows], model.encoder, encoder)
        logits = combine(words[rows], weight[rows], second, model.mixture)
        probabilities = probabilities.copy()
        probabilities[rows] = softmax(logits)
        best = logits.argmax(axis=1)
        cosines = vectors @ model.encoder.examples.T
        near[rows] = nearness(cosines, best, model.encoder.example_labels)
        chosen = second[np.arange(len(rows)), best]
        outside[rows] = outside_of(chosen, near[rows], model.scope)
        # Where words do not count, that none is known is no reason for doubt: the encoder's figures say how sure it is.
        doubt = np.where(foreign[rows], np.float32(1.0), known[rows])
        confidence[rows] = confidence_of(probabilities[rows].max(axis=1), near[rows], doubt, spoken, c)
        for row, nearest in zip(rows.tolist(), _nearest(cosines), strict=True):
            neighbours[row] = nearest
    return Verdicts(probabilities, confidence.astype(np.float32), outside, asked, near, tuple(neighbours))


def _second(
    vectors: Floats,
    texts: Sequence[str],
    languages: Sequence[str],
    foreign: npt.NDArray[np.bool_],
    head: EncoderHead,
    encoder: Encoder,
) -> Floats:
    """The encoder's scores, texts x labels."""
    wide = len(head.weights) == BESIDE
    # Without the second encoder the head that reads one vector serves all languages.
    far = np.ones_like(foreign) if wide and not encoder.second else foreign
    second = np.zeros((len(texts), len(head.bias)), dtype=np.float32)
    second[far] = vectors[far] @ head.far_weights + head.far_bias
    home = np.flatnonzero(~far).tolist()
    if home:
        read = vectors[home]
        if wide:
            read = np.hstack([read, encoder.beside([texts[i] for i in home], [languages[i] for i in home])])
        second[home] = read @ head.weights + head.bias
    return second


def word_weight(known: Floats, languages: Sequence[str], trained: frozenset[str]) -> Floats:
    """How much words count beside the encoder, 0..1: in full in a language that was trained, not at all in another (what
    they share with it misleads); where a language is not known, for as much as they are."""
    kept = [
        1.0 if code in trained else 0.0 if _is_foreign(code, trained) else float(share)
        for code, share in zip(languages, known, strict=True)
    ]
    return np.array(kept, dtype=np.float32)


def _is_foreign(code: str, trained: frozenset[str]) -> bool:
    return bool(trained) and code != UNDETERMINED and code not in trained


def word_scores(features: Sequence[Features], model: LabelModel) -> Floats:
    """Scores by words, letters and columns, texts x labels."""
    total = np.repeat(model.bias[None, :], len(features), axis=0).astype(np.float32)
    for at, one in enumerate(features):
        for table, buckets in ((model.word_rows, one.words), (model.letter_rows, one.letters)):
            rows = table[np.fromiter(buckets, dtype=np.int64, count=len(buckets))]
            rows = rows[rows >= 0]
            if rows.size:
                # Not .sum(axis=0), which goes over the rows one by one: five times slower.
                scale = np.full(rows.size, 1.0 / len(buckets) ** 0.5, dtype=np.float32)
                total[at] += scale @ model.weights.take(rows, axis=0)
        for name, value in one.columns.items():
            if (row := model.column_rows.get(name)) is not None:
                total[at] += model.weights[row] * np.float32(value)
    return total


def combine(words: Floats, weight: Floats, second: Floats, mixture: Mixture) -> Floats:
    """Logits of both tiers; `weight` as of `word_weight`."""
    return np.asarray(mixture.words * weight[:, None] * words + mixture.encoder * second, dtype=np.float32)


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


def _nearest(cosines: Floats) -> list[tuple[tuple[int, float], ...]]:
    """By text the NEAREST examples of any label, nearest first."""
    count = min(NEAREST, cosines.shape[1])
    if not count:
        return [()] * len(cosines)
    some = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    near = np.take_along_axis(cosines, some, axis=1)
    order = np.argsort(-near, axis=1, kind="stable")
    columns, values = (np.take_along_axis(part, order, axis=1).tolist() for part in (some, near))
    return [tuple(zip(c, v, strict=True)) for c, v in zip(columns, values, strict=True)]


def outside_of(top: Floats, near: Floats, scope: Scope) -> Floats:
    """The chance, 0..1, of being out of scope."""
    value = (
        scope.top * (top - scope.top_mean) / scope.top_scale
        + scope.near * (near - scope.near_mean) / scope.near_scale
        + scope.intercept
    )
    return np.asarray(1.0 - logistic(value), dtype=np.float32)


def confidence_of(
    best: Floats, near: Floats, known: Floats, languages: Sequence[str], fitted: Mapping[str, float]
) -> Floats:
    """The chance, 0..1, that the best label is right. How many words are known and how near examples are means more in one
    language than in another: each has an intercept of its own, which is 0 where few texts or none told."""
    value = (
        fitted["slope"] * log_odds(best)
        + fitted["near"] * near
        + fitted["known"] * known
        + fitted["intercept"]
        + np.array([fitted.get(f"language:{code}", 0.0) for code in languages])
    )
    return np.asarray(logistic(value), dtype=np.float32)
