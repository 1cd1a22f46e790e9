"""What reads texts as vectors: sentence encoders."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str], Sequence[str]], Floats]
"""Texts and their languages (ISO 639-1 or `und`) -> unit vectors, texts x DIMENSIONS. Any text is allowed."""

DIMENSIONS = 512
BESIDE = 2 * DIMENSIONS
"""Numbers of a text that is read by both encoders side by side."""


class Encoder(Protocol):
    """Reads texts in three ways; each is an `Encode`."""

    second: bool
    """Whether a second encoder is there. Without it `across` does as a plain call does, and `beside` gives zeros."""

    def __call__(self, texts: Sequence[str], languages: Sequence[str], /) -> Floats:
        """By the encoder that knows the language."""

    def across(self, texts: Sequence[str], languages: Sequence[str], /) -> Floats:
        """By both, joined, for languages in which a model was not trained, or hardly."""

    def beside(self, texts: Sequence[str], languages: Sequence[str], /) -> Floats:
        """By the second alone, in a space of its own: what a model of few examples sees beside the other vector."""


def encoded(
    texts: Sequence[str], languages: Sequence[str], strange: npt.NDArray[np.bool_], encoder: Encoder
) -> Floats:
    """Vectors of texts: by both encoders, joined, where the language is strange to the model."""
    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for part, encode in ((~strange, encoder), (strange, encoder.across)):
        mine = np.flatnonzero(part).tolist()
        if mine:
            vectors[part] = encode([texts[i] for i in mine], [languages[i] for i in mine])
    return vectors
