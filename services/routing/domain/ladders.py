"""What time does to the promises: warnings, breaches, and the steps of a queue's ladder.

Each comes once for an instance of a clock. A pause postpones what is left, a fulfilment ends it. What was due while
nobody could look, because the process was down, comes in order as soon as somebody does; only a conversation is not
taken from an agent then before replies of that time had a while to be heard of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from services.routing.domain import clocks, explain, sla
from services.routing.domain.bots import to_people
from services.routing.domain.escalation import escalate
from services.routing.domain.events import RingOpened, SlaBreached, SlaEscalated, SlaWarned
from services.routing.domain.model import Clock, Item
from services.routing.domain.placement import await_ring, wait_anew
from services.routing.domain.sla_policy import Action, LadderStep
from services.routing.domain.state import Pool
from services.routing.domain.timers import Timer, clock_instant
from services.routing.domain.transfers import unassign

HEARD_LATE_MS = 60_000
"""How late a step may be noticed and still take a conversation from an agent at once."""
_MOST_PAGED = 50


class Effect(NamedTuple):
    """What a step did, in a word or two, and the agents whom it told."""

    outcome: str
    people: tuple[str, ...] = ()


def fire(pool: Pool, timer: Timer) -> None:
    """Warn, breach, or take the next step: the first of them that is due; the others have the same timer again."""
    due_ms, _, conversation_id, name = timer
    metric, _, instance = name.partition(":")
    clock = pool.clock(conversation_id, metric, int(instance))
    item = pool.items.get(conversation_id)
    if clock is None or item is None or clock_instant(clock) != due_ms:
        return
    if due_ms == clock.warn_at_ms and not clock.warned:
        pool.emit(SlaWarned(clock.conversation_id, metric, clock.instance, clock.due_ms))
        _tell_agent(pool, item, "sla_warning", clock)
        pool.put_clock(clocks.warned(clock))
    elif due_ms == clock.due_ms + 1 and not clock.breached_due_ms:
        pool.emit(SlaBreached(clock.conversation_id, metric, clock.instance, clock.due_ms))
        _tell_agent(pool, item, "sla_breach", clock)
        pool.put_clock(clocks.breached(clock))
    else:
        _take_step(pool, item, clock, due_ms)


def _take_step(pool: Pool, item: Item, clock: Clock, due_ms: int) -> None:
    terms = sla.terms_of(pool, item, clock.metric, clock)
    steps = clocks.due_steps(clock, terms, due_ms)
    if not steps:
        # The ladder was changed since: look again for what it says now.
        pool.put_clock(clocks.look_again(clock, terms))
        return
    step = steps[0]
    if step.action == "reassign" and item.agent_id and pool.at_ms - due_ms > HEARD_LATE_MS:
        pool.put_clock(clock._replace(step_at_ms=pool.at_ms + HEARD_LATE_MS))
        return
    pool.put_clock(clocks.step_taken(clock, terms, step))
    effect = _ACTIONS[step.action](pool, item, clock, step)
    facts = {"metric": clock.metric, "instance": clock.instance, "step": step.name, "due_ms": clock.due_ms}
    record = explain.noted(
        pool, item, "sla_step", **facts, outcome=effect.outcome, people=list(effect.people)
    )
    pool.explain(record)
    pool.emit(
        SlaEscalated(
            clock.conversation_id,
            clock.metric,
            clock.instance,
            clock.due_ms,
            step.name,
            step.action,
            effect.outcome,
            effect.people,
            record["decision_id"],
        )
    )


def _notify(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    return _tell(pool, item, clock, step, dict.fromkeys(filter(None, (item.agent_id, step.person))))


def _manager(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    return _tell(pool, item, clock, step, {step.person: None})


def _page(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    """Everybody of the team who is there."""
    team_id = pool.queue_of(item).team_id
    there = (
        agent_id
        for agent_id, seat in sorted(pool.bench.seats.items())
        if team_id in seat.profile.teams and seat.presence != "offline"
    )
    people = dict.fromkeys((*filter(None, (step.person,)), *there))
    return _tell(pool, item, clock, step, dict.fromkeys(list(people)[:_MOST_PAGED]))


def _tell(pool: Pool, item: Item, clock: Clock, step: LadderStep, people: dict[str, None]) -> Effect:
    facts = {**_facts(item, clock), "step": step.name, "action": step.action}
    for agent_id in people:
        seat = pool.bench.seats.get(agent_id)
        if seat:
            pool.tell(seat, "sla_step", facts)
    return Effect("told" if people else "nobody-to-tell", tuple(people))


def _boost(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    """The pool's limit on the boost of an item holds."""
    before_ms = item.boost_ms
    after = escalate(pool, item, "ladder", clock.metric, step.name, boost_ms=step.boost_ms, moves=False)
    return Effect("boosted" if after.boost_ms > before_ms else "boosted-to-the-limit")


def _escalate(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    """As if a person had called for help."""
    if item.state == "closed":
        return Effect("not-open-but-closed")
    holder, was = item.agent_id, item.queue_id
    after = escalate(pool, item, "ladder", clock.metric, step.name)
    moved = after.queue_id != was
    return Effect("moved" if moved else "ahead", (holder,) if moved and holder else ())


def _widen(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    """The ring that time would open next opens now; one that time never opens stays shut."""
    if item.state != "waiting":
        return Effect(f"not-waiting-but-{item.state}")
    if not any(ring.after_ms for ring in pool.queue_of(item).ring_plan[item.ring : item.ring + 1]):
        pool.place_later(item.conversation_id, "sla")
        return Effect("no-ring-left")
    item = await_ring(pool, item._replace(ring=item.ring + 1, relax_at_ms=0))
    pool.emit(RingOpened(item.conversation_id, item.episode, item.ring, "sla"))
    pool.put_item(item)
    pool.place_later(item.conversation_id, "sla")
    return Effect("widened")


def _reassign(pool: Pool, item: Item, clock: Clock, step: LadderStep) -> Effect:
    """From an agent only to somebody else who has room now, from a bot to people; of one that waits, the hold ends."""
    if item.state == "with_bot":
        to_people(pool, item, "sla", clock.metric, step.name)
        return Effect("taken-from-the-bot")
    if item.state == "waiting":
        pool.put_item(item._replace(held_for="", hold_until_ms=0))
        pool.place_later(item.conversation_id, "sla")
        return Effect("looked-for-anybody")
    if item.state != "assigned":
        return Effect(f"not-assigned-but-{item.state}")
    if not pool.bench.choose(pool.signature(item), (item.agent_id,), "").ranked:
        return Effect("nobody-else-has-room")
    holder = item.agent_id
    wait_anew(pool, unassign(pool, item, "sla"), holder, "sla")
    return Effect("taken-from-its-agent", (holder,))


def _tell_agent(pool: Pool, item: Item, kind: str, clock: Clock) -> None:
    seat = pool.bench.seats.get(item.agent_id)
    if seat:
        pool.tell(seat, kind, _facts(item, clock))


def _facts(item: Item, clock: Clock) -> dict[str, object]:
    return {"conversation_id": item.conversation_id, "metric": clock.metric, "due_ms": clock.due_ms}


_ACTIONS: dict[Action, Callable[[Pool, Item, Clock, LadderStep], Effect]] = {
    "notify": _notify,
    "boost": _boost,
    "widen": _widen,
    "reassign": _reassign,
    "escalate": _escalate,
    "page": _page,
    "manager": _manager,
}
