"""Linear models of labels: which strengths they take, and weights for every label, also for those without a row."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, SGDClassifier

from services.triage.adapters.training.mixing import best_scale, loss
from services.triage.domain.encoding import Floats

Array = npt.NDArray[Any]
_SPEAKS: Final = 200
"""Texts of one fold from which it alone says enough; of fewer all folds are asked."""
_ALMOST: Final = 0.05
"""Nats of mean log-likelihood that count as no loss for what is to hold in other languages too."""


@dataclass(frozen=True, slots=True)
class Strengths:
    """Inverse regularisation of the encoder's heads."""

    near: float
    """What foretells unseen texts best: for the languages that were trained."""
    far: float
    """The least that foretells them almost as well: what crosses to another language is coarser than what can be
    learnt within one."""
    far_scale: float
    """What scores under `far` are multiplied by, so that they mean as much as those under `near`."""
    both: float
    """As `near`, where both encoders read side by side."""


def choose_strengths(
    vectors: Floats,
    wanted: Array,
    folds: npt.NDArray[np.int64],
    labels: int,
    strengths: Sequence[float],
    first: int,
) -> Strengths:
    """Chosen among `strengths`, ascending, by the labels of texts that were held out, each at its best scale. Labels
    that people disagree about want less than clean ones. The first encoder's are the first `first`
    columns; the others, if any, are the second's."""
    asked = [0] if (folds == 0).sum() >= _SPEAKS else list(range(int(folds.max()) + 1))
    judged = np.flatnonzero(np.isin(folds, asked))

    def tried(matrix: Floats) -> list[tuple[float, float]]:
        found = []
        for strength in strengths:
            scores = np.zeros((len(wanted), labels), dtype=np.float32)
            for fold in asked:
                held = folds == fold
                weights, bias = fit_linear(matrix[~held], wanted[~held], labels, strength, many=False)
                scores[held] = matrix[held] @ weights + bias
            scale = best_scale(scores[judged], wanted[judged])
            found.append((loss(scores[judged] * scale, wanted[judged]), scale))
        return found

    def best(found: list[tuple[float, float]]) -> int:
        return min(range(len(strengths)), key=lambda i: found[i][0])

    alone = tried(vectors[:, :first])
    near = best(alone)
    far = next(i for i, (lost, _) in enumerate(alone) if lost <= alone[near][0] + _ALMOST)
    both = best(tried(vectors)) if first < vectors.shape[1] else near
    return Strengths(strengths[near], strengths[far], alone[far][1] / alone[near][1], strengths[both])


def fit_linear(
    matrix: Any, wanted: Array, labels: int, strength: float, *, many: bool, counts: Array | None = None
) -> tuple[Floats, Floats]:
    """Weights (columns x labels) and bias. A label without a row gets no weight and a low bias. `counts` says as how many
    rows each one counts."""
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
        model.fit(matrix, wanted, sample_weight=counts)
    if len(present) == 2:
        weights[:, present[1]] = model.coef_[0] / 2
        weights[:, present[0]] = -model.coef_[0] / 2
        bias[present[1]], bias[present[0]] = model.intercept_[0] / 2, -model.intercept_[0] / 2
    else:
        weights[:, present] = model.coef_.T
        bias[present] = model.intercept_
    return weights, bias
