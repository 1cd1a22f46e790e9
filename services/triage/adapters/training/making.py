"""The whole recipe: own set to model files, with what cross-validation says about them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.model_file import save_model
from services.triage.adapters.training.calibrating import fit_calibration
from services.triage.adapters.training.dataset import Example, load_examples, load_people
from services.triage.adapters.training.fitting import (
    KINDS,
    URGENCIES,
    Fitted,
    Settings,
    Vocabulary,
    columns_of,
    fit,
    matrix_of,
)
from services.triage.adapters.training.noise import noise_texts
from services.triage.domain.features import Features, extract, known_share
from services.triage.domain.lexicon import Lexicon
from services.triage.domain.model import BINARY, Calibration, Scores, calibrate
from services.triage.domain.taxonomy import Taxonomy
from services.triage.domain.text import read

Array = npt.NDArray[Any]
FOLDS = 5
_NOISE_SEED = 20
_NOISE_TEXTS = 400


@dataclass(frozen=True)
class Unseen:
    """Calibrated scores of training examples by models that had not seen them, and of noise."""

    examples: Sequence[Example]
    scores: Sequence[Scores]
    noise: Sequence[Scores]


def make_model(
    data: Path,
    lexicon_folder: Path,
    taxonomy: Taxonomy,
    target: Path,
    progress: Callable[[str], None],
    settings: Settings | None = None,
    check_fold: int = 0,
) -> Unseen:
    """Train on the train split, calibrate by cross-validation, write the files. Returns what it says of itself.

    The default model leaves out fold 0, the check split; `check_fold` leaves out another one, to measure.
    """
    settings = settings or Settings()
    lexicons = load_lexicons(lexicon_folder, taxonomy.languages)
    examples = [e for e in load_examples(data, taxonomy.languages, check_fold) if not e.check]
    examples += load_people(data, taxonomy.languages)
    progress(f"{len(examples)} training texts")
    features = [features_of(e.text, e.language, lexicons) for e in examples]
    noise = [features_of(text, "en", lexicons) for text in noise_texts(_NOISE_TEXTS, _NOISE_SEED)]
    columns = columns_of(sorted({c for one in lexicons.values() for c in one.columns}), wish=True)
    topics = [topic.key for topic in taxonomy.topics]
    width = len(topics) + len(KINDS) + len(URGENCIES) + len(BINARY)
    raw, known = np.zeros((len(examples), width)), np.zeros(len(examples))
    noise_raw, noise_known = np.zeros((len(noise), width)), np.zeros(len(noise))
    folds = np.array([e.group for e in examples])
    for fold in range(FOLDS):
        progress(f"fold {fold + 1} of {FOLDS}")
        inside = np.flatnonzero(folds != fold)
        outside = np.flatnonzero(folds == fold)
        fitted = fit([examples[i] for i in inside], [features[i] for i in inside], columns, topics, settings)
        raw[outside], known[outside] = _raw(fitted, [features[i] for i in outside])
        mine = np.flatnonzero(np.arange(len(noise)) % FOLDS == fold)
        noise_raw[mine], noise_known[mine] = _raw(fitted, [noise[i] for i in mine])
    progress("calibration")
    words, noise_words = _words(features), _words(noise)
    calibration = fit_calibration(
        fitted.heads, examples, raw, known, words, noise_raw, noise_known, noise_words
    )
    progress("all training texts")
    fitted = fit(examples, features, columns, topics, settings)
    save_model(target, *_files(fitted, calibration, examples))
    heads = fitted.heads
    return Unseen(
        examples,
        [
            calibrate(heads, raw[i], calibration, float(known[i]), int(words[i]), e.language)
            for i, e in enumerate(examples)
        ],
        [
            calibrate(
                heads,
                noise_raw[i],
                calibration,
                float(noise_known[i]),
                int(noise_words[i]),
                taxonomy.languages[i % len(taxonomy.languages)],
            )
            for i in range(len(noise))
        ],
    )


def features_of(text: str, language: str, lexicons: Mapping[str, Lexicon]) -> Features:
    """Features as serving computes them for a text whose language is known."""
    chosen = [lexicons[code] for code in dict.fromkeys((language, "en")) if code in lexicons]
    return extract(read(text), chosen)


def _words(features: Sequence[Features]) -> Array:
    return np.array([sum(1 for token in one.tokens if token[0].isalpha()) for one in features])


def _raw(fitted: Fitted, features: Sequence[Features]) -> tuple[Array, Array]:
    known = frozenset(fitted.vocabulary.known.tolist())
    scores = matrix_of(features, fitted.vocabulary) @ fitted.weights + fitted.bias
    return np.asarray(scores), np.array([known_share(one, known) for one in features])


def packed(vocabulary: Vocabulary, weights: Array, bias: Array) -> dict[str, Array]:
    """The arrays of a model's file: weights in 8 bits, one scale a block of rows and class."""
    ends = np.cumsum([0, len(vocabulary.words), len(vocabulary.letters), len(vocabulary.columns)])
    scale = np.zeros((3, weights.shape[1]), dtype=np.float32)
    quantised = np.zeros(weights.shape, dtype=np.int8)
    for block in range(3):
        part = weights[ends[block] : ends[block + 1]]
        scale[block] = np.maximum(np.abs(part).max(axis=0), 1e-9) / 127
        quantised[ends[block] : ends[block + 1]] = np.round(part / scale[block]).astype(np.int8)
    return {
        "words": vocabulary.words,
        "letters": vocabulary.letters,
        "known": vocabulary.known,
        "weights": quantised,
        "scale": scale,
        "bias": bias.astype(np.float32),
    }


def _files(
    fitted: Fitted, calibration: Calibration, examples: Sequence[Example]
) -> tuple[dict[str, Array], dict[str, Any]]:
    arrays = packed(fitted.vocabulary, fitted.weights, fitted.bias)
    card = {
        "what": "Default topic and signal model, trained on services/triage/data alone by `make models`",
        "texts": len(examples),
        "heads": {head: list(classes) for head, classes in fitted.heads.items()},
        "columns": list(fitted.vocabulary.columns),
        "calibration": {
            "temperature": dict(calibration.temperature),
            "offset": dict(calibration.offset),
            "topic": dict(calibration.topic),
        },
    }
    return arrays, card
