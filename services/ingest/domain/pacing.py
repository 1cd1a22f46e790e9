"""How fast an account sends, and when it rests: the provider's rate as a bucket, and a circuit that opens on failures."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_FAILURES: Final = 5
_REST_MS: Final = 15_000
_LONGEST_REST_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Pace:
    """An account at a moment."""

    tokens: float
    at_ms: int
    failures: int = 0
    """In a row, of the kind that says nothing of the message itself."""
    rests_until_ms: int = 0


def fresh(now_ms: int, rate: float) -> Pace:
    """An account that has sent nothing yet: a second's worth at once, one message at least."""
    return Pace(max(1.0, rate), now_ms)


def take(pace: Pace, now_ms: int, rate: float) -> tuple[Pace, int]:
    """(the account after it, milliseconds to wait before sending; 0 = send now, and one is taken).

    `rate` is messages a second, above 0. While the circuit is open the wait is its rest.
    """
    now_ms = max(now_ms, pace.at_ms)
    if pace.rests_until_ms > now_ms:
        return pace, pace.rests_until_ms - now_ms
    most = max(1.0, rate)
    tokens = min(most, pace.tokens + (now_ms - pace.at_ms) / 1000 * rate)
    if tokens < 1:
        return replace(pace, tokens=tokens, at_ms=now_ms), max(1, round((1 - tokens) / rate * 1000))
    return replace(pace, tokens=tokens - 1, at_ms=now_ms), 0


def heard(pace: Pace, now_ms: int, *, answered: bool) -> Pace:
    """After an attempt: an answer, even a refusal, closes the circuit; five failures in a row open it for 15 s, each
    further one for twice as long, ten minutes at most."""
    if answered:
        return replace(pace, failures=0, rests_until_ms=0)
    failures = pace.failures + 1
    if failures < _FAILURES:
        return replace(pace, failures=failures)
    rest = min(_LONGEST_REST_MS, _REST_MS * 2 ** min(failures - _FAILURES, 10))
    return replace(pace, failures=failures, rests_until_ms=now_ms + rest)


class Paces(Generic[K]):
    """The paces of accounts or endpoints, by their keys. Use it from one event loop."""

    def __init__(self) -> None:
        self._paces: dict[K, Pace] = {}

    def wait_ms(self, key: K, now_ms: int, rate: float) -> int:
        """How long to wait before sending; 0 = send now, and one is taken. See `take`."""
        self._paces[key], wait_ms = take(self._paces.get(key) or fresh(now_ms, rate), now_ms, rate)
        return wait_ms

    def heard(self, key: K, now_ms: int, *, answered: bool) -> None:
        """After an attempt that `wait_ms` allowed. See `heard`."""
        self._paces[key] = heard(self._paces[key], now_ms, answered=answered)
