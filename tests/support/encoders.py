"""A small encoder: enough to tell which of its ways was asked, and whether the second tier is joined."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from services.triage.domain.encoding import DIMENSIONS, Floats


class BagOfWords:
    """Vectors of a bag of words. What was read is kept, by way."""

    def __init__(self, *, second: bool = False, always: str | None = None) -> None:
        """`always` is read in place of every text."""
        self.second, self._always = second, always
        self.read: list[str] = []
        self.across_languages: list[str] = []
        self.beside_texts: list[str] = []

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.read.extend(texts)
        return self._vectors(texts, b"first")

    def across(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.across_languages.extend(languages)
        return self._vectors(texts, b"first")

    def beside(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        self.beside_texts.extend(texts)
        return self._vectors(texts, b"second") * np.float32(self.second)

    def _vectors(self, texts: Sequence[str], which: bytes) -> Floats:
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in (text if self._always is None else self._always).lower().split():
                digest = blake2b(word.encode(errors="ignore"), digest_size=4, key=which).digest()
                found[row, int.from_bytes(digest) % DIMENSIONS] += 1
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9))
