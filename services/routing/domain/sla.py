"""The promises of a conversation: its clocks as commands and time move them.

Clocks belong to the conversation and keep the policy they were started with. first_response starts with the
first customer message and is met by the first human reply; a resolve without one cancels it, and a reopen
then starts the next instance. resolution runs until the resolve, stands still while the customer is waited
for, and goes on after a reopen.
"""

from __future__ import annotations

from services.routing.domain import clocks
from services.routing.domain.calendars import ALWAYS, Calendar
from services.routing.domain.directory import SlaPolicy
from services.routing.domain.events import SlaBreached, SlaCancelled, SlaMet, SlaStarted, SlaWarned
from services.routing.domain.model import FIRST_RESPONSE, RESOLUTION, Clock, Item
from services.routing.domain.state import Pool
from services.routing.domain.timers import Timer, clock_instant


def open_clocks(
    pool: Pool, conversation_id: str, policy: SlaPolicy, replied: bool, started_at_ms: int
) -> None:
    """Start or continue what is promised for an episode that begins."""
    known = pool.clocks.get(conversation_id, ())
    if not replied and policy.first_response_ms:
        instance = 1 + max((c.instance for c in known if c.metric == FIRST_RESPONSE), default=0)
        _start(pool, conversation_id, FIRST_RESPONSE, instance, policy, started_at_ms)
    resolution = pool.clock(conversation_id, RESOLUTION, 1)
    if resolution is not None:
        _tell_due(pool, clocks.reopen(resolution, calendar_of(pool, resolution), started_at_ms))
    elif policy.resolution_ms:
        _start(pool, conversation_id, RESOLUTION, 1, policy, started_at_ms)


def replied(pool: Pool, conversation_id: str, at_ms: int) -> None:
    """A human replied at the instant."""
    for clock in pool.clocks.get(conversation_id, ()):
        if clock.metric == FIRST_RESPONSE and clock.unfulfilled:
            _meet(pool, clock, at_ms)


def paused(pool: Pool, conversation_id: str, pause: bool, at_ms: int) -> None:
    """The customer is waited for, or no longer."""
    change = clocks.pause if pause else clocks.resume
    for clock in pool.clocks.get(conversation_id, ()):
        if clock.metric == RESOLUTION and clock.unfulfilled:
            after = change(clock, calendar_of(pool, clock), at_ms)
            if after is not clock:
                _tell_due(pool, after)


def closed(pool: Pool, conversation_id: str, cause: str, at_ms: int) -> None:
    """The episode ended: resolution is met by a resolve, everything else is cancelled."""
    for clock in pool.clocks.get(conversation_id, ()):
        if not clock.unfulfilled:
            continue
        if clock.metric == RESOLUTION and cause == "resolved":
            _meet(pool, clock, at_ms)
        else:
            pool.put_clock(clocks.cancel(clock, calendar_of(pool, clock), at_ms))
            why = "resolved-without-reply" if cause == "resolved" else cause
            pool.emit(SlaCancelled(conversation_id, clock.metric, clock.instance, why))


def fire(pool: Pool, timer: Timer) -> None:
    """Warn and breach what is due; each once."""
    due_ms, _, conversation_id, name = timer
    metric, _, instance = name.partition(":")
    clock = pool.clock(conversation_id, metric, int(instance))
    if clock is None or clock_instant(clock) != due_ms:
        return
    if due_ms == clock.warn_at_ms and not clock.warned:
        pool.emit(SlaWarned(clock.conversation_id, metric, clock.instance, clock.due_ms))
        _tell_agent(pool, clock, "sla_warning")
        pool.put_clock(clocks.warned(clock))
    else:
        pool.emit(SlaBreached(clock.conversation_id, metric, clock.instance, clock.due_ms))
        _tell_agent(pool, clock, "sla_breach")
        pool.put_clock(clocks.breached(clock))


def rekey(pool: Pool, item: Item) -> Item:
    """Save the item with the key that its clocks give it now."""
    fresh = pool.rekeyed(item)
    if fresh is not pool.items.get(item.conversation_id):
        pool.put_item(fresh)
    return fresh


def calendar_of(pool: Pool, clock: Clock) -> Calendar:
    return pool.directory.calendar_by_id.get(clock.calendar_id, ALWAYS)


def _start(
    pool: Pool, conversation_id: str, metric: str, instance: int, policy: SlaPolicy, at_ms: int
) -> None:
    calendar = pool.directory.calendar_by_id[policy.calendar_id]
    target_ms = policy.first_response_ms if metric == FIRST_RESPONSE else policy.resolution_ms
    _tell_due(pool, clocks.start(conversation_id, metric, instance, calendar, target_ms, at_ms))


def _tell_due(pool: Pool, clock: Clock) -> None:
    pool.put_clock(clock)
    pool.emit(SlaStarted(clock.conversation_id, clock.metric, clock.instance, clock.due_ms, clock.target_ms))


def _meet(pool: Pool, clock: Clock, at_ms: int) -> None:
    in_time = clocks.in_time(clock, at_ms)
    if not in_time and not clock.breached_due_ms:
        pool.emit(SlaBreached(clock.conversation_id, clock.metric, clock.instance, clock.due_ms))
        clock = clocks.breached(clock)
    met = clocks.fulfil(clock, calendar_of(pool, clock), at_ms)
    if in_time and met.breached_due_ms:
        met = met._replace(breached_due_ms=0)
    pool.put_clock(met)
    pool.emit(SlaMet(clock.conversation_id, clock.metric, clock.instance, clock.due_ms, at_ms, in_time))


def _tell_agent(pool: Pool, clock: Clock, kind: str) -> None:
    item = pool.items.get(clock.conversation_id)
    seat = pool.bench.seats.get(item.agent_id) if item and item.agent_id else None
    if seat:
        facts = {"conversation_id": clock.conversation_id, "metric": clock.metric, "due_ms": clock.due_ms}
        pool.tell(seat, kind, facts)
