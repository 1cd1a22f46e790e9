"""What an evaluation gives: figures, and a prediction for each row of the test file."""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.triage.adapters.labelled_files import Row
from services.triage.domain.measures import accuracy, calibration_error, macro_f1


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was said of one row."""

    row: Row
    label: str
    confidence: float
    """0..1: the chance that the label is right."""
    outside: float
    """0..1: how likely none of the labels fits."""


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, in the order in which they are printed, all and by language, with every prediction."""

    task: str
    figures: Mapping[str, float]
    by_language: Mapping[str, Mapping[str, float]]
    predictions: Sequence[Prediction]
    notes: Sequence[str]


def basic(predictions: Sequence[Prediction]) -> dict[str, float]:
    """Count, accuracy, macro-F1 and calibration error of rows whose label could have been said."""
    wanted = [p.row.label for p in predictions]
    said = [p.label for p in predictions]
    right = np.array([a == b for a, b in zip(wanted, said, strict=True)])
    return {
        "texts": len(predictions),
        "accuracy": accuracy(wanted, said),
        "macro_f1": macro_f1(wanted, said),
        "calibration_error": calibration_error(np.array([p.confidence for p in predictions]), right),
    }


def by_language(predictions: Sequence[Prediction]) -> dict[str, dict[str, float]]:
    """The basic figures of each language with 20 rows or more, the commonest first."""
    groups: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        groups.setdefault(prediction.row.language or "und", []).append(prediction)
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return {language: basic(mine) for language, mine in ranked if len(mine) >= 20}


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """CSV with the columns row (the first data row is 1), label, confidence, out_of_scope; whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("row", "label", "confidence", "out_of_scope"))
        for p in predictions:
            writer.writerow((p.row.number, p.label, f"{p.confidence:.6f}", f"{p.outside:.6f}"))
    os.replace(part, path)
