"""The encoder's part of the signals as one file beside the model by words, `overtones.npz`, without pickle."""

import hashlib
import io
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from services.triage.adapters.model_file import ModelFileError, zipped
from services.triage.domain.label_model import DIMENSIONS
from services.triage.domain.model import BINARY
from services.triage.domain.overtones import Overtones

OVERTONES: Final = "overtones.npz"


def save_overtones(folder: Path, heads: Overtones) -> None:
    """Write it; the same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(value) for name, value in asdict(heads).items() if name != "version"}
    (folder / OVERTONES).write_bytes(zipped(arrays))


def load_overtones(folder: Path) -> Overtones:
    """Read it. Raises ModelFileError."""
    path = folder / OVERTONES
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            heads = tuple(str(name) for name in arrays["heads"])
            weights, bias, words, encoder, offset = (
                arrays[name].astype(np.float32) for name in ("weights", "bias", "words", "encoder", "offset")
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path} cannot be used ({error}); `make models` makes it") from error
    shapes = {part.shape for part in (bias, words, encoder, offset)}
    if (
        not set(heads) <= set(BINARY)
        or weights.shape != (DIMENSIONS, len(heads))
        or shapes != {(len(heads),)}
    ):
        raise ModelFileError(f"{path} is of another version of the program; `make models` makes it")
    return Overtones(hashlib.sha256(content).hexdigest()[:12], heads, weights, bias, words, encoder, offset)
