"""Durations of many episodes in little room: sums, counts, and log-spaced histograms that can be added.

Percentiles can be neither averaged nor added; buckets can. A mean of means is none; sum by count is one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

GROWTH: Final = 1.02
"""Each bucket is 2 % wider than the one below."""
RELATIVE_ERROR: Final = math.sqrt(GROWTH) - 1.0
"""A percentile from a histogram is off by at most this share of one more than itself."""
_LOG: Final = math.log(GROWTH)


def bucket_of(value_ms: int) -> int:
    """The bucket of a duration of 0 ms or more."""
    return math.floor(math.log(value_ms + 1) / _LOG)


def middle_of(bucket: int) -> int:
    """The duration that stands for a bucket: the geometric middle, in whole ms."""
    return round(math.pow(GROWTH, bucket + 0.5) - 1)


@dataclass(frozen=True, slots=True)
class Durations:
    """Count, sum and histogram."""

    n: int = 0
    sum_ms: int = 0
    buckets: Mapping[int, int] = field(default_factory=dict)

    @staticmethod
    def of(values: Iterable[int]) -> Durations:
        """From values."""
        known = list(values)
        return Durations(len(known), sum(known), Counter(bucket_of(value) for value in known))

    def __add__(self, other: Durations) -> Durations:
        """Both together, as if they had been counted at once."""
        buckets = Counter(self.buckets)
        buckets.update(other.buckets)
        return Durations(self.n + other.n, self.sum_ms + other.sum_ms, buckets)

    @property
    def mean_ms(self) -> float | None:
        """Sum by count."""
        return self.sum_ms / self.n if self.n else None

    def percentile_ms(self, share: float) -> int | None:
        """The middle of the bucket that holds the value of rank ceil(share n), 0 < share <= 1."""
        rank = max(1, math.ceil(share * self.n))
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                return middle_of(bucket)
        return None
