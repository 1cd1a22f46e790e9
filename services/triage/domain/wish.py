"""The wish for a person as the encoders hear it: how like a text, or one of its sentences, is to texts of the training.

Most of a long message is about the parcel; the wish is one sentence of it, which the vector of the whole hardly shows.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.triage.domain.encoding import Encoder, Floats
from services.triage.domain.probabilities import logistic

HEAD: Final = "person"
WORTH_READING: Final = math.log(0.02 / 0.98)
"""Sentences are read one by one only where the log-odds of the whole reach this: a chance of .02."""
UNSURE: Final = (math.log(0.1 / 0.9), math.log(0.97 / 0.03))
"""Between these log-odds by words and the first encoder the second one is asked."""
_SHORT: Final = 120
"""Characters up to which it reads a text as a whole; of a longer one only the loudest sentence, for it is slow."""
_MOST_CHARS: Final = 4_000
_MOST_AT_EACH_END: Final = 6
_END: Final = re.compile(r"(?<=[.!?؟…])\s+|\n+")


@dataclass(frozen=True)
class Machine:
    """A kernel machine over unit vectors. Made by training, never changed."""

    examples: Floats
    """Texts of the training that hold it up x DIMENSIONS, unit vectors."""
    weights: Floats
    """One an example."""
    bias: float
    sharpness: float
    """Of the Gaussian kernel exp(-sharpness * distance^2)."""

    def heard(self, vectors: Floats) -> Floats:
        """Its score of each vector, above 0 for a wish."""
        apart = np.maximum(0.0, 2.0 - 2.0 * (vectors @ self.examples.T))
        return np.asarray(np.exp(-self.sharpness * apart) @ self.weights + self.bias)


@dataclass(frozen=True)
class Joint:
    """How scores become a chance: the weight of each, and an offset."""

    weights: tuple[float, ...]
    offset: float

    def logit(self, *scores: Floats) -> Floats:
        """The log-odds of the chance."""
        total = sum(weight * score for weight, score in zip(self.weights, scores, strict=True))
        return np.asarray(total + np.float32(self.offset), dtype=np.float32)


@dataclass(frozen=True)
class Wish:
    """What the encoders hear, and how it joins what the words say. Made by training, never changed."""

    first: Machine
    joint: Joint
    """Of the log-odds by words and the first encoder's score."""
    second: Machine
    """Over the second encoder's vectors, asked only where the first leaves it open."""
    both: Joint
    """Of the log-odds by words, the first encoder's score and the second's."""

    def chances(
        self, said: Floats, vectors: Floats, texts: Sequence[str], languages: Sequence[str], encoder: Encoder
    ) -> Floats:
        """The chance of a wish for each text. `said` are the log-odds by words, `vectors` those of the whole texts."""
        loudest = self.first.heard(vectors)
        found = self.joint.logit(said, loudest)
        rows = np.flatnonzero(found >= WORTH_READING)
        if not rows.size:
            return logistic(found)
        parts = Parts.of([texts[i] for i in rows.tolist()])
        heard = self.first.heard(encoder(parts.texts, parts.languages([languages[i] for i in rows.tolist()])))
        part = parts.loudest(heard)
        loudest[rows] = parts.with_whole(loudest[rows], heard)
        found[rows] = self.joint.logit(said[rows], loudest[rows])
        unsure = [i for i, at in enumerate(rows.tolist()) if UNSURE[0] <= found[at] < UNSURE[1]]
        if unsure and encoder.second:
            at = rows[unsure]
            shown = [parts.shown(texts[rows[i]], part[i]) for i in unsure]
            again = self.second.heard(encoder.beside(shown, [languages[i] for i in at.tolist()]))
            found[at] = self.both.logit(said[at], loudest[at], again)
        return logistic(found)


@dataclass(frozen=True)
class Parts:
    """The sentences of texts, of those that have more than one."""

    texts: list[str]
    at: npt.NDArray[np.int64]
    """Index of the text that each is of, ascending."""
    count: int
    """Texts, with those that have no sentences."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Parts":
        """All of them."""
        found = [sentences(text) for text in texts]
        found = [parts if len(parts) > 1 else [] for parts in found]
        return cls(
            [part for parts in found for part in parts],
            np.repeat(np.arange(len(texts)), [len(parts) for parts in found]),
            len(texts),
        )

    def languages(self, languages: Sequence[str]) -> list[str]:
        """Those of the sentences, where `languages` are of the texts."""
        return [languages[i] for i in self.at.tolist()]

    def with_whole(self, whole: Floats, parts: Floats) -> Floats:
        """The highest score of each text and its sentences."""
        found = whole.copy()
        np.maximum.at(found, self.at, parts)
        return found

    def loudest(self, scores: Floats) -> npt.NDArray[np.int64]:
        """By text the index of its sentence with the highest score, the earliest of equals; -1 where it has none."""
        order = np.lexsort((-scores, self.at))
        texts, first = np.unique(self.at[order], return_index=True)
        found = np.full(self.count, -1)
        found[texts] = order[first]
        return found

    def shown(self, text: str, part: int) -> str:
        """What the second encoder reads of a text whose loudest sentence is `part`."""
        return text if is_read_whole(text, part) else self.texts[part]


def is_read_whole(text: str, part: int) -> bool:
    """Whether the second encoder reads all of a text; else only its sentence `part`, of which -1 is none."""
    return part < 0 or len(text) <= _SHORT


def sentences(text: str) -> list[str]:
    """The sentences of a text without lines that quote an earlier mail; of a long one those at both ends."""
    own = "\n".join(line for line in text[:_MOST_CHARS].splitlines() if not line.lstrip().startswith(">"))
    found = [part for part in (one.strip() for one in _END.split(own)) if part]
    if len(found) <= 2 * _MOST_AT_EACH_END:
        return found
    return found[:_MOST_AT_EACH_END] + found[-_MOST_AT_EACH_END:]
