"""The wish for a person as the encoder hears it: how like a text, or one of its sentences, is to texts of the training.

Most of a long message is about the parcel; the wish is one sentence of it, which the vector of the whole hardly shows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.triage.domain.encoding import Encode, Floats
from services.triage.domain.probabilities import logistic

HEAD: Final = "person"
WORTH_READING: Final = 0.02
"""Sentences are encoded one by one only in texts whose chance as a whole reaches this."""
_MOST_CHARS: Final = 4_000
_MOST_AT_EACH_END: Final = 6
_END: Final = re.compile(r"(?<=[.!?؟…])\s+|\n+")


@dataclass(frozen=True)
class Wish:
    """A kernel machine over unit vectors, and how its score joins that of the words. Made by training, never changed."""

    examples: Floats
    """Texts of the training that hold it up x DIMENSIONS, unit vectors."""
    weights: Floats
    """One an example."""
    bias: float
    sharpness: float
    """Of the Gaussian kernel exp(-sharpness * distance^2)."""
    words: float
    """Weight of the log-odds by words."""
    encoder: float
    """Weight of the kernel machine's score."""
    offset: float

    def heard(self, vectors: Floats) -> Floats:
        """The kernel machine's score of each vector, above 0 for a wish."""
        apart = np.maximum(0.0, 2.0 - 2.0 * (vectors @ self.examples.T))
        return np.asarray(np.exp(-self.sharpness * apart) @ self.weights + self.bias)

    def chances(
        self, said: Floats, vectors: Floats, texts: Sequence[str], languages: Sequence[str], encode: Encode
    ) -> Floats:
        """The chance of a wish for each text. `said` are the log-odds by words, `vectors` those of the whole texts."""
        heard = self.heard(vectors)
        whole = self._joined(said, heard)
        rows: list[int] = []
        parts: list[str] = []
        for at in np.flatnonzero(whole >= WORTH_READING).tolist():
            found = sentences(texts[at])
            if len(found) > 1:
                rows += [at] * len(found)
                parts += found
        if not parts:
            return whole
        np.maximum.at(heard, rows, self.heard(encode(parts, [languages[at] for at in rows])))
        return self._joined(said, heard)

    def _joined(self, said: Floats, heard: Floats) -> Floats:
        return logistic(self.words * said + self.encoder * heard + self.offset)


def sentences(text: str) -> list[str]:
    """The sentences of a text without lines that quote an earlier mail; of a long one those at both ends."""
    own = "\n".join(line for line in text[:_MOST_CHARS].splitlines() if not line.lstrip().startswith(">"))
    found = [part for part in (one.strip() for one in _END.split(own)) if part]
    if len(found) <= 2 * _MOST_AT_EACH_END:
        return found
    return found[:_MOST_AT_EACH_END] + found[-_MOST_AT_EACH_END:]
