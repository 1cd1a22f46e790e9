"""Calibration error of confidences, and what chance alone makes of it on few texts.

Texts are sorted by confidence into `BINS` bins of equal size (Nguyen and O'Connor 2015, "Posterior calibration and
exploratory analysis for natural language processing models"): bins of equal width leave some almost empty. With few
texts the mean of |confidence - accuracy| is too high by chance, so the bias is estimated and taken off (Kumar, Liang
and Ma 2019, "Verified uncertainty calibration", debiasing by resampled labels; here the mean over resampled labels is
taken exactly, as that of a folded normal distribution).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Estimator = Callable[[Array, Array], float]
BINS = 5
_RUNS = 400


def plain_error(confidence: Array, right: Array) -> float:
    """Mean over texts of |confidence - accuracy| of their bin, 0..1; of no texts 0."""
    return float(sum(n * abs(gap) for n, gap, _ in _bins(confidence, right)) / max(1, len(right)))


def calibration_error(confidence: Array, right: Array) -> float:
    """The plain error less its estimated bias, 0..1; of no texts 0."""
    total = 0.0
    for n, gap, deviation in _bins(confidence, right):
        total += n * (2 * abs(gap) - _folded_mean(abs(gap), deviation))
    return max(0.0, total / max(1, len(right)))


def chance(estimate: Estimator, confidence: Array) -> tuple[float, float]:
    """Mean and 95th percentile of an estimate on these confidences if each were exactly true. Fixed seed."""
    source = np.random.default_rng(1)
    drawn = [estimate(confidence, source.random(len(confidence)) < confidence) for _ in range(_RUNS)]
    return float(np.mean(drawn)), float(np.quantile(drawn, 0.95))


def _bins(confidence: Array, right: Array) -> list[tuple[int, float, float]]:
    """By bin: texts, accuracy - confidence, standard deviation of that accuracy."""
    order = np.argsort(confidence, kind="stable")
    found = []
    for part in np.array_split(order, min(BINS, max(1, len(order)))):
        n = len(part)
        if n:
            accuracy = float(right[part].mean())
            deviation = math.sqrt(accuracy * (1 - accuracy) / max(1, n - 1))
            found.append((n, accuracy - float(confidence[part].mean()), deviation))
    return found


def _folded_mean(mean: float, deviation: float) -> float:
    """Mean of |X| for X normal with this mean, at least 0, and deviation."""
    if deviation == 0:
        return mean
    z = mean / deviation
    return deviation * math.sqrt(2 / math.pi) * math.exp(-z * z / 2) + mean * math.erf(z / math.sqrt(2))
