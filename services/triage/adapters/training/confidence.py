"""Fits how sure a tier is, and how far from everything it knows, on scores for texts that it had not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from services.triage.domain.encoding import Floats
from services.triage.domain.label_model import Scope
from services.triage.domain.language import UNDETERMINED
from services.triage.domain.probabilities import log_odds

Array = npt.NDArray[Any]
_NOISE_SHARE: Final = 0.3
"""Weight of all noise texts together, as a share of the labelled ones."""
_TOLD_SHARE: Final = 0.05
"""The same of texts labelled as out of scope."""
_FEW: Final = 20
_ENOUGH_TO_DIFFER: Final = 100
"""Texts of a language from which on it has an intercept of its own."""
_REJECTED: Final = 0.05


@dataclass(frozen=True)
class Judged:
    """What a tier said of texts: the probability of its best label, its nearness, and the share of known words."""

    best: Floats
    near: Floats
    known: Floats

    def of(self, rows: Array) -> "Judged":
        """Some of the texts."""
        return Judged(self.best[rows], self.near[rows], self.known[rows])

    @property
    def inputs(self) -> Array:
        """Of the logistic map to a confidence."""
        return np.column_stack([log_odds(self.best), self.near, self.known])


def fit_words_confidence(
    best: Floats, right: Array, other: Floats, noise: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """For words alone, by the probability of the best label. No label is right for `other`."""
    fitted = _fit(log_odds(best)[:, None], right, log_odds(other)[:, None], noise, len(right))
    return {"words_slope": fitted[0], "words_intercept": fitted[1]}


def fit_confidence(
    inside: Judged,
    right: Array,
    languages: Sequence[str],
    other: Judged,
    noise: npt.NDArray[np.bool_],
    texts: int,
) -> dict[str, float]:
    """The map of `confidence_of`. No label is right for `other`; `noise` marks those of them about nothing. `languages`
    are those of `inside`, `texts` how many there are with those that this tier is not asked of: all noise comes to it."""
    spoken = np.array(languages)
    named = sorted(set(languages) - {"", UNDETERMINED})
    codes = [code for code in named if (spoken == code).sum() >= _ENOUGH_TO_DIFFER]
    codes = codes if len(codes) > 1 else []
    inputs = np.hstack([inside.inputs, spoken[:, None] == np.array(codes, dtype=spoken.dtype)[None, :]])
    # Taken for any of the languages: that it is strange must show in its words.
    strangers = len(other.best)
    anyone = (
        np.eye(len(codes))[np.arange(strangers) % max(1, len(codes))] if codes else np.zeros((strangers, 0))
    )
    slope, near, share, *apart, intercept = _fit(
        inputs, right, np.hstack([other.inputs, anyone]), noise, texts
    )
    # Around 0, so that a language that has none is taken for an average one.
    middle = float(np.mean([dict(zip(codes, apart, strict=True)).get(code, 0.0) for code in languages]))
    return {
        "slope": slope,
        "near": near,
        "known": share,
        "intercept": round(intercept + middle, 6),
    } | {f"language:{code}": round(value - middle, 6) for code, value in zip(codes, apart, strict=True)}


def _fit(inputs: Array, right: Array, other: Array, noise: npt.NDArray[np.bool_], texts: int) -> list[float]:
    """Slopes and intercept of a logistic map; what has no label counts as wrong, with a small weight."""
    if len(right) < _FEW or right.all() or not right.any():
        return [1.0, *([0.0] * inputs.shape[1])]
    target = np.concatenate([right, np.zeros(len(other), dtype=bool)])
    share = np.where(
        noise, _NOISE_SHARE / max(1, int(noise.sum())), _TOLD_SHARE / max(1, int((~noise).sum()))
    )
    weight = np.concatenate([np.ones(len(right)), texts * share])
    model = LogisticRegression(C=3.0, max_iter=500).fit(
        np.vstack([inputs, other]), target, sample_weight=weight
    )
    return [round(float(v), 6) for v in (*model.coef_[0], model.intercept_[0])]


def fit_scope(top: Floats, near: Floats, other_top: Floats, other_near: Floats) -> Scope:
    """From the highest score and the nearness of texts that have a label, and of others that have none."""
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
