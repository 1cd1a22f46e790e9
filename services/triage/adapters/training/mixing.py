"""Fits what joins the tiers, on scores for texts that they had not seen: weights, and from when on the next is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from services.triage.adapters.training.confidence import (
    Judged,
    fit_confidence,
    fit_scope,
    fit_words_confidence,
)
from services.triage.domain.encoding import Floats
from services.triage.domain.judging import combine, confidence_of
from services.triage.domain.label_model import NEVER, Mixture, Rereading, Scope
from services.triage.domain.probabilities import softmax

Array = npt.NDArray[Any]
_THRESHOLDS: Final = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
_LOST: Final = 0.001
"""Accuracy that the cascade may lose against asking the encoder every time."""
_BELOW: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_KNOWN_ENOUGH: Final = 0.6
_FEW: Final = 20
_BLIND: Final = (0.5, 1.0)
"""Weights of words and encoder where too few texts could tell."""
_ENOUGH: Final = 200
_READ: Final = 4_000
"""Texts from which weights are fitted: two numbers need no more."""


@dataclass(frozen=True)
class Unseen:
    """Scores of texts by models that had not seen them. `wanted` is the label's index, -1 for none."""

    words: Floats
    second: Floats
    known: Floats
    weight: Floats
    """How much words count, as of `word_weight`."""
    wanted: Array
    both: Floats | None
    """By both encoders side by side; None where they are not."""
    near: dict[int, Callable[[npt.NDArray[np.int64]], Floats]]
    groups: list[npt.NDArray[np.int64]]

    @classmethod
    def empty(cls, texts: int, labels: int, wanted: Array, *, both: bool) -> "Unseen":
        """To be filled by `put`."""
        zeros = np.zeros((texts, labels), dtype=np.float32)
        known = np.zeros(texts, dtype=np.float32)
        again = zeros.copy() if both else None
        return cls(zeros, zeros.copy(), known, np.ones_like(known), wanted, again, {}, [])

    def put(self, rows: npt.NDArray[np.int64], scores: "Scored") -> None:
        """The scores of some of the texts."""
        if not len(rows):
            return
        self.words[rows], self.second[rows], self.known[rows] = scores.words, scores.second, scores.known
        if self.both is not None and scores.both is not None:
            self.both[rows] = scores.both
        self.near[len(self.groups)] = scores.near
        self.groups.append(rows)

    @property
    def tellable(self) -> npt.NDArray[np.bool_]:
        """Of a label's only text no model that had not seen it can know."""
        return np.asarray(np.bincount(self.wanted)[self.wanted] > 1)

    def judged(self, scores: Floats, words: float, second: float) -> tuple[npt.NDArray[np.int64], Judged]:
        """The best label of each text by words and these scores, and what was said of it."""
        probabilities = softmax(combine(self.words, self.weight, scores, words, second))
        best = probabilities.argmax(axis=1)
        return best, Judged(probabilities.max(axis=1), self._nearness(best), self.known)

    def _nearness(self, best: npt.NDArray[np.int64]) -> Floats:
        found = np.zeros(len(best), dtype=np.float32)
        for index, rows in enumerate(self.groups):
            found[rows] = self.near[index](best[rows])
        return found


@dataclass(frozen=True)
class Scored:
    """What the parts say of texts: as of `Unseen`."""

    words: Floats
    second: Floats
    known: Floats
    both: Floats | None
    near: Callable[[npt.NDArray[np.int64]], Floats]


def fit_mixture(
    unseen: Unseen,
    beyond: Unseen,
    noise: npt.NDArray[np.bool_],
    languages: Sequence[str],
    *,
    encoder: bool,
) -> tuple[Mixture, dict[str, float]]:
    """The mixture and the map to confidence.

    No label is right for the texts of `beyond`; `noise` marks those about nothing. `languages` are those of `unseen`.
    """
    wanted, known = unseen.wanted, unseen.tellable
    alone, (words, second) = 1.0, _weights(unseen, unseen.second)
    if known.sum() >= _least(wanted):
        alone = best_scale(unseen.words[known], wanted[known])
    if not encoder:
        words, second = alone, 0.0
    by_words = softmax(unseen.words * alone)
    right_words = by_words.argmax(axis=1) == wanted
    noise_by_words = softmax(beyond.words * alone)
    confidence = fit_words_confidence(by_words.max(axis=1), right_words, noise_by_words.max(axis=1), noise)
    if not encoder:
        nothing = {"slope": 1.0, "near": 0.0, "known": 0.0, "intercept": 0.0}
        return Mixture(words, second, alone, NEVER), {**confidence, **nothing}
    best, inside = unseen.judged(unseen.second, words, second)
    right = best == wanted
    sure = _sure(by_words.max(axis=1), unseen.known, right_words, right)
    _, strange = beyond.judged(beyond.second, words, second)
    return (
        Mixture(words, second, alone, sure),
        {**confidence, **fit_confidence(inside, right, languages, strange, noise, len(right))},
    )


def fit_scopes(
    unseen: Unseen, beyond: Unseen, noise: npt.NDArray[np.bool_], mixture: Mixture
) -> tuple[Scope, Scope]:
    """The scope with the encoder and by words alone: told by the texts of `beyond` that are no noise."""
    with_encoder = _scope(unseen, beyond, unseen.second, beyond.second, noise, mixture.words, mixture.encoder)
    by_words = fit_scope(
        unseen.words.max(axis=1), unseen.known, beyond.words.max(axis=1)[~noise], beyond.known[~noise]
    )
    return with_encoder, by_words


