"""Two limits that time lifts: a fair share of assignments in a window, and the ramp of somebody new.

Integers only; the instants at which a limit changes are computed, so that a timer can wait for them.
"""

from __future__ import annotations

from typing import NamedTuple

FULL = 100


class Window(NamedTuple):
    """A sliding counter in two numbers: what was counted in the window that runs, and in the one before it.

    The count of the last `window_ms` is taken to be `number` and the part of `before` that still overlaps,
    rounded up.
    """

    start_ms: int = 0
    number: int = 0
    before: int = 0


def rolled(window: Window, at_ms: int, window_ms: int) -> Window:
    """The window that runs at the instant."""
    passed = (at_ms - window.start_ms) // window_ms
    if window.start_ms and passed <= 0:
        return window
    if not window.start_ms or passed > 1:
        return Window(at_ms if not window.start_ms else window.start_ms + passed * window_ms)
    return Window(window.start_ms + window_ms, 0, window.number)


def counted(window: Window, at_ms: int, window_ms: int) -> Window:
    """One more at the instant."""
    now = rolled(window, at_ms, window_ms)
    return now._replace(number=now.number + 1)


def taken(window: Window, at_ms: int, window_ms: int) -> int:
    """How many of the last `window_ms` are counted."""
    now = rolled(window, at_ms, window_ms)
    left = window_ms - (at_ms - now.start_ms)
    return now.number - (-now.before * left // window_ms)


def free_again_ms(window: Window, at_ms: int, window_ms: int, limit: int) -> int:
    """The first instant, not before `at_ms`, at which fewer than `limit` are counted. `limit` > 0."""
    now = rolled(window, at_ms, window_ms)
    if now.number >= limit:
        now = Window(now.start_ms + window_ms, 0, now.number)
    if not now.before:
        return max(at_ms, now.start_ms)
    decayed = window_ms - (limit - 1 - now.number) * window_ms // now.before
    return max(at_ms, now.start_ms, now.start_ms + decayed)


def ramp_percent(ramp: tuple[tuple[int, int], ...], since_ms: int) -> int:
    """The share of the budget in percent after so long; all of it after the last step.

    `ramp` has (until, percent) pairs in order: before `until` after the start the percent holds.
    """
    return next((percent for until_ms, percent in ramp if since_ms < until_ms), FULL)


def ramp_change_ms(ramp: tuple[tuple[int, int], ...], started_at_ms: int, at_ms: int) -> int:
    """When the next step of the ramp begins, 0 = there is none."""
    return next((started_at_ms + until_ms for until_ms, _ in ramp if at_ms - started_at_ms < until_ms), 0)
