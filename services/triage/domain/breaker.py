"""A circuit breaker: who fails again and again is left alone for a while."""

from dataclasses import dataclass
from typing import Final

_FAILURES: Final = 3
_FIRST_MS: Final = 30_000
_LONGEST_MS: Final = 600_000


@dataclass
class Breaker:
    """Opens after three failures in a row, for 30 s; then one may try, and each failure doubles the pause to 10 minutes."""

    failures: int = 0
    opens_again_ms: int = 0
    pause_ms: int = _FIRST_MS
    trying: bool = False

    def allows(self, now_ms: int) -> bool:
        """Whether one may be asked now. After a pause only one at a time, until it has answered."""
        if self.failures < _FAILURES:
            return True
        if now_ms < self.opens_again_ms or self.trying:
            return False
        self.trying = True
        return True

    def answered(self) -> None:
        """It works."""
        self.failures, self.pause_ms, self.trying = 0, _FIRST_MS, False

    def failed(self, now_ms: int) -> None:
        """It did not."""
        self.failures += 1
        if self.failures >= _FAILURES:
            if self.trying:
                self.pause_ms = min(_LONGEST_MS, self.pause_ms * 2)
            self.opens_again_ms = now_ms + self.pause_ms
        self.trying = False

    def abandoned(self) -> None:
        """Nobody waited for the answer: nothing is known."""
        self.trying = False
