"""Texts that are about the same thing, found by their vectors: what could be a topic of its own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.triage.domain.encoding import Floats
from services.triage.domain.text import read

_SHORT = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """One group."""

    rows: tuple[int, ...]
    """Indexes of its texts, the most central first."""
    words: tuple[str, ...]
    """What its texts have in common and others have not, the most telling first."""


def clusters(texts: Sequence[str], vectors: Floats, *, alike: float, least: int, most: int) -> list[Cluster]:
    """At most so many groups of at least `least` texts, the largest first; each text is in one at most.

    `vectors` are unit vectors, texts x dimensions. The text with the most others at a cosine of `alike` or more
    gathers them, then the next among those left. The same texts in the same order give the same groups.
    """
    near = (vectors @ vectors.T) >= alike
    np.fill_diagonal(near, True)
    free = np.ones(len(texts), dtype=bool)
    found: list[Cluster] = []
    words = [frozenset(word for word in read(text).words if len(word) > _SHORT) for text in texts]
    everywhere = Counter(word for mine in words for word in mine)
    while len(found) < most and free.any():
        counts = np.where(free, near[:, free].sum(axis=1), 0)
        centre = int(counts.argmax())
        if counts[centre] < least:
            break
        rows = np.flatnonzero(near[centre] & free)
        free[rows] = False
        order = rows[np.argsort(-(vectors[rows] @ vectors[centre]), kind="stable")]
        inside = Counter(word for row in rows.tolist() for word in words[row])
        telling = {
            w: n / len(rows) - (everywhere[w] - n) / max(1, len(texts) - len(rows)) for w, n in inside.items()
        }
        ranked = sorted((w for w in telling if inside[w] > 1), key=lambda w: (-telling[w], w))
        found.append(Cluster(tuple(order.tolist()), tuple(ranked[:5])))
    return found
