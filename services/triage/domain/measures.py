"""Figures about predictions. Numpy only; the definitions are those of scikit-learn where it has one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
BINS = 15


def accuracy(wanted: Sequence[str], said: Sequence[str]) -> float:
    """Share of equal pairs, 0..1; of no texts nan."""
    return float(np.mean([a == b for a, b in zip(wanted, said, strict=True)])) if wanted else float("nan")


def macro_f1(wanted: Sequence[str], said: Sequence[str]) -> float:
    """Mean F1 of all labels that occur on either side; of no texts nan."""
    scores = [f1(wanted, said, label) for label in sorted({*wanted, *said})]
    return float(np.mean(scores)) if scores else float("nan")


def f1(wanted: Sequence[str], said: Sequence[str], label: str) -> float:
    """2 tp / (2 tp + fp + fn) of one label, 0 where it occurs nowhere."""
    both = sum(a == b == label for a, b in zip(wanted, said, strict=True))
    either = sum(a == label for a in wanted) + sum(b == label for b in said)
    return 2 * both / either if either else 0.0


def calibration_error(confidence: Array, right: Array) -> float:
    """Expected calibration error over BINS bins of equal width (Guo et al. 2017), 0..1; of no texts nan."""
    if not len(right):
        return float("nan")
    bins = np.minimum((np.asarray(confidence) * BINS).astype(int), BINS - 1)
    return float(
        sum(
            np.mean(bins == b) * abs(np.mean(confidence[bins == b]) - np.mean(right[bins == b]))
            for b in np.unique(bins)
        )
    )


def auroc(score: Array, wanted: Array) -> float:
    """The chance that a wanted one scores above another, ties counting half; nan where one side is empty."""
    wanted = np.asarray(wanted, dtype=bool)
    yes, no = int(wanted.sum()), int((~wanted).sum())
    if not yes or not no:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[wanted].sum() - yes * (yes + 1) / 2) / (yes * no))


def recall_at(score: Array, wanted: Array, false_share: float) -> float:
    """Share of the wanted that score above all but `false_share` of the others; nan where one side is empty."""
    wanted = np.asarray(wanted, dtype=bool)
    if not wanted.any() or wanted.all():
        return float("nan")
    others = np.sort(np.asarray(score)[~wanted])[::-1]
    bound = others[min(len(others) - 1, int(false_share * len(others)))]
    return float(np.mean(np.asarray(score)[wanted] > bound))


def best_f1_without_false_alarm(score: Array, wanted: Array) -> float:
    """F1 of what scores above every unwanted one: what the ranking allows, not a threshold that anybody knew."""
    wanted = np.asarray(wanted, dtype=bool)
    if not wanted.any() or wanted.all():
        return float("nan")
    found = float(np.sum(np.asarray(score)[wanted] > np.max(np.asarray(score)[~wanted])))
    return 2 * found / (found + float(wanted.sum()))
