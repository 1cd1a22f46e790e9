"""How sure a share is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

Z95: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole with its 95 % interval; without a whole there is no share."""

    part: int
    n: int
    rate: float | None
    low: float | None
    high: float | None


def share(part: int, n: int) -> Share:
    """`part` of `n` with the score interval of Wilson (1927), which holds at small n and at 0 and 1 too.

    Raises ValueError unless 0 <= part <= n.
    """
    if not 0 <= part <= n:
        raise ValueError(f"a share needs 0 <= part <= n: got {part} of {n}")
    if n == 0:
        return Share(0, 0, None, None, None)
    rate = part / n
    square = Z95 * Z95
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = Z95 * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n)) / (1 + square / n)
    low = 0.0 if part == 0 else max(0.0, centre - half)
    high = 1.0 if part == n else min(1.0, centre + half)
    return Share(part, n, rate, low, high)
