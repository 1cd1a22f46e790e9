"""SLA clocks: start, pause, resume, fulfil, breach. Pure functions from a clock to its next value.

A pause stops consumption; a due instant is always computed from what is left, never shifted by wall-clock
time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from services.routing.domain.calendars import Calendar, NoOpenTime
from services.routing.domain.model import Clock, ClockState
from services.routing.domain.sla_policy import LadderStep

_RUNS_KEPT = 32


class Terms(NamedTuple):
    """What a clock goes by besides its target."""

    calendar: Calendar
    warn_percent: int = 75
    steps: tuple[LadderStep, ...] = ()
    """Of the ladder, those for the clock's metric."""
    version: int = 0


def start(
    conversation_id: str, metric: str, instance: int, terms: Terms, target_ms: int, started_at_ms: int
) -> Clock:
    """A running clock; `due_ms` is 0 when the calendar has no open time within a year."""
    clock = Clock(
        conversation_id=conversation_id,
        metric=metric,
        instance=instance,
        calendar_id=terms.calendar.calendar_id,
        target_ms=target_ms,
        started_at_ms=started_at_ms,
        state="running",
        consumed_ms=0,
        running_since_ms=started_at_ms,
        due_ms=0,
        warn_at_ms=0,
        policy_version=terms.version,
    )
    return _with_dues(clock, terms)


def pause(clock: Clock, terms: Terms, at_ms: int) -> Clock:
    """Stop consumption at `at_ms`; no effect unless it runs."""
    if clock.state != "running":
        return clock
    return _stopped(clock, terms, at_ms)._replace(state="paused", due_ms=0)


def resume(clock: Clock, terms: Terms, at_ms: int) -> Clock:
    """Run on from `at_ms` with what is left, never from before it stopped; no effect unless it is paused."""
    if clock.state != "paused":
        return clock
    at_ms = max(at_ms, clock.runs[-1][1]) if clock.runs else at_ms
    return _with_dues(clock._replace(state="running", running_since_ms=at_ms), terms)


def fulfil(clock: Clock, terms: Terms, at_ms: int) -> Clock:
    """Met at `at_ms`, whether in time or late; what was consumed is kept for a reopen.

    One that stands still is due when it would be if it ran on from `at_ms`.
    """
    due_ms = resume(clock, terms, at_ms).due_ms
    return _ended(clock, terms, at_ms, "met", due_ms)


def cancel(clock: Clock, terms: Terms, at_ms: int) -> Clock:
    """The promise no longer applies."""
    return _ended(clock, terms, at_ms, "cancelled", 0)


def reopen(clock: Clock, terms: Terms, at_ms: int) -> Clock:
    """Go on from `at_ms` after an end; the time in between is not counted."""
    if clock.unfulfilled:
        return clock
    return resume(clock._replace(state="paused", ended_at_ms=0, due_ms=0), terms, at_ms)


def promise_again(clock: Clock, terms: Terms, target_ms: int) -> Clock:
    """The clock under another policy: counted anew from its start with the new target and calendar.

    A recorded breach stays, and no warning or step comes twice.
    """
    if not clock.unfulfilled:
        return clock
    counted = sum(terms.calendar.elapsed(*run) for run in clock.runs)
    again = clock._replace(
        calendar_id=terms.calendar.calendar_id,
        target_ms=target_ms,
        consumed_ms=clock.settled_ms + counted,
        policy_version=terms.version,
    )
    return _with_dues(again, terms) if again.state == "running" else again


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


def due_steps(clock: Clock, terms: Terms, at_ms: int) -> tuple[LadderStep, ...]:
    """The steps of the ladder that are due at `at_ms` and not taken, in their order."""
    return tuple(step for when, step in _step_instants(clock, terms) if when <= at_ms)


def step_taken(clock: Clock, terms: Terms, step: LadderStep) -> Clock:
    """The step never comes again."""
    return _with_step(clock._replace(taken=(*clock.taken, step.name)), terms)


def look_again(clock: Clock, terms: Terms) -> Clock:
    """The clock with the next step of the ladder as it is now."""
    return _with_step(clock, terms)


def _stopped(clock: Clock, terms: Terms, at_ms: int) -> Clock:
    """The clock with what it has consumed by `at_ms`."""
    at_ms = max(at_ms, clock.running_since_ms)
    ran = terms.calendar.elapsed(clock.running_since_ms, at_ms)
    runs = (*clock.runs, (clock.running_since_ms, at_ms)) if at_ms > clock.running_since_ms else clock.runs
    settled_ms = clock.settled_ms + sum(terms.calendar.elapsed(*run) for run in runs[:-_RUNS_KEPT])
    return clock._replace(
        consumed_ms=clock.consumed_ms + ran,
        running_since_ms=0,
        warn_at_ms=0,
        step_at_ms=0,
        runs=runs[-_RUNS_KEPT:],
        settled_ms=settled_ms,
    )


def _ended(clock: Clock, terms: Terms, at_ms: int, state: ClockState, due_ms: int) -> Clock:
    if not clock.unfulfilled:
        return clock
    stopped = _stopped(clock, terms, at_ms) if clock.state == "running" else clock
    return stopped._replace(state=state, due_ms=due_ms, ended_at_ms=at_ms)


def _with_dues(clock: Clock, terms: Terms) -> Clock:
    if clock.breached_due_ms:
        return _with_step(clock._replace(due_ms=clock.breached_due_ms, warn_at_ms=0), terms)
    due_ms, warn_at_ms = _dues(clock, terms)
    return _with_step(clock._replace(due_ms=due_ms, warn_at_ms=0 if clock.warned else warn_at_ms), terms)


def _dues(clock: Clock, terms: Terms) -> tuple[int, int]:
    """(due, warning) of what is left; (0, 0) when the calendar has no open time for it."""
    since_ms = clock.running_since_ms
    left = clock.target_ms - clock.consumed_ms
    if left <= 0:
        return since_ms, since_ms
    until_warning = clock.target_ms * terms.warn_percent // 100 - clock.consumed_ms
    try:
        if until_warning <= 0:
            return terms.calendar.due(since_ms, left), since_ms
        warn_at_ms, due_ms = terms.calendar.dues(since_ms, (until_warning, left))
    except NoOpenTime:
        return 0, 0
    return due_ms, warn_at_ms


def _with_step(clock: Clock, terms: Terms) -> Clock:
    found = next(iter(_step_instants(clock, terms)), None)
    return clock._replace(step_at_ms=found[0] if found else 0)


def _step_instants(clock: Clock, terms: Terms) -> list[tuple[int, LadderStep]]:
    """When each step that was not taken is due while the clock runs, in order; of equal ones the ladder's."""
    if clock.state != "running" or clock.due_ms == 0 or not terms.steps:
        return []
    return sorted(_instants(clock, terms), key=lambda pair: pair[0])


def _instants(clock: Clock, terms: Terms) -> Iterator[tuple[int, LadderStep]]:
    since_ms = clock.running_since_ms
    for step in terms.steps:
        if step.name in clock.taken:
            continue
        threshold_ms = step.threshold_ms(clock.target_ms)
        left = threshold_ms - clock.consumed_ms
        if step.around_the_clock:
            yield max(since_ms, clock.due_ms + step.offset_ms), step
        elif threshold_ms == clock.target_ms:
            # At due itself the clock is still in time.
            yield max(since_ms, clock.due_ms + 1), step
        elif left <= 0:
            yield since_ms, step
        else:
            try:
                yield terms.calendar.due(since_ms, left), step
            except NoOpenTime:
                continue
