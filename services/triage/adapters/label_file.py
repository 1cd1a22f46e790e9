"""A trained model of labels as two files, without pickle: `topics.npz` and `topics.json`, which names its hash.

A file that is torn, of another version or of another encoder is refused with the reason; nothing is guessed.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from services.triage.adapters.model_file import ModelFileError, zipped
from services.triage.domain.encoding import BESIDE, DIMENSIONS
from services.triage.domain.features import LETTERS, WORDS
from services.triage.domain.label_model import (
    EncoderHead,
    LabelModel,
    Mixture,
    Rereading,
    Scope,
)

ARRAYS: Final = "topics.npz"
CARD: Final = "topics.json"
FORMAT: Final = 1
"""Raised whenever features, encoder or the layout of the files change."""
_ENCODER_CONFIDENCE: Final = ("slope", "near", "known", "intercept")


def save_labels(model: LabelModel, folder: Path, about: Mapping[str, Any]) -> LabelModel:
    """Write a model; the same model gives the same bytes. The card is written last and whole: a save that was cut
    short leaves files that `load_labels` refuses. Returns the model with its version, as it will be read."""
    folder.mkdir(parents=True, exist_ok=True)
    weights, scale = _quantised(model.weights)
    arrays: dict[str, npt.NDArray[Any]] = {
        "words": _buckets(model.word_rows),
        "letters": _buckets(model.letter_rows),
        "weights": weights,
        "scale": scale,
        "bias": model.bias.astype(np.float32),
        "known": np.array(sorted(model.known), dtype=np.uint32),
    }
    if model.encoder is not None:
        examples, example_scale = _quantised(model.encoder.examples.T)
        arrays |= {
            "head_weights": model.encoder.weights.astype(np.float32),
            "head_bias": model.encoder.bias.astype(np.float32),
            "far_weights": model.encoder.far_weights.astype(np.float32),
            "far_bias": model.encoder.far_bias.astype(np.float32),
            "examples": examples.T,
            "example_scale": example_scale,
            "example_labels": model.encoder.example_labels.astype(np.int32),
        }
    again = model.rereading
    if again is not None:
        arrays |= {
            "both_weights": again.weights.astype(np.float32),
            "both_bias": again.bias.astype(np.float32),
        }
    content = zipped(arrays)
    card = {
        "format": FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        **about,
        "labels": list(model.labels),
        "columns": list(model.column_rows),
        "languages": sorted(model.languages),
        "thin": sorted(model.thin),
        "mixture": asdict(model.mixture),
        "rereading": None
        if again is None
        else {
            "words": again.words,
            "encoder": again.encoder,
            "below": again.below,
            "confidence": dict(again.confidence),
            "scope": asdict(again.scope),
        },
        "confidence": dict(model.confidence),
        "scope": asdict(model.scope),
        "scope_words": asdict(model.scope_words),
        "example_texts": list(model.encoder.example_texts) if model.encoder is not None else [],
    }
    _write(folder / ARRAYS, content)
    _write(folder / CARD, (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())
    return load_labels(folder)


def load_labels(folder: Path) -> LabelModel:
    """Read a model. Raises ModelFileError with the file and the reason."""
    try:
        card_bytes = (folder / CARD).read_bytes()
        card: dict[str, Any] = json.loads(card_bytes)
        content = (folder / ARRAYS).read_bytes()
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{folder}: no usable model of topics ({error}); train it again") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        seen = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise ModelFileError(
            f"{folder / CARD}: the model is of format {seen!r}, this program reads {FORMAT}; train it again"
        )
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise ModelFileError(f"{folder / ARRAYS} is torn or of another training than {CARD}; train it again")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return _model(dict(arrays), card, hashlib.sha256(content + card_bytes).hexdigest()[:12])
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{folder}: no usable model of topics ({error!r}); train it again") from error


def _model(arrays: dict[str, npt.NDArray[Any]], card: dict[str, Any], version: str) -> LabelModel:
    words, letters = arrays["words"], arrays["letters"]
    weights = arrays["weights"].astype(np.float32) * arrays["scale"]
    first = len(words) + len(letters)
    columns: list[str] = card["columns"]
    labels = tuple(str(label) for label in card["labels"])
    if weights.shape != (first + len(columns), len(labels)):
        raise ValueError("weights and labels do not belong together")
    encoder = _encoder(arrays, card, len(labels)) if "head_weights" in arrays else None
    return LabelModel(
        version=version,
        labels=labels,
        word_rows=_rows(words, WORDS, 0),
        letter_rows=_rows(letters, LETTERS, len(words)),
        column_rows={name: first + i for i, name in enumerate(columns)},
        weights=weights,
        bias=arrays["bias"],
        known=frozenset(arrays["known"].tolist()),
        languages=frozenset(str(code) for code in card.get("languages", ())),
        thin=frozenset(str(code) for code in card.get("thin", ())),
        encoder=encoder,
        rereading=_rereading(arrays, card, len(labels)) if encoder is not None else None,
        mixture=Mixture(**card["mixture"]),
        confidence=_confidence(card["confidence"], (*_ENCODER_CONFIDENCE, "words_slope", "words_intercept")),
        scope=Scope(**card["scope"]),
        scope_words=Scope(**card["scope_words"]),
    )


def _encoder(arrays: dict[str, npt.NDArray[Any]], card: dict[str, Any], labels: int) -> EncoderHead:
    far = arrays.get("far_weights", arrays["head_weights"])
    far_bias = arrays.get("far_bias", arrays["head_bias"])
    # Models of before there was such a head serve every language by one; what those of few examples had for two encoders
    # belongs to vectors that are no longer made.
    head, bias = arrays["head_weights"], arrays["head_bias"]
    if len(head) == BESIDE:
        head, bias = far, far_bias
    if not head.shape == far.shape == (DIMENSIONS, labels):
        raise ValueError("made for another encoder")
    return EncoderHead(
        head,
        bias,
        far,
        far_bias,
        (arrays["examples"].T.astype(np.float32) * arrays["example_scale"]).T,
        arrays["example_labels"],
        tuple(card["example_texts"]),
    )


def _rereading(arrays: dict[str, npt.NDArray[Any]], card: dict[str, Any], labels: int) -> Rereading | None:
    said = card.get("rereading")
    if said is None:
        return None
    weights, bias = arrays["both_weights"], arrays["both_bias"]
    if weights.shape != (BESIDE, labels):
        raise ValueError("made for other encoders")
    return Rereading(
        weights,
        bias,
        float(said["words"]),
        float(said["encoder"]),
        float(said["below"]),
        _confidence(said["confidence"], _ENCODER_CONFIDENCE),
        Scope(**said["scope"]),
    )


def _confidence(said: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    return {name: float(said[name]) for name in names} | {
        name: float(value) for name, value in said.items() if name.startswith("language:")
    }


def without_encoder(model: LabelModel) -> LabelModel:
    """The same, by words alone."""
    return replace(model, encoder=None, rereading=None)


def _quantised(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Eight bits a number, a scale a column."""
    if not values.size:
        return values.astype(np.int8), np.ones(values.shape[1], dtype=np.float32)
    scale = np.maximum(np.abs(values).max(axis=0), 1e-9).astype(np.float32) / 127
    return np.round(values / scale).astype(np.int8), scale


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


def _buckets(rows: npt.NDArray[np.int32]) -> npt.NDArray[np.uint32]:
    found = np.flatnonzero(rows >= 0)
    return found[np.argsort(rows[found], kind="stable")].astype(np.uint32)


def _rows(buckets: npt.NDArray[Any], size: int, first: int) -> npt.NDArray[np.int32]:
    table = np.full(size, -1, dtype=np.int32)
    table[buckets] = np.arange(first, first + len(buckets), dtype=np.int32)
    return table
