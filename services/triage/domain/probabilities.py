"""Scores to probabilities, and back."""

import numpy as np
import numpy.typing as npt

from services.triage.domain.encoding import Floats


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
