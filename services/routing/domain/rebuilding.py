"""A pool as rows, and from them: what a restart, a copy and a replay need."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from services.routing.domain.capacity import Seat
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.model import AgentState, Clock, Item, Notice, Offer, PoolState, Result
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.state import Pool


@dataclass(frozen=True, slots=True)
class Rows:
    """A pool as rows: what a restart needs, and what a step changes a part of. Sorted by key."""

    pool: PoolState
    directory: Directory
    profiles: tuple[AgentProfile, ...] = ()
    agents: tuple[AgentState, ...] = ()
    items: tuple[Item, ...] = ()
    offers: tuple[Offer, ...] = ()
    clocks: tuple[Clock, ...] = ()
    results: tuple[Result, ...] = ()
    notices: tuple[Notice, ...] = ()
    shadow: ShadowPolicy | None = None


def rows_of(pool: Pool) -> Rows:
    """Everything that `fill` needs, as values."""
    seats = [pool.bench.seats[a] for a in sorted(pool.bench.seats)]
    return Rows(
        pool=PoolState(pool.pool_id, pool.at_ms, pool.sequence),
        directory=pool.directory,
        profiles=tuple(s.profile for s in seats),
        agents=tuple(s.state() for s in seats) + tuple(a for _, a in sorted(pool.retired.items())),
        items=tuple(pool.items[i] for i in sorted(pool.items)),
        offers=tuple(pool.offers[o] for o in sorted(pool.offers)),
        clocks=tuple(c for i in sorted(pool.clocks) for c in pool.clocks[i]),
        results=tuple(pool.results[r] for r in sorted(pool.results)),
        notices=tuple(pool.notices[n] for n in sorted(pool.notices)),
        shadow=pool.shadow.policy if pool.shadow else None,
    )


def fill(pool: Pool, rows: Rows, memory_ms: int) -> None:
    """Make a new pool the one that wrote the rows, but for its timers and shadow. What closed longer than `memory_ms`
    before the last command is left out."""
    pool.at_ms, pool.sequence = rows.pool.at_ms, rows.pool.sequence
    oldest = pool.at_ms - memory_ms
    pool.results = {r.command_id: r for r in rows.results if r.at_ms > oldest}
    pool.items = {i.conversation_id: i for i in rows.items if i.state != "closed" or i.closed_at_ms > oldest}
    pool.offers = {o.offer_id: o for o in rows.offers if o.state == "open" or o.closed_at_ms > oldest}
    for clock in rows.clocks:
        if clock.conversation_id in pool.items:
            pool.keep_clock(clock)
    pool.notices = {n.notice_id: n for n in rows.notices if not n.lifted}
    _seat(pool, rows)
    for item in pool.items.values():
        pool.know_customer(item)
        if item.state == "waiting":
            pool.waiting.add(item, pool.signature(item))
    pool.bench.guards.loosened.clear()
    ended = [(i.closed_at_ms, "item", i.conversation_id) for i in pool.items.values() if i.state == "closed"]
    ended += [(o.closed_at_ms, "offer", o.offer_id) for o in pool.offers.values() if o.state != "open"]
    ended += [(r.at_ms, "result", r.command_id) for r in pool.results.values()]
    pool.ended = deque(sorted(ended))


def _seat(pool: Pool, rows: Rows) -> None:
    states = {a.agent_id: a for a in rows.agents}
    seats: dict[str, Seat] = {}
    for profile in rows.profiles:
        state = states.pop(profile.agent_id, AgentState(profile.agent_id))
        seats[profile.agent_id] = Seat(profile, pool.directory.capacity_by_id[profile.capacity_id], state)
    pool.retired = states
    for item in pool.items.values():
        if item.agent_id in seats:
            seats[item.agent_id].conversations.add(item.conversation_id)
            seats[item.agent_id].hold(item.channel)
    for offer in pool.offers.values():
        if offer.state == "open":
            seats[offer.agent_id].offers.add(offer.offer_id)
            seats[offer.agent_id].hold(pool.items[offer.conversation_id].channel)
    for seat in seats.values():
        seat.stopped = pool.drains(seat.agent_id)
        seat.keep_pace(pool.at_ms)
        pool.bench.seat(seat)
