"""The head that says whether a help page or the account could settle a request: on the texts that are labelled for it.

It stands beside the default model, with weights of its own, so that either can be trained without the other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.model_file import SELF_SERVICE, save_model
from services.triage.adapters.training.calibrating import fit_line
from services.triage.adapters.training.dataset import FOLDS, DatasetError, fold_of
from services.triage.adapters.training.fitting import Settings, columns_of, matrix_of, vocabulary_of
from services.triage.adapters.training.making import features_of, packed
from services.triage.domain.features import Features
from services.triage.domain.measures import auroc, calibration_error
from services.triage.domain.taxonomy import Taxonomy

Array = npt.NDArray[Any]
HEAD: Final = "self_service"
_SETTINGS: Final = Settings(letter_scale=3.0)
_STRENGTH: Final = 1.0
"""Both chosen by cross-validation on the train split."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How well it tells, on texts that it had not seen."""

    texts: int
    share: float
    """Of them that are self-service."""
    auroc: float
    calibration_error: float
    by_language: Mapping[str, float]
    """AUROC."""


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    language: str
    wanted: bool
    fold: int
    """0 is the check split."""


def make_self_service(
    data: Path, lexicons: Path, taxonomy: Taxonomy, target: Path
) -> tuple[Figures, Figures]:
    """Train on the train split and write the files. Returns the figures of cross-validation and of the check split.

    Raises DatasetError, LexiconFileError.
    """
    known = load_lexicons(lexicons, taxonomy.languages)
    rows = _rows(data / "messages", taxonomy.languages)
    features = [features_of(row.text, row.language, known) for row in rows]
    columns = columns_of(sorted({column for one in known.values() for column in one.columns}))
    wanted = np.array([row.wanted for row in rows])
    folds = np.array([row.fold for row in rows])
    train, check = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
    raw = np.zeros(len(rows))
    for fold in range(1, FOLDS):
        inside, outside = np.flatnonzero((folds != 0) & (folds != fold)), np.flatnonzero(folds == fold)
        raw[outside] = _scores(features, wanted, columns, inside, outside)
    slope, shift = fit_line(raw[train], wanted[train])
    raw[check] = _scores(features, wanted, columns, train, check)
    chances = 1 / (1 + np.exp(-(slope * raw + shift)))
    vocabulary, weights, bias = _fitted([features[i] for i in train], wanted[train], columns)
    arrays = packed(vocabulary, weights, bias)
    card = {
        "what": "Whether a request is self-service, trained on services/triage/data alone by `make models`",
        "texts": len(train),
        "heads": {HEAD: [HEAD]},
        "columns": list(columns),
        "calibration": {
            "temperature": {HEAD: round(1 / slope, 6)},
            "offset": {HEAD: round(shift, 6)},
            "topic": {},
        },
    }
    save_model(target, arrays, card, SELF_SERVICE)
    return tuple(_figures([rows[i] for i in part], chances[part]) for part in (train, check))  # type: ignore[return-value]  # of two


def _rows(folder: Path, languages: Sequence[str]) -> list[_Row]:
    found = []
    for language in languages:
        path = folder / f"{language}.jsonl"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            row = json.loads(line)
            label = row.get(HEAD)
            if label is None:
                continue
            if not isinstance(label, bool) or row.get("kind", "request") != "request":
                raise DatasetError(f"{path}:{number}: {HEAD} is true or false, and of requests alone")
            found.append(_Row(row["text"], language, label, fold_of(row["text"])))
    return found


def _scores(
    features: Sequence[Features], wanted: Array, columns: Sequence[str], inside: Array, outside: Array
) -> Array:
    vocabulary, weights, bias = _fitted([features[i] for i in inside], wanted[inside], columns)
    return np.asarray((matrix_of([features[i] for i in outside], vocabulary) @ weights + bias)[:, 0])


def _fitted(features: Sequence[Features], wanted: Array, columns: Sequence[str]) -> tuple[Any, Array, Array]:
    vocabulary = vocabulary_of(features, columns, _SETTINGS)
    matrix = (matrix_of(features, vocabulary) @ sp.diags(vocabulary.factors)).tocsr()
    model = LogisticRegression(C=_STRENGTH, max_iter=800).fit(matrix, wanted)
    return vocabulary, (model.coef_ * vocabulary.factors).T, model.intercept_


def _figures(rows: Sequence[_Row], chances: Array) -> Figures:
    wanted = np.array([row.wanted for row in rows])
    tongues = np.array([row.language for row in rows])
    said = chances >= 0.5
    return Figures(
        len(rows),
        float(wanted.mean()),
        auroc(chances, wanted),
        calibration_error(np.where(said, chances, 1 - chances), said == wanted),
        {code: auroc(chances[tongues == code], wanted[tongues == code]) for code in sorted(set(tongues))},
    )
