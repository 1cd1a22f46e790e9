"""Who can take what: agents grouped by capability profile, per group and channel a heap of those with room.

The rule of choice is the queue's (`choice`). Precedence: the ring first, then the rule inside the ring.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from services.routing.domain.capacity import FREE, GroupKey, Seat
from services.routing.domain.choice import STANDING_OF, Candidate, Entry, Standing, prefix, standing
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.groups import Choice, Eligible, Group, Pick, move_count
from services.routing.domain.model import UNDETERMINED
from services.routing.domain.queue import Bucket, Order, Signature, WaitingRoom
from services.routing.domain.queue_policy import Queue
from services.routing.domain.reserve import Guards, is_guard

_RANKED = 4


class Bench:
    """All agents of a pool. Look-ups cost a peek per group, never a scan of the agents."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.orders: tuple[Standing, ...] = tuple(sorted({STANDING_OF[q.pick] for q in directory.queues}))
        self.seats: dict[str, Seat] = {}
        self.groups: dict[GroupKey, Group] = {}
        self.guards = Guards()
        self._eligible: dict[Signature, Eligible] = {}

    def seat(self, seat: Seat) -> None:
        """Add an agent; the load must have been taken before."""
        key = seat.group_key
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(
                key, self.flexibility(seat.profile), is_guard(self.directory, key)
            )
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
        self.guards.forget(agent_id)
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
                move_count(group.blocked.setdefault(channel, {}), before, reason)
                for watcher in group.watchers.get(channel, ()):
                    move_count(watcher.reasons, before, reason)
                seat.blocked[channel] = reason
            if reason != FREE:
                for order in self.orders:
                    seat.entries.pop((channel, order), None)
                continue
            load = seat.load_after(rule)
            for order in self.orders:
                place = (channel, order)
                entry = standing(order, seat, load)
                if seat.entries.get(place) != entry:
                    seat.entries[place] = entry
                    self._offer_room(group, place, entry)
        if group.guards:
            self.guards.note(seat)

    def _offer_room(self, group: Group, place: tuple[str, Standing], entry: Entry) -> None:
        heap = group.heaps.setdefault(place, [])
        if len(heap) > 8 + 2 * len(group.agents):
            heap[:] = [e for e in heap if self._is_live(place, e)]
            heapify(heap)
        heappush(heap, entry)

    def eligible(self, signature: Signature) -> Eligible:
        """Groups that can serve the signature, whether their agents are there or not."""
        known = self._eligible.get(signature)
        if known is None:
            known = self._eligible[signature] = Eligible()
            queue = self.directory.queue_by_id.get(signature.queue_id)
            for group in self.groups.values():
                verdict = self.verdict(group.key, signature)
                if queue is not None and isinstance(verdict, int):
                    level = _level(group.key, queue, signature)
                    known.groups.append((prefix(queue.pick, verdict, group.flexibility, level), group))
                    group.watchers.setdefault(signature.channel, []).append(known)
                    for reason, count in group.blocked.get(signature.channel, {}).items():
                        known.reasons[reason] = known.reasons.get(reason, 0) + count
                else:
                    verdict = str(verdict)
                    known.reasons[verdict] = known.reasons.get(verdict, 0) + len(group.agents)
            known.groups.sort(key=lambda pair: (pair[0], pair[1].key))
        return known

    def _forget_eligible(self) -> None:
        if self._eligible:
            self._eligible.clear()
            for group in self.groups.values():
                group.watchers.clear()

    def verdict(self, key: GroupKey, signature: Signature) -> int | str:
        """The first ring in which a group serves the signature, or the reason why it does in none that is open."""
        teams, languages, skills, capacity_id, seniority = key
        queue = self.directory.queue_by_id.get(signature.queue_id)
        if queue is None:
            return "team"
        levels = dict(skills)
        if any(levels.get(skill, 0) < level for skill, level in signature.skills):
            # The nearest reason is told: who is not of the team is not asked for skills.
            return "skill" if queue.team_id in teams else "team"
        has_channel = any(
            r.channel == signature.channel for r in self.directory.capacity_by_id[capacity_id].channels
        )
        speaks = signature.language == UNDETERMINED or signature.language in languages
        of_team = queue.team_id in teams
        senior = seniority >= signature.seniority
        lacking = {skill for skill, level in queue.preferred_skills if levels.get(skill, 0) < level}
        for number in range(signature.ring + 1):
            if number:
                ring = queue.ring_plan[number - 1]
                lacking -= set(ring.drop_skills)
                speaks = speaks or ring.drop_language
                of_team = of_team or any(team_id in teams for team_id in ring.teams)
                senior = senior or ring.drop_seniority
            if of_team and has_channel and speaks and senior and not lacking:
                return number
        if not of_team:
            return "team"
        if not has_channel:
            return "channel"
        if not senior:
            return "seniority"
        return "preferred-skill" if lacking else "language"

    def choose(
        self, signature: Signature, excluded: tuple[str, ...], held_for: str, *, yields: bool = False
    ) -> Choice:
        """The best agents with room for an item of the signature; one that yields leaves the last guard alone."""
        eligible = self.eligible(signature)
        reasons = {reason or "free": n for reason, n in eligible.reasons.items() if n}
        channel = signature.channel
        queue = self.directory.queue_by_id.get(signature.queue_id)
        rule = queue.pick if queue else "least_flexible"
        place = (channel, STANDING_OF[rule])
        found: list[tuple[int | str, ...]] = []
        keeps = yields and not held_for and self.guards.scarce(channel)
        last_class: tuple[int, ...] = (-1,)
        for first, group in eligible.groups if "free" in reasons else ():
            if not group.blocked[channel].get(FREE):
                continue
            if keeps and group.guards:
                reasons["reserved"] = 1
                continue
            if held_for:
                entry = self.seats[held_for].entries.get(place) if held_for in group.agents else None
            else:
                if len(found) >= _RANKED and first > last_class:
                    break
                last_class = first
                entry = self._head(group, place, excluded)
            if entry is not None:
                found.append((*first, *entry))
        if excluded:
            reasons["excluded"] = len(excluded)
        if held_for:
            reasons["held"] = 1
        found.sort()
        return Choice([Candidate(one, str(one[-1])) for one in found[:_RANKED]], reasons, rule)

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
        group = self.group_of(seat)
        served = self._served(group, waiting)
        best: dict[bool, tuple[Order, Signature]] = {}
        for channel, buckets in served.items():
            if blocked[channel] != FREE:
                continue
            kind = seat.rules[channel].interruptible
            kept = group.guards and self.guards.scarce(channel)
            for bucket in buckets:
                head = waiting.head(bucket, agent_id, kept=kept) if bucket.size else None
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

    def _head(self, group: Group, place: tuple[str, Standing], excluded: tuple[str, ...]) -> Entry | None:
        """The first agent with room of a group, if any."""
        heap = group.heaps.get(place, [])
        aside: list[Entry] = []
        found = None
        while heap and found is None:
            entry = heap[0]
            if not self._is_live(place, entry):
                heappop(heap)
            elif entry[-1] in excluded:
                aside.append(heappop(heap))
            else:
                found = entry
        for entry in aside:
            heappush(heap, entry)
        return found

    def _is_live(self, place: tuple[str, Standing], entry: Entry) -> bool:
        seat = self.seats.get(str(entry[-1]))
        return seat is not None and seat.entries.get(place) is entry

    def able(
        self, signature: Signature, keys: list[GroupKey], flexibility: dict[GroupKey, int]
    ) -> list[tuple[tuple[int, ...], GroupKey]]:
        """The capability profiles that can serve the signature with what their tuples begin with, best first."""
        queue = self.directory.queue_by_id[signature.queue_id]
        found = []
        for key in keys:
            verdict = self.verdict(key, signature)
            if isinstance(verdict, int):
                first = prefix(queue.pick, verdict, flexibility[key], _level(key, queue, signature))
                found.append((first, key))
        return sorted(found)

    def flexibility(self, profile: AgentProfile) -> int:
        """How many (queue, language) pairs agents of the profile could serve."""
        levels = dict(profile.skills)
        queues = sum(
            1
            for q in self.directory.queues
            if q.team_id in profile.teams and all(levels.get(s, 0) >= n for s, n in q.skills)
        )
        return max(1, queues) * max(1, len(profile.languages))


def _level(key: GroupKey, queue: Queue, signature: Signature) -> int:
    """The sum of a group's levels in what is asked for or preferred."""
    wanted = {skill for skill, _ in (*signature.skills, *queue.preferred_skills)}
    return sum(level for skill, level in key[2] if skill in wanted)
