"""Fits what joins the tiers, on scores for texts that they had not seen: mixture, confidence, scope."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from services.triage.domain.encoding import Floats
from services.triage.domain.label_model import NEVER, Mixture, Scope, combine
from services.triage.domain.language import UNDETERMINED
from services.triage.domain.probabilities import log_odds, softmax

Array = npt.NDArray[Any]
_THRESHOLDS: Final = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
_LOST: Final = 0.001
"""Accuracy that the cascade may lose against asking the encoder every time."""
_KNOWN_ENOUGH: Final = 0.6
_NOISE_SHARE: Final = 0.3
"""Weight of all noise texts together, as a share of the labelled ones."""
_TOLD_SHARE: Final = 0.05
"""The same of texts labelled as out of scope."""
_FEW: Final = 20
_ENOUGH_TO_DIFFER: Final = 100
"""Texts of a language from which on it has an intercept of its own."""
_REJECTED: Final = 0.05
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
    near: dict[int, Callable[[npt.NDArray[np.int64]], Floats]]
    groups: list[npt.NDArray[np.int64]]

    @classmethod
    def empty(cls, texts: int, labels: int, wanted: Array) -> "Unseen":
        """To be filled by `put`."""
        shape = (texts, labels)
        zeros = np.zeros(shape, dtype=np.float32)
        known = np.zeros(texts, dtype=np.float32)
        return cls(zeros, zeros.copy(), known, np.ones_like(known), wanted, {}, [])

    def put(
        self,
        rows: npt.NDArray[np.int64],
        words: Floats,
        second: Floats,
        known: Floats,
        near: Callable[[npt.NDArray[np.int64]], Floats],
    ) -> None:
        """The scores of some of the texts."""
        if not len(rows):
            return
        self.words[rows], self.second[rows], self.known[rows] = words, second, known
        self.near[len(self.groups)] = near
        self.groups.append(rows)

    def nearness(self, best: npt.NDArray[np.int64]) -> Floats:
        """Nearness of the given labels."""
        found = np.zeros(len(best), dtype=np.float32)
        for index, rows in enumerate(self.groups):
            found[rows] = self.near[index](best[rows])
        return found


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
    wanted = unseen.wanted
    # Of a label's only text no model that had not seen it can know.
    known = np.bincount(wanted)[wanted] > 1
    alone, (words, second) = 1.0, _BLIND
    if known.sum() >= min(_FEW, len(wanted) / 2):
        alone = best_scale(unseen.words[known], wanted[known])
        words, second = _fit_two(unseen, wanted, known)
    if not encoder:
        words, second = alone, 0.0
    mixture = Mixture(words, second, alone, NEVER)
    by_words = softmax(unseen.words * alone)
    right_words = by_words.argmax(axis=1) == wanted
    noise_by_words = softmax(beyond.words * alone)
    confidence = _fit_words_confidence(by_words.max(axis=1), right_words, noise_by_words.max(axis=1), noise)
    if not encoder:
        return mixture, {**confidence, "slope": 1.0, "near": 0.0, "known": 0.0, "intercept": 0.0}
    probabilities = softmax(combine(unseen.words, unseen.weight, unseen.second, mixture))
    best = probabilities.argmax(axis=1)
    right = best == wanted
    sure = _sure(by_words.max(axis=1), unseen.known, right_words, right)
    strange = softmax(combine(beyond.words, beyond.weight, beyond.second, mixture))
    strange_near = beyond.nearness(strange.argmax(axis=1))
    inputs = np.column_stack([log_odds(probabilities.max(axis=1)), unseen.nearness(best), unseen.known])
    other = np.column_stack([log_odds(strange.max(axis=1)), strange_near, beyond.known])
    spoken = np.array(languages)
    named = sorted(set(languages) - {"", UNDETERMINED})
    codes = [code for code in named if (spoken == code).sum() >= _ENOUGH_TO_DIFFER]
    codes = codes if len(codes) > 1 else []
    inputs = np.hstack([inputs, spoken[:, None] == np.array(codes, dtype=spoken.dtype)[None, :]])
    # Taken for any of the languages: that it is strange must show in its words.
    anyone = (
        np.eye(len(codes))[np.arange(len(other)) % max(1, len(codes))] if codes else np.zeros((len(other), 0))
    )
    slope, near, share, *apart, intercept = _fit_confidence(inputs, right, np.hstack([other, anyone]), noise)
    # Around 0, so that a language that has none is taken for an average one.
    middle = float(np.mean([dict(zip(codes, apart, strict=True)).get(code, 0.0) for code in languages]))
    return (
        Mixture(words, second, alone, sure),
        {
            **confidence,
            "slope": slope,
            "near": near,
            "known": share,
            "intercept": round(intercept + middle, 6),
        }
        | {f"language:{code}": round(value - middle, 6) for code, value in zip(codes, apart, strict=True)},
    )


def fit_scopes(
    unseen: Unseen, beyond: Unseen, told: npt.NDArray[np.bool_], mixture: Mixture
) -> tuple[Scope, Scope]:
    """The scope with the encoder and by words alone. `told` marks texts of `beyond` labelled as out of scope."""
    best = combine(unseen.words, unseen.weight, unseen.second, mixture).argmax(axis=1)
    other = combine(beyond.words, beyond.weight, beyond.second, mixture).argmax(axis=1)
    with_encoder = _fit_scope(
        unseen.second[np.arange(len(best)), best],
        unseen.nearness(best),
        beyond.second[np.arange(len(other)), other][told],
        beyond.nearness(other)[told],
    )
    by_words = _fit_scope(
        unseen.words.max(axis=1), unseen.known, beyond.words.max(axis=1)[told], beyond.known[told]
    )
    return with_encoder, by_words


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


def _fit_two(unseen: Unseen, wanted: Array, known: npt.NDArray[np.bool_]) -> tuple[float, float]:
    rows = np.flatnonzero(known)[:: -(-int(known.sum()) // _READ)]
    words = unseen.words[rows] * unseen.weight[rows, None]
    second, target = unseen.second[rows], wanted[rows]

    before, doubt = np.log(_BLIND), _doubt(len(target))

    def of(p: Array) -> float:
        weights = np.exp(np.clip(p, -4, 4))
        return loss(words * weights[0] + second * weights[1], target) + doubt * float(
            ((p - before) ** 2).sum()
        )

    found = minimize(of, before.round(1), method="Nelder-Mead", options={"maxiter": 80, "xatol": 1e-2})
    by_words, by_encoder = np.exp(np.clip(found.x, -4, 4)).tolist()
    return float(by_words), float(by_encoder)


def _sure(best: Floats, known: Floats, right_words: Array, right: Array) -> float:
    if len(right) < _FEW * 10:
        return NEVER
    goal = right.mean() - _LOST
    for threshold in _THRESHOLDS:
        alone = (best >= threshold) & (known >= _KNOWN_ENOUGH)
        if np.where(alone, right_words, right).mean() >= goal:
            return threshold
    return NEVER


def _fit_words_confidence(
    best: Floats, right: Array, other: Floats, noise: npt.NDArray[np.bool_]
) -> dict[str, float]:
    fitted = _fit_confidence(log_odds(best)[:, None], right, log_odds(other)[:, None], noise)
    return {"words_slope": fitted[0], "words_intercept": fitted[1]}


def _fit_confidence(inputs: Array, right: Array, other: Array, noise: npt.NDArray[np.bool_]) -> list[float]:
    """Slopes and intercept of a logistic map; what has no label counts as wrong, with a small weight."""
    if len(right) < _FEW or right.all() or not right.any():
        return [1.0, *([0.0] * inputs.shape[1])]
    target = np.concatenate([right, np.zeros(len(other), dtype=bool)])
    share = np.where(
        noise, _NOISE_SHARE / max(1, int(noise.sum())), _TOLD_SHARE / max(1, int((~noise).sum()))
    )
    weight = np.concatenate([np.ones(len(right)), len(right) * share])
    model = LogisticRegression(C=3.0, max_iter=500).fit(
        np.vstack([inputs, other]), target, sample_weight=weight
    )
    return [round(float(v), 6) for v in (*model.coef_[0], model.intercept_[0])]


def _fit_scope(top: Floats, near: Floats, other_top: Floats, other_near: Floats) -> Scope:
    means = float(top.mean()), float(near.mean())
    scales = max(1e-3, float(top.std())), max(1e-3, float(near.std()))
    inside = np.column_stack([(top - means[0]) / scales[0], (near - means[1]) / scales[1]])
    if len(other_top) >= _FEW:
        outside = np.column_stack([(other_top - means[0]) / scales[0], (other_near - means[1]) / scales[1]])
        model = LogisticRegression(class_weight="balanced", max_iter=500).fit(
            np.vstack([inside, outside]),
            np.concatenate([np.ones(len(inside)), np.zeros(len(outside))]),
        )
        slopes = [max(0.05, float(v)) for v in model.coef_[0]]
        return Scope(
            means[0], scales[0], means[1], scales[1], slopes[0], slopes[1], float(model.intercept_[0])
        )
    # Without examples of what is outside, both count alike, and one in twenty of the inside lies beyond the middle.
    middle = float(np.quantile(inside.sum(axis=1), _REJECTED))
    return Scope(means[0], scales[0], means[1], scales[1], 1.0, 1.0, -middle)
