"""Linear models of labels: which strength they take, and weights for every label, also for those without a row."""

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, SGDClassifier

from services.triage.adapters.training.mixing import best_loss
from services.triage.domain.label_model import Floats

Array = npt.NDArray[Any]
_SPEAKS: Final = 200
"""Held texts from which a strength is chosen; fewer say nothing."""


def best_strength(
    vectors: Floats, wanted: Array, held: npt.NDArray[np.bool_], labels: int, strengths: Sequence[float]
) -> float:
    """The inverse regularisation that foretells the labels of the held texts best, each at its best scale; the last one
    of `strengths` where too few are held to tell. Labels that people disagree about want more of it than clean ones."""
    if held.sum() < _SPEAKS:
        return strengths[-1]

    def loss(strength: float) -> float:
        weights, bias = fit_linear(vectors[~held], wanted[~held], labels, strength, many=False)
        return best_loss(np.asarray(vectors[held] @ weights + bias, dtype=np.float32), wanted[held])

    return min(strengths, key=loss)


def fit_linear(
    matrix: Any, wanted: Array, labels: int, strength: float, *, many: bool
) -> tuple[Floats, Floats]:
    """Weights (columns x labels) and bias. A label without a row gets no weight and a low bias."""
    present = np.unique(wanted)
    weights = np.zeros((matrix.shape[1], labels), dtype=np.float32)
    bias = np.full(labels, -8.0, dtype=np.float32)
    if len(present) < 2:
        bias[present] = 0.0
        return weights, bias
    if many:
        model: Any = SGDClassifier(loss="log_loss", alpha=3e-6, max_iter=25, tol=1e-3, random_state=0)
    else:
        model = LogisticRegression(C=strength, max_iter=200, tol=1e-4)
    with warnings.catch_warnings():
        # One example a label is what many operators begin with.
        warnings.filterwarnings("ignore", "The number of unique classes")
        model.fit(matrix, wanted)
    if len(present) == 2:
        weights[:, present[1]] = model.coef_[0] / 2
        weights[:, present[0]] = -model.coef_[0] / 2
        bias[present[1]], bias[present[0]] = model.intercept_[0] / 2, -model.intercept_[0] / 2
    else:
        weights[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return weights, bias
