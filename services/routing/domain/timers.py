"""What is due when. Entries are derived from the state and checked against it when they fire, so that a
restart can build them anew and a stale one does nothing."""

from __future__ import annotations

from heapq import heappop, heappush

from services.routing.domain.capacity import Seat
from services.routing.domain.model import AgentState, Clock, Item, Offer

OFFER, CLOCK, ITEM, AGENT = range(4)
PACE = "pace"
"""The detail of an agent's timers that are not about an absence."""


Timer = tuple[int, int, str, str]
"""(instant, kind, key, detail): fires at the instant or later; the rest orders what is due at the same one.

Plain tuples of plain values: the garbage collector forgets them, and there are many.
"""


class Timers:
    """A heap of timers with lazy deletion."""

    def __init__(self) -> None:
        self.heap: list[Timer] = []

    def watch_offer(self, offer: Offer) -> None:
        if offer.state == "open":
            heappush(self.heap, (offer.expires_at_ms, OFFER, offer.offer_id, ""))

    def watch_clock(self, clock: Clock) -> None:
        due_ms = clock_instant(clock)
        if due_ms:
            heappush(self.heap, (due_ms, CLOCK, clock.conversation_id, f"{clock.metric}:{clock.instance}"))

    def watch_item(self, item: Item, before: Item | None = None) -> None:
        known = item_instants(before) if before is not None else ()
        for due_ms in item_instants(item):
            if due_ms not in known:
                heappush(self.heap, (due_ms, ITEM, item.conversation_id, ""))

    def watch_agent(self, seat: Seat | AgentState, graces_ms: tuple[int, ...]) -> None:
        if isinstance(seat, Seat) and seat.paced:
            self.watch_pace(seat)
        if seat.presence == "offline" and seat.since_ms:
            for grace_ms in graces_ms:
                heappush(self.heap, (seat.since_ms + grace_ms, AGENT, seat.agent_id, ""))

    def watch_pace(self, seat: Seat) -> None:
        """Wait for what time lets the agent take."""
        for due_ms in seat.instants():
            heappush(self.heap, (due_ms, AGENT, seat.agent_id, PACE))

    def pop(self, at_ms: int) -> Timer | None:
        """The first timer due at or before the instant, taken out."""
        if self.heap and self.heap[0][0] <= at_ms:
            return heappop(self.heap)
        return None


def clock_instant(clock: Clock) -> int:
    """When a clock warns, breaches or takes the next step of its ladder, whatever is first. 0 = never.

    At due itself it is still in time.
    """
    if clock.state != "running":
        return 0
    warns_ms = 0 if clock.warned else clock.warn_at_ms
    breaches_ms = clock.due_ms + 1 if clock.due_ms and not clock.breached_due_ms else 0
    return min(filter(None, (warns_ms, breaches_ms, clock.step_at_ms)), default=0)


def item_instants(item: Item) -> tuple[int, ...]:
    """Instants at which an item changes by itself: ring, exclusions, hold, overflow, reserve; of an
    assigned one, parking; the bot's deadline."""
    if item.state == "assigned" and item.park_at_ms:
        return (item.park_at_ms,)
    if item.state == "with_bot":
        return (item.bot_until_ms,)
    if item.state != "waiting":
        return ()
    relax = item.relax_at_ms
    recheck = item.recheck_at_ms if item.excluded else 0
    hold = item.hold_until_ms if item.held_for else 0
    return tuple(t for t in (relax, recheck, hold, item.overflow_at_ms, item.yields_until_ms) if t)
