"""How fast an account sends, and when it rests: the provider's rate as a bucket, and a circuit that opens on failures."""

from dataclasses import dataclass, replace
from typing import Final

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
