"""The promises of a conversation: its clocks as what happens to it moves them (`ladders` has what time does).

Clocks belong to the conversation and follow the policy of the queue it is in. Until the first human reply
first_response runs; a resolve without one cancels it, and a reopen then starts the next instance. After it each
customer's message that is the oldest without an answer starts next_response, and each reply starts update.
resolution, agent_work and total_resolution run until the resolve while the status lets them, and go on after a reopen.
"""

from __future__ import annotations

from services.routing.domain import clocks, explain
from services.routing.domain.calendars import ALWAYS
from services.routing.domain.clocks import Terms
from services.routing.domain.events import SlaBreached, SlaCancelled, SlaMet, SlaStarted
from services.routing.domain.model import FIRST_RESPONSE, NEXT_RESPONSE, UPDATE, Clock, Item
from services.routing.domain.sla_policy import UNTIL_RESOLVED, SlaPolicy
from services.routing.domain.state import Pool


def open_clocks(pool: Pool, item: Item) -> None:
    """Start or continue what is promised for an episode that begins, from its first customer message on."""
    policy, at_ms = _policy(pool, item), item.eligible_at_ms
    if item.replied:
        _await_reply(pool, item)
    else:
        _start(pool, item, FIRST_RESPONSE, at_ms)
    for metric in UNTIL_RESOLVED:
        known = pool.clock(item.conversation_id, metric, 1)
        target_ms = policy.target_of(metric, item.urgency)
        if known is None:
            _start(pool, item, metric, at_ms)
        elif target_ms:
            terms = terms_of(pool, item, metric)
            again = clocks.reopen(known, terms, at_ms)
            _tell_due(pool, clocks.promise_again(again, terms, target_ms))


def replied(pool: Pool, item: Item, before: Item, at_ms: int) -> None:
    """A human replied at the instant; `before` is the item as it was before the reply was counted."""
    still_waiting = {instant for _, instant in item.unanswered}
    for clock in _unfulfilled(pool, item):
        first = clock.metric == FIRST_RESPONSE
        next_ = clock.metric == NEXT_RESPONSE and clock.started_at_ms not in still_waiting
        update = clock.metric == UPDATE and clock.started_at_ms < at_ms
        if first or next_ or update:
            _meet(pool, item, clock, at_ms)
    if item.state == "closed":
        return
    _await_reply(pool, item)
    if (
        item.answers != before.answers
        and item.answers[-1][1] == at_ms
        and _running(pool, item, UPDATE) is None
    ):
        _start(pool, item, UPDATE, at_ms)


def automatically_replied(pool: Pool, item: Item, at_ms: int) -> None:
    """A machine replied: it counts only where the policy says so, and only as a first response."""
    if _policy(pool, item).automatic_counts:
        for clock in _unfulfilled(pool, item):
            if clock.metric == FIRST_RESPONSE:
                _meet(pool, item, clock, at_ms)


def customer_wrote(pool: Pool, item: Item) -> None:
    """The item has one more unanswered message."""
    if item.replied:
        _await_reply(pool, item)


def answered_before(pool: Pool, item: Item, wrote_at_ms: int, replied_at_ms: int) -> None:
    """A customer's message that a reply had answered before it was heard of: a promise kept all the same."""
    known = pool.clocks.get(item.conversation_id, ())
    if any(c.metric == NEXT_RESPONSE and c.started_at_ms == wrote_at_ms for c in known):
        return
    started = _start(pool, item, NEXT_RESPONSE, wrote_at_ms)
    if started is not None:
        _meet(pool, item, started, replied_at_ms)


def status_changed(pool: Pool, item: Item, at_ms: int) -> None:
    """The item has another status: what does not run in it stands still."""
    policy = _policy(pool, item)
    for clock in _unfulfilled(pool, item):
        change = clocks.resume if policy.runs(clock.metric, item.status) else clocks.pause
        after = change(clock, terms_of(pool, item, clock.metric, clock), at_ms)
        if after is not clock:
            _tell_due(pool, after)


def closed(pool: Pool, item: Item, cause: str, at_ms: int) -> None:
    """The episode ended: a resolve meets what waited for it, everything else is cancelled."""
    for clock in _unfulfilled(pool, item):
        if clock.metric in UNTIL_RESOLVED and cause == "resolved":
            _meet(pool, item, clock, at_ms)
        else:
            why = "resolved-without-reply" if cause == "resolved" and clock.metric != UPDATE else cause
            _cancel(pool, item, clock, why, at_ms)


