"""How often one link may be used to answer."""

from collections import OrderedDict
from typing import Final

_MOST_KEPT: Final = 10_000
_MINUTE_MS: Final = 60_000


class PostLimit:
    """A bucket of tokens for each invitation, in this process. Bounded: those unused longest are forgotten."""

    def __init__(self, per_minute: int, most_kept: int = _MOST_KEPT) -> None:
        self._per_minute = per_minute
        self._most_kept = most_kept
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, key: str, now_ms: int) -> bool:
        """Whether one more is allowed now."""
        left, since_ms = self._buckets.pop(key, (float(self._per_minute), now_ms))
        refilled = max(0, now_ms - since_ms) * self._per_minute / _MINUTE_MS
        left = min(float(self._per_minute), left + refilled)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now_ms)
        if len(self._buckets) > self._most_kept:
            self._buckets.popitem(last=False)
        return allowed
