"""Where time comes from: passed in, so that rules stay pure and tests own the clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Gives the time."""

    def now_ms(self) -> int:
        """Unix milliseconds, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        """Moves forward; a negative step is refused with ValueError."""
        if milliseconds < 0:
            raise ValueError(f"a clock cannot go back: got {milliseconds} ms")
        self._now_ms += milliseconds
