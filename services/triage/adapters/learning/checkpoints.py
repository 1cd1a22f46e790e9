"""What a training that is killed has already done: vectors of texts, and fitted parts."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np

from services.triage.adapters.encoders import readable
from services.triage.adapters.training.parts import Arrays
from services.triage.domain.encoding import DIMENSIONS, Encode, Encoder, Floats

_KEY: Final = 16
_RECORD: Final = _KEY + 2 * DIMENSIONS
_BLOCK: Final = 128


class Busy(Exception):
    """Another training writes into the same folder. The text says which and what to do."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One training at a time in a folder; a killed one holds nothing. Raises Busy."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"another training works in {folder}; wait for it, or train into another folder"
            ) from None
        yield


class StoredVectors:
    """An `Encoder` that keeps each vector in a file as soon as it is known, in 16-bit numbers.

    The file is records of key and vector; what a kill has torn at its end is cut off. Only one may write it.
    """

    def __init__(self, path: Path, encoder: Encoder, progress: Callable[[int, int], None]) -> None:
        self._path, self._encoder, self._progress = path, encoder, progress
        self._kind = getattr(encoder, "kind", "")
        self.second = encoder.second
        self._known: dict[bytes, Floats] = {}
        content = path.read_bytes() if path.exists() else b""
        whole = len(content) // _RECORD
        records = np.frombuffer(content, dtype=np.uint8, count=whole * _RECORD).reshape(whole, _RECORD)
        if whole:
            vectors = np.ascontiguousarray(records[:, _KEY:]).view(np.float16).astype(np.float32)
            for key, vector in zip(records[:, :_KEY], vectors, strict=True):
                self._known[key.tobytes()] = vector
        if len(content) != whole * _RECORD:
            with path.open("r+b") as file:
                file.truncate(whole * _RECORD)

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """As `Encode`; the same texts give the same vectors, whether they were kept or made."""
        return self._kept(self._kind, self._encoder, texts, languages)

    def across(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """The same for languages of which there are few texts."""
        return self._kept(f"{self._kind} across", self._encoder.across, texts, languages)

    def beside(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """The same for texts of which there are few."""
        return self._kept(f"{self._kind} beside", self._encoder.beside, texts, languages)

    def _kept(self, kind: str, encode: Encode, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        keys = [_key(kind, text, language) for text, language in zip(texts, languages, strict=True)]
        missing = list({key: i for i, key in enumerate(keys) if key not in self._known}.values())
        done = len(texts) - len(missing)
        self._progress(done, len(texts))
        if missing:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                for start in range(0, len(missing), _BLOCK):
                    block = missing[start : start + _BLOCK]
                    vectors = encode([texts[i] for i in block], [languages[i] for i in block])
                    halves = vectors.astype(np.float16)
                    for i, half in zip(block, halves, strict=True):
                        file.write(keys[i] + half.tobytes())
                        self._known[keys[i]] = half.astype(np.float32)
                    file.flush()
                    self._progress(done + start + len(block), len(texts))
        return np.array([self._known[key] for key in keys], dtype=np.float32).reshape(-1, DIMENSIONS)


class Steps:
    """Fitted parts of one training, each a file until the whole is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """As `Keep`."""
        path = self._folder / f"{name}.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, BadZipFile, EOFError):
            found = make()
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **found)  # type: ignore[arg-type]  # arrays by name
        os.replace(part, path)
        return found

    def forget(self) -> None:
        """Once the model is written."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _key(kind: str, text: str, language: str) -> bytes:
    return hashlib.blake2b(f"{kind}\x00{language}\x00{readable(text)}".encode(), digest_size=_KEY).digest()
