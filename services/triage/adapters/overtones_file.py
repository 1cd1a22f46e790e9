"""The encoder's part of the signals as one file beside the model by words, `overtones.npz`, without pickle."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from services.triage.adapters.model_file import ModelFileError, zipped
from services.triage.domain.encoding import DIMENSIONS
from services.triage.domain.model import BINARY
from services.triage.domain.overtones import Overtones
from services.triage.domain.wish import HEAD, Joint, Machine, Wish

OVERTONES: Final = "overtones.npz"
_FIRST: Final = f"{HEAD}_first"
_SECOND: Final = f"{HEAD}_second"
_LINEAR: Final = ("heads", "weights", "bias", "words", "encoder", "offset")


def save_overtones(folder: Path, heads: Overtones) -> None:
    """Write it; the same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(getattr(heads, name)) for name in _LINEAR}
    if heads.wish is not None:
        arrays |= _packed(heads.wish)
    (folder / OVERTONES).write_bytes(zipped(arrays))


def load_overtones(folder: Path) -> Overtones:
    """Read it. Raises ModelFileError."""
    path = folder / OVERTONES
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            heads = tuple(str(name) for name in arrays["heads"])
            weights, bias, words, encoder, offset = (arrays[name].astype(np.float32) for name in _LINEAR[1:])
            wish = _wish({name: arrays[name] for name in arrays.files if name.startswith(HEAD)})
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path} cannot be used ({error}); `make models` makes it") from error
    shapes = {part.shape for part in (bias, words, encoder, offset)}
    if (
        not set(heads) <= set(BINARY) - ({HEAD} if wish else set())
        or weights.shape != (DIMENSIONS, len(heads))
        or shapes != {(len(heads),)}
    ):
        raise ModelFileError(f"{path} is of another version of the program; `make models` makes it")
    return Overtones(
        hashlib.sha256(content).hexdigest()[:12], heads, weights, bias, words, encoder, offset, wish
    )


def _packed(wish: Wish) -> dict[str, npt.NDArray[Any]]:
    """Examples in 8 bits, with one scale for each machine."""
    found: dict[str, npt.NDArray[Any]] = {}
    for name, machine, joint in ((_FIRST, wish.first, wish.joint), (_SECOND, wish.second, wish.both)):
        scale = float(np.abs(machine.examples).max()) / 127
        found |= {
            f"{name}_examples": np.round(machine.examples / scale).astype(np.int8),
            f"{name}_weights": machine.weights.astype(np.float32),
            f"{name}_numbers": np.array([scale, machine.bias, machine.sharpness], dtype=np.float32),
            f"{name}_joint": np.array([*joint.weights, joint.offset], dtype=np.float32),
        }
    return found


def _wish(arrays: dict[str, npt.NDArray[Any]]) -> Wish | None:
    if not arrays:
        return None

    def machine(name: str) -> Machine:
        scale, bias, sharpness = arrays[f"{name}_numbers"].tolist()
        examples = arrays[f"{name}_examples"].astype(np.float32) * scale
        examples /= np.linalg.norm(examples, axis=1, keepdims=True)
        weights = arrays[f"{name}_weights"].astype(np.float32)
        if examples.shape != (len(weights), DIMENSIONS):
            raise ValueError("examples and weights do not belong together")
        return Machine(examples.astype(np.float32), weights, bias, sharpness)

    def joint(name: str, scores: int) -> Joint:
        *weights, offset = arrays[f"{name}_joint"].tolist()
        if len(weights) != scores:
            raise ValueError("made for other scores")
        return Joint(tuple(weights), offset)

    return Wish(machine(_FIRST), joint(_FIRST, 2), machine(_SECOND), joint(_SECOND, 3))