def promise_again(pool: Pool, item: Item) -> None:
    """Another queue, urgency or directory: every running promise is counted anew from its start.

    One that the new policy does not make is cancelled; one that only it makes starts: a response with the message
    that waits for it, what a resolve ends now, since how it stood before was not counted.
    """
    policy = _policy(pool, item)
    for clock in _unfulfilled(pool, item):
        target_ms = policy.target_of(clock.metric, item.urgency)
        if not target_ms:
            _cancel(pool, item, clock, "policy-changed", pool.at_ms)
            continue
        terms = terms_of(pool, item, clock.metric)
        after = clocks.promise_again(clock, terms, target_ms)
        if (after.due_ms, after.target_ms) != (clock.due_ms, clock.target_ms):
            _tell_due(pool, after)
        elif after != clock:
            pool.put_clock(after)
    if item.replied:
        _await_reply(pool, item)
    elif not any(c.metric == FIRST_RESPONSE for c in pool.clocks.get(item.conversation_id, ())):
        _start(pool, item, FIRST_RESPONSE, item.eligible_at_ms)
    for metric in UNTIL_RESOLVED:
        if pool.clock(item.conversation_id, metric, 1) is None:
            _start(pool, item, metric, pool.at_ms)


def rekey(pool: Pool, item: Item) -> Item:
    """Save the item with the key that its clocks give it now."""
    fresh = pool.rekeyed(item)
    if fresh is not pool.items.get(item.conversation_id):
        pool.put_item(fresh)
    return fresh


def terms_of(pool: Pool, item: Item, metric: str, clock: Clock | None = None) -> Terms:
    """What a clock of the item goes by: the policy of its queue, and the calendar it was started with, if given."""
    policy = _policy(pool, item)
    calendar_id = clock.calendar_id if clock else policy.calendar_id
    calendar = pool.directory.calendar_by_id.get(calendar_id, ALWAYS)
    return Terms(calendar, policy.warn_percent, policy.steps_of(metric), pool.directory.version)


def _policy(pool: Pool, item: Item) -> SlaPolicy:
    return pool.queue_of(item).sla


def _unfulfilled(pool: Pool, item: Item) -> tuple[Clock, ...]:
    return tuple(c for c in pool.clocks.get(item.conversation_id, ()) if c.unfulfilled)


def _running(pool: Pool, item: Item, metric: str) -> Clock | None:
    return next((c for c in _unfulfilled(pool, item) if c.metric == metric), None)


def _await_reply(pool: Pool, item: Item) -> None:
    """next_response runs for the oldest message without an answer, if there is one."""
    if item.unanswered and _running(pool, item, NEXT_RESPONSE) is None:
        _start(pool, item, NEXT_RESPONSE, item.unanswered[0][1])


def _start(pool: Pool, item: Item, metric: str, at_ms: int) -> Clock | None:
    """The next instance of the metric, if it is promised; None when it is not."""
    policy = _policy(pool, item)
    target_ms = policy.target_of(metric, item.urgency)
    if not target_ms:
        return None
    known = pool.clocks.get(item.conversation_id, ())
    instance = 1 + max((c.instance for c in known if c.metric == metric), default=0)
    terms = terms_of(pool, item, metric)
    clock = clocks.start(item.conversation_id, metric, instance, terms, target_ms, at_ms)
    if not clock.due_ms:
        facts = {"metric": metric, "calendar_id": clock.calendar_id, "target_ms": target_ms}
        pool.explain(explain.noted(pool, item, "no_open_time", **facts))
    if not policy.runs(metric, item.status):
        clock = clocks.pause(clock, terms, at_ms)
    _tell_due(pool, clock)
    return clock


def _tell_due(pool: Pool, clock: Clock) -> None:
    pool.put_clock(clock)
    pool.emit(SlaStarted(clock.conversation_id, clock.metric, clock.instance, clock.due_ms, clock.target_ms))


def _meet(pool: Pool, item: Item, clock: Clock, at_ms: int) -> None:
    in_time = clocks.in_time(clock, at_ms)
    if not in_time and not clock.breached_due_ms:
        pool.emit(SlaBreached(clock.conversation_id, clock.metric, clock.instance, clock.due_ms))
        clock = clocks.breached(clock)
    met = clocks.fulfil(clock, terms_of(pool, item, clock.metric, clock), at_ms)
    if in_time and met.breached_due_ms:
        met = met._replace(breached_due_ms=0)
    pool.put_clock(met)
    pool.emit(SlaMet(clock.conversation_id, clock.metric, clock.instance, met.due_ms, at_ms, in_time))


def _cancel(pool: Pool, item: Item, clock: Clock, why: str, at_ms: int) -> None:
    pool.put_clock(clocks.cancel(clock, terms_of(pool, item, clock.metric, clock), at_ms))
    pool.emit(SlaCancelled(clock.conversation_id, clock.metric, clock.instance, why))
