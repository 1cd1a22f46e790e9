"""Who can take what: agents grouped by capability profile, per group and channel a heap of those with room.

The rule of choice (`least_flexible`): smallest (gap, flexibility, load, last_assigned_at, agent id), where
- gap: 1 when the agent does not speak the item's language and the language is only preferred (ring 1), else
  0;
- flexibility: number of (queue, language) pairs the group could serve, so that specialists go first;
- load: share of the budget in use after the assignment, in ten-thousandths;
- last_assigned_at: the longest idle goes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from services.routing.domain.capacity import FREE, Entry, GroupKey, Seat
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.model import UNDETERMINED
from services.routing.domain.queue import Bucket, Order, Signature, WaitingRoom

_RANKED = 4


class Candidate(NamedTuple):
    """The tuple an agent is chosen by; smaller first."""

    gap: int
    flexibility: int
    load: int
    last_assigned_at_ms: int
    agent_id: str


@dataclass(slots=True)
class Choice:
    """The best agent of each group, in order (at most four), and how many agents were out for which reason."""

    ranked: list[Candidate]
    reasons: dict[str, int]


@dataclass(slots=True)
class Pick:
    """The item for an agent who has room, and the better-placed ones that could not be given to him."""

    order: Order
    signature: Signature
    passed_over: list[tuple[Order, str]]


class Group:
    """The agents of one capability profile."""

    __slots__ = ("agents", "blocked", "flexibility", "heaps", "key", "seen", "served", "watchers")

    def __init__(self, key: GroupKey, flexibility: int) -> None:
        self.key = key
        self.flexibility = flexibility
        self.agents: set[str] = set()
        self.heaps: dict[str, list[Entry]] = {}
        self.blocked: dict[str, dict[str, int]] = {}
        """Per channel: number of agents by the reason that blocks them (FREE = none)."""
        self.watchers: dict[str, list[Eligible]] = {}
        """Per channel: the signatures whose counts this group's agents are part of."""
        self.served: dict[str, list[Bucket]] = {}
        """Per channel: where the items wait that the group can serve, of the first `seen` signatures."""
        self.seen = 0


