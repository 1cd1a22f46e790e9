"""The pool in memory: the tables, the indexes that follow from them, and the record of the step being made.

Private to the engine. Values in the tables are frozen; every change goes through `put_*`, which keeps the
indexes right and remembers the row for the step.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.routing.domain.capacity import Seat
from services.routing.domain.choice import key_of
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.events import Event
from services.routing.domain.matching import Bench
from services.routing.domain.model import (
    AgentState,
    Clock,
    FeedEntry,
    Item,
    Notice,
    Offer,
    PoolState,
    Result,
)
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.queue import Signature, WaitingRoom, signature_in
from services.routing.domain.queue_policy import Queue
from services.routing.domain.shadow import Difference, Shadow
from services.routing.domain.timers import Timers

ClockId = tuple[str, str, int]
CLOCKS_KEPT = 3
"""Of each metric of a conversation, how many that have ended; the events have told of all."""


@dataclass(slots=True)
class Step:
    """Everything one command did. The service saves the rows and tells the rest, in one transaction."""

    at_ms: int
    pool: PoolState
    events: list[Event] = field(default_factory=list)
    result: Result | None = None
    repeated: bool = False
    """The command had been applied before; nothing happened."""
    feed: list[FeedEntry] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    agents: dict[str, AgentState] = field(default_factory=dict)
    clocks: dict[ClockId, Clock] = field(default_factory=dict)
    profiles: dict[str, AgentProfile] = field(default_factory=dict)
    removed_agents: list[str] = field(default_factory=list)
    directory: Directory | None = None
    notices: dict[tuple[str, str], Notice] = field(default_factory=dict)
    shadow: ShadowPolicy | None = None
    """The shadow policy, when it was put or (without a directory) ended."""
    differences: list[Difference] = field(default_factory=list, compare=False)
    """What the shadow policy would have decided otherwise."""
    compared: int = field(default=0, compare=False)
    """Decisions that both have made."""


class Pool:
    """The mutable heart of an engine; see `engine.Engine` for the contract."""

    def __init__(self, pool_id: str, directory: Directory, bench_type: type[Bench] = Bench) -> None:
        self.pool_id = pool_id
        self.directory = directory
        self.bench_type = bench_type
        self.at_ms = 0
        self.sequence = 0
        self.items: dict[str, Item] = {}
        self.offers: dict[str, Offer] = {}
        self.clocks: dict[str, tuple[Clock, ...]] = {}
        """By conversation, in order of their ids."""
        self.results: dict[str, Result] = {}
        self.bench = bench_type(directory)
        self.waiting = WaitingRoom()
        self.timers = Timers()
        self.notices: dict[tuple[str, str], Notice] = {}
        """By kind and what they are about; lifted ones are not here."""
        self.retired: dict[str, AgentState] = {}
        """Removed agents: their feed goes on where it was when they come back."""
        self.ended: deque[tuple[int, str, str]] = deque()
        """(instant, kind, id) of closed items, closed offers and results, for forgetting."""
        self.step = Step(0, PoolState(pool_id))
        self.command_id = ""
        self.cause = ""
        self.routed: dict[str, tuple[str, int]] = {}
        """Items that found their queue in this step: the id and the filter for the record of their placement."""
        self.of_customer: dict[str, set[str]] = {}
        """What is not closed, by customer."""
        self.unplaced: set[str] = set()
        """Items that found nobody in this step: `alarms` looks whether anybody ever could."""
        self.shadow: Shadow | None = None
        self._touched: dict[str, Seat] = {}
        self._to_place: dict[str, str] = {}
        self._to_fill: dict[str, None] = {}
        self._to_accept: list[str] = []

    def begin(self, at_ms: int, command_id: str, cause: str) -> None:
        self.at_ms = at_ms
        self.command_id, self.cause = command_id, cause
        self.step = Step(at_ms, PoolState(self.pool_id))
        self._touched = {}
        self.unplaced.clear()

    def finish(self) -> Step:
        for agent_id, seat in self._touched.items():
            if agent_id in self.bench.seats or agent_id in self.retired:
                self.step.agents[agent_id] = seat.state()
        self.step.pool = PoolState(self.pool_id, self.at_ms, self.sequence)
        return self.step

    def next_id(self) -> str:
        """Unique and the same on every run: the command and the pool's own counter."""
        self.sequence += 1
        return f"{self.command_id}-{self.sequence}"

    def emit(self, event: Event) -> None:
        self.step.events.append(event)

    def explain(self, record: dict[str, Any]) -> None:
        self.step.decisions.append(record)

    def tell(self, seat: Seat, kind: str, payload: Mapping[str, Any]) -> None:
        """Write a line into an agent's feed."""
        seat.feed_seq += 1
        self._touched[seat.agent_id] = seat
        self.step.feed.append(FeedEntry(seat.agent_id, seat.feed_seq, kind, payload, self.at_ms))

    def put_item(self, item: Item) -> None:
        before = self.items.get(item.conversation_id)
        self.items[item.conversation_id] = item
        self.step.items[item.conversation_id] = item
        if self.shadow is not None:
            self.shadow.items.add(item.conversation_id)
        if before is None or (before.state == "closed") != (item.state == "closed"):
            self.know_customer(item)
        if item.state == "waiting":
            self.waiting.add(item, self.signature(item))
            self.timers.watch_item(item, before)
        elif before is not None and before.state == "waiting":
            self.waiting.remove(item.conversation_id)
        if (item.park_at_ms and item.state == "assigned") or item.state == "with_bot":
            self.timers.watch_item(item, before)
        if item.state == "closed":
            self.ended.append((self.at_ms, "item", item.conversation_id))

    def know_customer(self, item: Item) -> None:
        """Find the item by its customer while it is not closed."""
        if item.customer_id and item.state != "closed":
            self.of_customer.setdefault(item.customer_id, set()).add(item.conversation_id)
        elif known := self.of_customer.get(item.customer_id):
            known.discard(item.conversation_id)
            if not known:
                del self.of_customer[item.customer_id]

    def put_offer(self, offer: Offer) -> None:
        self.offers[offer.offer_id] = offer
        self.step.offers[offer.offer_id] = offer
        if offer.state == "open":
            self.timers.watch_offer(offer)
        else:
            self.ended.append((offer.closed_at_ms, "offer", offer.offer_id))

    def put_notice(self, notice: Notice) -> None:
        if notice.lifted:
            self.notices.pop(notice.notice_id, None)
        else:
            self.notices[notice.notice_id] = notice
        self.step.notices[notice.notice_id] = notice

    def drains(self, agent_id: str) -> bool:
        """Whether the agent takes nothing more, alone or with the pool."""
        return ("agent", agent_id) in self.notices or ("pool", self.pool_id) in self.notices

    def is_closed(self, queue_id: str) -> bool:
        """Whether nothing new comes into the queue."""
        return ("queue", queue_id) in self.notices

    def put_clock(self, clock: Clock) -> None:
        self.keep_clock(clock)
        self.step.clocks[clock.clock_id] = clock
        self.timers.watch_clock(clock)

    def keep_clock(self, clock: Clock) -> None:
        """Put a clock into the table only."""
        known = self.clocks.get(clock.conversation_id, ())
        if known and known[-1].clock_id >= clock.clock_id:
            others = [c for c in known if c.metric != clock.metric or c.instance != clock.instance]
            self.clocks[clock.conversation_id] = _newest(tuple(sorted([*others, clock], key=_by_id)))
        else:
            self.clocks[clock.conversation_id] = _newest((*known, clock))

    def clock(self, conversation_id: str, metric: str, instance: int) -> Clock | None:
        for clock in self.clocks.get(conversation_id, ()):
            if clock.metric == metric and clock.instance == instance:
                return clock
        return None

    def touch(self, seat: Seat) -> None:
        """A seat changed: bring its heaps up to date and save its row."""
        self._touched[seat.agent_id] = seat
        if self.shadow is not None:
            self.shadow.agents.add(seat.agent_id)
        if seat.paced:
            before = seat.instants()
            seat.keep_pace(self.at_ms)
            if seat.instants() != before:
                self.timers.watch_pace(seat)
                self.fill_later(seat)
        self.bench.refresh(seat)
        if self.bench.guards.loosened:
            self._to_fill.update(dict.fromkeys(self.bench.guards.loosened))
            self.bench.guards.loosened.clear()

    def place_later(self, conversation_id: str, why: str) -> None:
        """The waiting item looks for an agent before the step ends."""
        self._to_place[conversation_id] = why

    def fill_later(self, seat: Seat) -> None:
        """The agent may have room: he looks for items before the step ends."""
        self._to_fill[seat.agent_id] = None

    def accept_later(self, offer_id: str) -> None:
        """The offer is an assignment before the step ends."""
        self._to_accept.append(offer_id)

    @property
    def unsettled(self) -> bool:
        """Whether anybody looks for anything."""
        return bool(self._to_fill or self._to_place)

    def take_unaccepted(self) -> list[str]:
        """The offers to accept, in order; the list is emptied."""
        found, self._to_accept = self._to_accept, []
        return found

    def take_unplaced(self) -> list[tuple[str, str]]:
        """The waiting items to place and why, best first; the list is emptied."""
        if not self._to_place:
            return []
        found = [(i, why) for i, why in self._to_place.items() if i in self.waiting]
        self._to_place.clear()
        found.sort(key=lambda pair: self.items[pair[0]].order)
        return found

    def take_unfilled(self) -> list[Seat]:
        """The seats to fill, by agent id; the list is emptied."""
        if not self._to_fill:
            return []
        found = [self.bench.seats[a] for a in sorted(self._to_fill) if a in self.bench.seats]
        self._to_fill.clear()
        return found

    def queue_of(self, item: Item) -> Queue:
        return self.directory.queue_by_id[item.queue_id]

    def signature(self, item: Item) -> Signature:
        return signature_in(self.directory, item)

    def due_of(self, conversation_id: str, eligible_at_ms: int) -> int:
        """Earliest due of the unfulfilled clocks; without one, the age plus the longest target of the pool."""
        dues = [c.due_ms for c in self.clocks.get(conversation_id, ()) if c.unfulfilled and c.due_ms]
        return min(dues) if dues else eligible_at_ms + self.directory.longest_target_ms

    def rekeyed(self, item: Item) -> Item:
        """The item with due, boost and key as its clocks and class say now."""
        due_ms = self.due_of(item.conversation_id, item.eligible_at_ms)
        boost_ms = self.directory.boost(self.queue_of(item), item)
        key_ms = key_of(due_ms, boost_ms, item.pinned_at_ms)
        if (due_ms, boost_ms, key_ms) == (item.due_ms, item.boost_ms, item.key_ms):
            return item
        return item._replace(due_ms=due_ms, boost_ms=boost_ms, key_ms=key_ms)


def _newest(clocks: tuple[Clock, ...]) -> tuple[Clock, ...]:
    """Of each metric what still runs and the newest ones that ended: a long talk has hundreds of them."""
    if len(clocks) <= CLOCKS_KEPT:
        return clocks
    later = Counter(c.metric for c in clocks if not c.unfulfilled)
    kept: list[Clock] = []
    for clock in clocks:
        if not clock.unfulfilled:
            later[clock.metric] -= 1
        if clock.unfulfilled or later[clock.metric] < CLOCKS_KEPT:
            kept.append(clock)
    return tuple(kept)


def _by_id(clock: Clock) -> ClockId:
    return clock.clock_id
