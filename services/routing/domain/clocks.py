"""SLA clocks: start, pause, resume, fulfil, breach. Pure functions from a clock to its next value.

A pause stops consumption; a due instant is always computed from what is left, never shifted by wall-clock
time.
"""

from __future__ import annotations

from services.routing.domain.calendars import Calendar, NoOpenTime
from services.routing.domain.model import Clock, ClockState

WARN_NUMERATOR, WARN_DENOMINATOR = 3, 4


def start(
    conversation_id: str, metric: str, instance: int, calendar: Calendar, target_ms: int, started_at_ms: int
) -> Clock:
    """A running clock; `due_ms` is 0 when the calendar has no open time within a year."""
    due_ms, warn_at_ms = _dues(calendar, started_at_ms, target_ms, 0)
    return Clock(
        conversation_id=conversation_id,
        metric=metric,
        instance=instance,
        calendar_id=calendar.calendar_id,
        target_ms=target_ms,
        started_at_ms=started_at_ms,
        state="running",
        consumed_ms=0,
        running_since_ms=started_at_ms,
        due_ms=due_ms,
        warn_at_ms=warn_at_ms,
    )


def pause(clock: Clock, calendar: Calendar, at_ms: int) -> Clock:
    """Stop consumption at `at_ms`; no effect unless it runs."""
    if clock.state != "running":
        return clock
    consumed_ms = _consumed(clock, calendar, at_ms)
    return clock._replace(state="paused", consumed_ms=consumed_ms, running_since_ms=0, due_ms=0, warn_at_ms=0)


def resume(clock: Clock, calendar: Calendar, at_ms: int) -> Clock:
    """Run on from `at_ms` with what is left; no effect unless it is paused."""
    if clock.state != "paused":
        return clock
    return _with_dues(clock._replace(state="running", running_since_ms=at_ms), calendar)


def fulfil(clock: Clock, calendar: Calendar, at_ms: int) -> Clock:
    """Met at `at_ms`, whether in time or late; what was consumed is kept for a reopen."""
    return _ended(clock, calendar, at_ms, "met", clock.due_ms)


def cancel(clock: Clock, calendar: Calendar, at_ms: int) -> Clock:
    """The promise no longer applies."""
    return _ended(clock, calendar, at_ms, "cancelled", 0)


def reopen(clock: Clock, calendar: Calendar, at_ms: int) -> Clock:
    """Go on from `at_ms` after an end; the time in between is not counted."""
    if clock.unfulfilled:
        return clock
    return resume(clock._replace(state="paused", ended_at_ms=0, due_ms=0), calendar, at_ms)


def in_time(clock: Clock, fulfilled_at_ms: int) -> bool:
    """At or before due is in time; a clock without a due cannot be late, one that breached before a pause
    is."""
    if clock.due_ms == 0:
        return clock.breached_due_ms == 0
    return fulfilled_at_ms <= clock.due_ms


def warned(clock: Clock) -> Clock:
    return clock._replace(warned=True, warn_at_ms=0)


def breached(clock: Clock) -> Clock:
    """Record the breach, stamped with the due instant."""
    return clock._replace(breached_due_ms=clock.due_ms)


def _consumed(clock: Clock, calendar: Calendar, at_ms: int) -> int:
    if clock.state != "running":
        return clock.consumed_ms
    return clock.consumed_ms + calendar.elapsed(clock.running_since_ms, at_ms)


def _ended(clock: Clock, calendar: Calendar, at_ms: int, state: ClockState, due_ms: int) -> Clock:
    if not clock.unfulfilled:
        return clock
    return clock._replace(
        state=state,
        consumed_ms=_consumed(clock, calendar, at_ms),
        running_since_ms=0,
        due_ms=due_ms,
        warn_at_ms=0,
        ended_at_ms=at_ms,
    )


def _with_dues(clock: Clock, calendar: Calendar) -> Clock:
    if clock.breached_due_ms:
        return clock._replace(due_ms=clock.breached_due_ms, warn_at_ms=0)
    due_ms, warn_at_ms = _dues(calendar, clock.running_since_ms, clock.target_ms, clock.consumed_ms)
    return clock._replace(due_ms=due_ms, warn_at_ms=0 if clock.warned else warn_at_ms)


def _dues(calendar: Calendar, since_ms: int, target_ms: int, consumed_ms: int) -> tuple[int, int]:
    """(due, warning) of what is left; (0, 0) when the calendar has no open time for it."""
    left = target_ms - consumed_ms
    if left <= 0:
        return since_ms, since_ms
    until_warning = target_ms * WARN_NUMERATOR // WARN_DENOMINATOR - consumed_ms
    try:
        if until_warning <= 0:
            return calendar.due(since_ms, left), since_ms
        warn_at_ms, due_ms = calendar.dues(since_ms, (until_warning, left))
    except NoOpenTime:
        return 0, 0
    return due_ms, warn_at_ms