def fit_rereading(
    unseen: Unseen,
    beyond: Unseen,
    noise: npt.NDArray[np.bool_],
    languages: Sequence[str],
    mixture: Mixture,
    confidence: Mapping[str, float],
    head: tuple[Floats, Floats],
    share: float,
) -> Rereading | None:
    """How words and both encoders side by side are joined, and for which texts: as few as keep `share` of what reading all
    of them gains. `head` is of all texts, as it serves. None where this tells hardly more than the tiers before it."""
    assert unseen.both is not None
    assert beyond.both is not None
    wanted = unseen.wanted
    words, second = _weights(unseen, unseen.both)
    best, first = unseen.judged(unseen.second, mixture.words, mixture.encoder)
    again, inside = unseen.judged(unseen.both, words, second)
    sureness = confidence_of(first.best, first.near, first.known, languages, confidence)
    right = again == wanted
    below = _below(sureness, best == wanted, right, share)
    if below <= 0:
        return None
    _, strange = beyond.judged(beyond.both, words, second)
    asked = np.flatnonzero(sureness < below)
    asked = asked if len(asked) >= _FEW * 10 else np.arange(len(wanted))
    fitted = fit_confidence(
        inside.of(asked), right[asked], [languages[i] for i in asked.tolist()], strange, noise, len(right)
    )
    scope = _scope(unseen, beyond, unseen.both, beyond.both, noise, words, second)
    return Rereading(*head, words, second, below, fitted, scope)


def _scope(
    unseen: Unseen,
    beyond: Unseen,
    scores: Floats,
    strange: Floats,
    noise: npt.NDArray[np.bool_],
    words: float,
    second: float,
) -> Scope:
    best, inside = unseen.judged(scores, words, second)
    other, outside = beyond.judged(strange, words, second)
    return fit_scope(
        scores[np.arange(len(best)), best],
        inside.near,
        strange[np.arange(len(other)), other][~noise],
        outside.near[~noise],
    )


def loss(logits: Array, wanted: Array) -> float:
    """The mean negative log-likelihood of the labels, in nats."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(wanted)), wanted]
    return float((np.log(np.exp(shifted).sum(axis=1)) - chosen).mean())


def best_scale(scores: Floats, wanted: Array) -> float:
    """What the scores are best multiplied by, to be logits of the labels."""
    step = -(-len(wanted) // _READ)
    some, target = scores[::step], wanted[::step]
    doubt = _doubt(len(target))
    found = minimize(
        lambda p: loss(some * np.exp(np.clip(p[0], -4, 4)), target) + doubt * p[0] ** 2,
        [0.0],
        method="Nelder-Mead",
        options={"maxiter": 40},
    )
    return float(np.exp(np.clip(found.x[0], -4, 4)))


def _doubt(texts: int) -> float:
    """How firmly weights are held where they would be without any text, in nats for a step of e: a few texts that are all
    right would have them grow without end, and everything, nonsense too, believed. None from _ENOUGH texts on."""
    return max(0.0, 1 / texts - 1 / _ENOUGH)


def _weights(unseen: Unseen, scores: Floats) -> tuple[float, float]:
    """Of words and of these scores by an encoder."""
    known = unseen.tellable
    if known.sum() < _least(unseen.wanted):
        return _BLIND
    rows = np.flatnonzero(known)[:: -(-int(known.sum()) // _READ)]
    words = unseen.words[rows] * unseen.weight[rows, None]
    second, target = scores[rows], unseen.wanted[rows]

    before, doubt = np.log(_BLIND), _doubt(len(target))

    def of(p: Array) -> float:
        weights = np.exp(np.clip(p, -4, 4))
        return loss(words * weights[0] + second * weights[1], target) + doubt * float(
            ((p - before) ** 2).sum()
        )

    found = minimize(of, before.round(1), method="Nelder-Mead", options={"maxiter": 80, "xatol": 1e-2})
    by_words, by_encoder = np.exp(np.clip(found.x, -4, 4)).tolist()
    return float(by_words), float(by_encoder)


def _least(wanted: Array) -> float:
    """Texts from which weights can be fitted."""
    return min(_FEW, len(wanted) / 2)


def _below(sureness: Floats, right: Array, again: Array, share: float) -> float:
    """The confidence under which the slower tier is asked: the lowest that keeps `share` of what it knows more; 0 where that
    is hardly anything."""
    if len(right) < _FEW * 10:
        return NEVER
    gain = again.mean() - right.mean()
    if gain < _LOST:
        return 0.0
    for below in _BELOW:
        if np.where(sureness < below, again, right).mean() - right.mean() >= share * gain:
            return below
    return NEVER


def _sure(best: Floats, known: Floats, right_words: Array, right: Array) -> float:
    if len(right) < _FEW * 10:
        return NEVER
    goal = right.mean() - _LOST
    for threshold in _THRESHOLDS:
        alone = (best >= threshold) & (known >= _KNOWN_ENOUGH)
        if np.where(alone, right_words, right).mean() >= goal:
            return threshold
    return NEVER
