"""The committed model: one .npz of arrays and one .json, no pickle; the version is the hash of both."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.triage.domain.features import LETTERS, WORDS
from services.triage.domain.model import Calibration, LinearModel

DEFAULT = "default"
SELF_SERVICE = "self_service"
ARRAYS = f"{DEFAULT}.npz"
CARD = f"{DEFAULT}.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ModelFileError(ValueError):
    """The model in the folder cannot be used; the text says which file, why, and that `make models` makes it."""


def load_model(folder: Path, name: str = DEFAULT) -> LinearModel:
    """Read a model: `name`.npz and `name`.json. Raises ModelFileError."""
    try:
        arrays_bytes = (folder / f"{name}.npz").read_bytes()
        card_bytes = (folder / f"{name}.json").read_bytes()
        card: dict[str, Any] = json.loads(card_bytes)
        with np.load(io.BytesIO(arrays_bytes), allow_pickle=False) as arrays:
            quantised, scale = arrays["weights"], arrays["scale"]
            words, letters = arrays["words"], arrays["letters"]
            known, bias = arrays["known"], arrays["bias"]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            f"{folder}: no usable model {name!r} ({error}); `make models` makes it"
        ) from error
    columns: list[str] = card["columns"]
    if quantised.shape != (len(words) + len(letters) + len(columns), scale.shape[1]):
        raise ModelFileError(
            f"{folder}: {name}.npz and {name}.json do not belong together; `make models` makes both"
        )
    rows = np.repeat(np.arange(3), [len(words), len(letters), len(columns)])
    weights = quantised.astype(np.float32) * scale[rows]
    calibration = card["calibration"]
    return LinearModel(
        version=hashlib.sha256(arrays_bytes + card_bytes).hexdigest()[:12],
        heads={head: tuple(classes) for head, classes in card["heads"].items()},
        word_rows=_rows(words, WORDS, 0),
        letter_rows=_rows(letters, LETTERS, len(words)),
        column_rows={name: len(words) + len(letters) + i for i, name in enumerate(columns)},
        weights=weights,
        bias=bias.astype(np.float32),
        known=frozenset(known.tolist()),
        calibration=Calibration(calibration["temperature"], calibration["offset"], calibration["topic"]),
    )


def save_model(
    folder: Path, arrays: Mapping[str, npt.NDArray[Any]], card: Mapping[str, Any], name: str = DEFAULT
) -> None:
    """Write a model; the same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.npz").write_bytes(zipped(arrays))
    text = json.dumps(card, indent=1, sort_keys=False, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def zipped(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Arrays as an .npz; the same arrays give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(arrays[part]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{part}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, buffer.getvalue(), compresslevel=9)
    return target.getvalue()


def _rows(buckets: npt.NDArray[Any], size: int, first: int) -> npt.NDArray[np.int32]:
    table = np.full(size, -1, dtype=np.int32)
    table[buckets] = np.arange(first, first + len(buckets), dtype=np.int32)
    return table
