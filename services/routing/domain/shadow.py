"""The pool as a second policy would see it: the same agents with the same work, the same conversations.

A mirror, brought up to date before each comparison from what the live pool says has changed. It has no state of its own
that lasts: another decision of the shadow is never acted on, so the next comparison starts from the live pool again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from services.routing.domain.capacity import Seat
from services.routing.domain.choice import key_of
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.matching import Bench
from services.routing.domain.model import Item, Offer
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.queue import WaitingRoom, signature_in
from services.routing.domain.reserve import yields_until_ms

_ONE_TO_ONE = (
    "presence",
    "last_assigned_at_ms",
    "idle_since_ms",
    "turn",
    "window",
    "stopped",
)
"""What a mirrored seat copies; what its own capacity policy makes of the work is counted anew."""
_OF_TIME = ("budget", "interruptible_budget", "paced_until_ms", "ramp_at_ms")


class Difference(NamedTuple):
    """Where the shadow would have decided otherwise. Empty = nobody, or nothing."""

    kind: str
    """queue: where a conversation goes in; agent: who is asked; conversation: what a free agent is given."""
    conversation_id: str
    agent_id: str
    """Of kind conversation: whose turn it was."""
    live: str
    shadow: str
    decision_id: str


class Shadow:
    """One second policy."""

    def __init__(self, policy: ShadowPolicy, directory: Directory) -> None:
        self.policy = policy
        self.directory = directory
        self.bench = Bench(directory)
        self.waiting = WaitingRoom()
        self.items: set[str] = set()
        """Conversations that have changed since the last look."""
        self.agents: set[str] = set()
        self._queues: dict[str, tuple[str, str]] = {}
        """By conversation: its live queue at the time, and the one the shadow's filters name."""

    def routed(self, item: Item, queue_hint: str, matched: str) -> str:
        """The queue that the shadow's filters name for a conversation that comes in; `matched` is the live one, which
        may have been closed, so that the item is elsewhere."""
        queue, _ = self.directory.route(item.topic, item.language, item.urgency, item.channel, queue_hint)
        if queue.queue_id != matched:
            self._queues[item.conversation_id] = (item.queue_id, queue.queue_id)
        return queue.queue_id

    def look(
        self, items: Mapping[str, Item], seats: Mapping[str, Seat], offers: Mapping[str, Offer], at_ms: int
    ) -> None:
        """Bring the mirror up to date."""
        for agent_id in self.agents:
            self._mirror(agent_id, seats.get(agent_id), items, offers, at_ms)
        self.agents.clear()
        for conversation_id in self.items:
            item = items.get(conversation_id)
            if item is None or item.state != "waiting":
                self.waiting.remove(conversation_id)
                if item is None or item.state == "closed":
                    self._queues.pop(conversation_id, None)
            else:
                seen = self.seen(item, at_ms)
                self.waiting.add(seen, signature_in(self.directory, seen))
        self.items.clear()

    def seen(self, item: Item, at_ms: int) -> Item:
        """The item in its queue, ring and place by the shadow's rules."""
        was, queue_id = self._queues.get(item.conversation_id, ("", ""))
        if was != item.queue_id:
            queue_id = item.queue_id
        if queue_id not in self.directory.queue_by_id:
            queue_id = self.directory.filters[-1].queue_id
        queue = self.directory.queue_by_id[queue_id]
        item = item._replace(queue_id=queue_id, ring=min(item.ring, len(queue.ring_plan)))
        boost_ms = self.directory.boost(queue, item)
        item = item._replace(boost_ms=boost_ms, key_ms=key_of(item.due_ms, boost_ms, item.pinned_at_ms))
        until_ms = yields_until_ms(self.directory, item, item.waiting_since_ms)
        # What is due by now may be still to come in this step: the live item knows.
        yields = until_ms > at_ms or until_ms == item.yields_until_ms
        return item._replace(yields_until_ms=until_ms if yields else 0)

    def _mirror(
        self,
        agent_id: str,
        live: Seat | None,
        items: Mapping[str, Item],
        offers: Mapping[str, Offer],
        at_ms: int,
    ) -> None:
        seat = self.bench.seats.get(agent_id)
        profile = self._known(live.profile) if live is not None else None
        if seat is not None and seat.profile != profile:
            self.bench.unseat(agent_id)
            seat = None
        if live is None or profile is None:
            return
        fresh = seat is None
        if seat is None:
            seat = Seat(profile, self.directory.capacity_by_id[profile.capacity_id], live.state())
        for name in _ONE_TO_ONE:
            setattr(seat, name, getattr(live, name))
        seat.empty()
        for conversation_id in live.conversations:
            seat.conversations.add(conversation_id)
            seat.hold(items[conversation_id].channel)
        for offer_id in live.offers:
            seat.offers.add(offer_id)
            seat.hold(items[offers[offer_id].conversation_id].channel)
        if seat.policy == live.policy:
            # What time has lifted is looked at when the agent is touched: as the live seat was.
            for name in _OF_TIME:
                setattr(seat, name, getattr(live, name))
        else:
            seat.keep_pace(at_ms)
        if fresh:
            self.bench.seat(seat)
        else:
            self.bench.refresh(seat)
        self.bench.guards.loosened.clear()

    def _known(self, profile: AgentProfile) -> AgentProfile:
        """The agent's entry; a capacity policy that the shadow does not have becomes its first."""
        if profile.capacity_id in self.directory.capacity_by_id:
            return profile
        return replace(profile, capacity_id=self.directory.capacities[0].capacity_id)
