"""What a model of labels says of texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.triage.domain.encoding import Encoder, Floats, encoded
from services.triage.domain.features import Features, known_share
from services.triage.domain.label_model import Ints, LabelModel, Rereading, Scope
from services.triage.domain.language import UNDETERMINED
from services.triage.domain.probabilities import log_odds, logistic, softmax

NEAREST = 3
_KNOWN_ENOUGH = 0.6


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
    """Whether an encoder was asked."""
    reread: npt.NDArray[np.bool_]
    """Whether both were, side by side."""
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
            self.reread[one],
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
    foreign = np.array([_is_foreign(code, model.languages) for code in languages], dtype=bool)
    shared = np.where(foreign, np.float32(0.0), known)
    alone = softmax(words * model.mixture.words_alone)
    best_alone = alone.max(axis=1) if count else np.zeros(0, dtype=np.float32)
    asked = np.ones(count, dtype=bool)
    if encoder is None or model.encoder is None:
        asked[:] = False
    elif cascade:
        asked = (best_alone < model.mixture.sure) | (shared < _KNOWN_ENOUGH)
    outside = outside_of(words.max(axis=1), known, model.scope_words) if count else best_alone
    c = model.confidence
    confidence = logistic(c["words_slope"] * log_odds(best_alone) + c["words_intercept"])
    confidence = np.where(known > 0, confidence, np.minimum(confidence, 1.0 / (1 + len(model.labels))))
    found = _Said(alone.copy(), confidence.astype(np.float32), outside, np.zeros(count, dtype=np.float32))
    neighbours: list[tuple[tuple[int, float], ...]] = [()] * count
    reread = np.zeros(count, dtype=np.bool_)
    rows = np.flatnonzero(asked)
    if rows.size and encoder is not None and model.encoder is not None:
        at = rows.tolist()
        mine = [texts[i] for i in at], [languages[i] for i in at]
        read = _read(*mine, words[rows], known[rows], foreign[rows], model, encoder)
        found.put(rows, read.said)
        reread[rows[read.again]] = True
        for row, nearest in zip(at, _nearest(read.cosines), strict=True):
            neighbours[row] = nearest
    return Verdicts(
        found.probabilities, found.confidence, found.outside, asked, reread, found.near, tuple(neighbours)
    )


@dataclass(frozen=True)
class _Said:
    """Of texts by one tier; as of `Verdicts`."""

    probabilities: Floats
    confidence: Floats
    outside: Floats
    near: Floats

    def put(self, rows: npt.NDArray[np.int64], other: "_Said") -> None:
        """What another tier says of some of the texts, in place of this."""
        for mine, theirs in (
            (self.probabilities, other.probabilities),
            (self.confidence, other.confidence),
            (self.outside, other.outside),
            (self.near, other.near),
        ):
            mine[rows] = theirs


@dataclass(frozen=True)
class _Read:
    said: _Said
    cosines: Floats
    """To the examples."""
    again: npt.NDArray[np.int64]
    """Rows that both encoders have read."""


def _read(
    texts: Sequence[str],
    languages: Sequence[str],
    words: Floats,
    known: Floats,
    foreign: npt.NDArray[np.bool_],
    model: LabelModel,
    encoder: Encoder,
) -> _Read:
    """By the encoder, and what is not sure by both side by side."""
    assert model.encoder is not None
    head, again = model.encoder, model.rereading
    strange = foreign | np.array([code in model.thin for code in languages], dtype=bool)
    vectors = encoded(texts, languages, strange, encoder)
    cosines = vectors @ head.examples.T
    weight = word_weight(known, languages, model.languages)
    # Where words do not count, that none is known is no reason for doubt: the encoder's figures say how sure it is.
    doubt = np.where(foreign, np.float32(1.0), known)
    scores = vectors @ head.weights + head.bias
    scores[foreign] = vectors[foreign] @ head.far_weights + head.far_bias

    def said(
        rows: npt.NDArray[np.int64], scores: Floats, logits: Floats, tier: LabelModel | Rereading
    ) -> _Said:
        best = logits.argmax(axis=1)
        probabilities = softmax(logits)
        near = nearness(cosines[rows], best, head.example_labels)
        spoken = [languages[i] for i in rows.tolist()]
        return _Said(
            probabilities,
            confidence_of(probabilities.max(axis=1), near, doubt[rows], spoken, tier.confidence),
            outside_of(scores[np.arange(len(rows)), best], near, tier.scope),
            near,
        )

    everything = np.arange(len(texts))
    mixture = model.mixture
    found = said(everything, scores, combine(words, weight, scores, mixture.words, mixture.encoder), model)
    rows = np.zeros(0, dtype=np.int64)
    if again is not None and encoder.second:
        rows = np.flatnonzero((found.confidence < again.below) & ~foreign)
        if rows.size:
            at = rows.tolist()
            beside = encoder.beside([texts[i] for i in at], [languages[i] for i in at])
            scores = np.hstack([vectors[rows], beside]) @ again.weights + again.bias
            logits = combine(words[rows], weight[rows], scores, again.words, again.encoder)
            found.put(rows, said(rows, scores, logits, again))
    return _Read(found, cosines, rows)


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


def combine(words: Floats, weight: Floats, second: Floats, by_words: float, by_encoder: float) -> Floats:
    """Logits of both tiers; `weight` as of `word_weight`, the last two as of `Mixture`."""
    return np.asarray(by_words * weight[:, None] * words + by_encoder * second, dtype=np.float32)


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