@dataclass(slots=True)
class Eligible:
    """The groups that can serve a signature with their gap, best class first, and all agents by what keeps them
    from it now."""

    groups: list[tuple[int, Group]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


class Bench:
    """All agents of a pool. Look-ups cost a peek per group, never a scan of the agents."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.seats: dict[str, Seat] = {}
        self.groups: dict[GroupKey, Group] = {}
        self._eligible: dict[Signature, Eligible] = {}

    def seat(self, seat: Seat) -> None:
        """Add an agent; the load must have been taken before."""
        key = seat.group_key
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(key, self._flexibility(seat.profile))
        group.agents.add(seat.agent_id)
        self.seats[seat.agent_id] = seat
        self._forget_eligible()
        seat.blocked, seat.entries = {}, {}
        self.refresh(seat)

    def unseat(self, agent_id: str) -> None:
        """Take an agent away."""
        seat = self.seats.pop(agent_id)
        group = self.group_of(seat)
        group.agents.discard(agent_id)
        for channel, reason in seat.blocked.items():
            group.blocked[channel][reason] -= 1
        if not group.agents:
            del self.groups[group.key]
        self._forget_eligible()

    def group_of(self, seat: Seat) -> Group:
        return self.groups[seat.group_key]

    def refresh(self, seat: Seat) -> None:
        """Bring the heaps and counters up to date after a change of the seat."""
        group = self.group_of(seat)
        for channel, rule in seat.rules.items():
            reason = seat.block(rule)
            before = seat.blocked.get(channel)
            if before != reason:
                _move_count(group.blocked.setdefault(channel, {}), before, reason)
                for watcher in group.watchers.get(channel, ()):
                    _move_count(watcher.reasons, before, reason)
                seat.blocked[channel] = reason
            if reason != FREE:
                seat.entries.pop(channel, None)
                continue
            entry = (seat.load_after(rule), seat.last_assigned_at_ms, seat.agent_id)
            if seat.entries.get(channel) != entry:
                seat.entries[channel] = entry
                self._offer_room(group, channel, entry)

    def _offer_room(self, group: Group, channel: str, entry: Entry) -> None:
        heap = group.heaps.setdefault(channel, [])
        if len(heap) > 8 + 2 * len(group.agents):
            heap[:] = [e for e in heap if self._is_live(channel, e)]
            heapify(heap)
        heappush(heap, entry)

    def eligible(self, signature: Signature) -> Eligible:
        """Groups that can serve the signature, whether their agents are there or not."""
        known = self._eligible.get(signature)
        if known is None:
            known = self._eligible[signature] = Eligible()
            for group in self.groups.values():
                verdict = self.verdict(group.key, signature)
                if isinstance(verdict, int):
                    known.groups.append((verdict, group))
                    group.watchers.setdefault(signature.channel, []).append(known)
                    for reason, count in group.blocked.get(signature.channel, {}).items():
                        known.reasons[reason] = known.reasons.get(reason, 0) + count
                else:
                    known.reasons[verdict] = known.reasons.get(verdict, 0) + len(group.agents)
            known.groups.sort(key=lambda pair: (pair[0], pair[1].flexibility))
        return known

    def _forget_eligible(self) -> None:
        if self._eligible:
            self._eligible.clear()
            for group in self.groups.values():
                group.watchers.clear()

    def verdict(self, key: GroupKey, signature: Signature) -> int | str:
        """The gap with which a group serves the signature, or the reason why it cannot."""
        teams, languages, skills, capacity_id = key
        queue = self.directory.queue_by_id.get(signature.queue_id)
        if queue is None or queue.team_id not in teams:
            return "team"
        levels = dict(skills)
        if any(levels.get(skill, 0) < level for skill, level in signature.skills):
            return "skill"
        if all(r.channel != signature.channel for r in self.directory.capacity_by_id[capacity_id].channels):
            return "channel"
        speaks = signature.language == UNDETERMINED or signature.language in languages
        if not speaks and signature.ring == 0:
            return "language"
        return 0 if speaks else 1

    def choose(self, signature: Signature, excluded: tuple[str, ...], held_for: str) -> Choice:
        """The best agents with room for an item of the signature."""
        eligible = self.eligible(signature)
        reasons = {reason or "free": n for reason, n in eligible.reasons.items() if n}
        channel = signature.channel
        found: list[tuple[int, int, int, int, str]] = []
        last_class = (-1, -1)
        for gap, group in eligible.groups if "free" in reasons else ():
            if not group.blocked[channel].get(FREE):
                continue
            if held_for:
                entry = self.seats[held_for].entries.get(channel) if held_for in group.agents else None
            else:
                if len(found) >= _RANKED and (gap, group.flexibility) > last_class:
                    break
                last_class = (gap, group.flexibility)
                entry = self._head(group, channel, excluded)
            if entry is not None:
                found.append((gap, group.flexibility, *entry))
        if excluded:
            reasons["excluded"] = len(excluded)
        if held_for:
            reasons["held"] = 1
        found.sort()
        return Choice([Candidate(*one) for one in found[:_RANKED]], reasons)

    def anybody_else(self, signature: Signature, excluded: tuple[str, ...]) -> bool:
        """Is an online agent, with room or not, eligible and not excluded?"""
        out = set(excluded)
        return any(
            self.seats[agent_id].presence == "online"
            for _, group in self.eligible(signature).groups
            for agent_id in group.agents - out
        )

    def pick(self, seat: Seat, waiting: WaitingRoom) -> Pick | None:
        """The item the agent should have next: live work first, then interruptible; each by key."""
        blocked, agent_id = seat.blocked, seat.agent_id
        if FREE not in blocked.values():
            return None
        served = self._served(self.group_of(seat), waiting)
        best: dict[bool, tuple[Order, Signature]] = {}
        for channel, buckets in served.items():
            if blocked[channel] != FREE:
                continue
            kind = seat.rules[channel].interruptible
            for bucket in buckets:
                head = waiting.head(bucket, agent_id) if bucket.size else None
                if head is not None and (kind not in best or head < best[kind][0]):
                    best[kind] = (head, bucket.signature)
        if not best:
            return None
        order, signature = best.get(False) or best[True]
        refused = [(o, "other-budget") for kind, (o, _) in best.items() if kind and o < order]
        for channel, buckets in served.items():
            reason = blocked[channel]
            for bucket in buckets if reason != FREE else ():
                head = waiting.head(bucket, agent_id) if bucket.size else None
                if head is not None and head < order:
                    refused.append((head, reason))
        return Pick(order, signature, sorted(refused)[:3])

    def _served(self, group: Group, waiting: WaitingRoom) -> dict[str, list[Bucket]]:
        while group.seen < len(waiting.signatures):
            signature = waiting.signatures[group.seen]
            if isinstance(self.verdict(group.key, signature), int):
                group.served.setdefault(signature.channel, []).append(waiting.buckets[signature])
            group.seen += 1
        return group.served

    def _head(self, group: Group, channel: str, excluded: tuple[str, ...]) -> Entry | None:
        """The first agent with room of a group, if any."""
        heap = group.heaps.get(channel, [])
        aside: list[Entry] = []
        found = None
        while heap and found is None:
            entry = heap[0]
            if not self._is_live(channel, entry):
                heappop(heap)
            elif entry[2] in excluded:
                aside.append(heappop(heap))
            else:
                found = entry
        for entry in aside:
            heappush(heap, entry)
        return found

    def _is_live(self, channel: str, entry: Entry) -> bool:
        seat = self.seats.get(entry[2])
        return seat is not None and seat.entries.get(channel) is entry

    def _flexibility(self, profile: AgentProfile) -> int:
        queues = sum(1 for q in self.directory.queues if q.team_id in profile.teams)
        return max(1, queues) * max(1, len(profile.languages))


def _move_count(counts: dict[str, int], before: str | None, after: str) -> None:
    counts[after] = counts.get(after, 0) + 1
    if before is not None:
        counts[before] -= 1
