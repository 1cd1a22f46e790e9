"""A queue room in fast motion: arrivals, work and patience are given, the rules are the engine's own.

Who is able to serve what comes from `matching.Bench`, who is chosen from `choice`, the order of the waiting from
`choice.key_of`; the rules of others stand beside them as `ORDERS`. Nothing here draws a random number, so that every
policy meets exactly the same customers. Offers are accepted at once. Times are integer milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal

from services.routing.domain.capacity import GroupKey, group_key
from services.routing.domain.choice import STANDING_OF, Entry, Standing, key_of, standing
from services.routing.domain.directory import (
    ChannelRule,
)
from services.routing.domain.matching import Bench
from services.routing.domain.simulation_model import (
    ABANDONED,
    Arrivals,
    Crew,
    Outcome,
    Policy,
    WorkClass,
    directory_of,
    signature_of,
)

_FOR_EVER = 1 << 62
_BELOW = 1 << 50


@dataclass(slots=True)
class _Agent:
    """An agent at work (`choice.Standings`)."""

    agent_id: str
    number: int
    room: _Room
    rules: dict[str, ChannelRule]
    budget: int
    soft_budget: int
    speed_percent: int
    present: bool = True
    last_assigned_at_ms: int = 0
    idle_since_ms: int = 0
    turn: int = 0
    used: int = 0
    soft_used: int = 0
    exclusive: int = 0
    open: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    def load(self, rule: ChannelRule) -> int:
        """The share of the budget in use after one more, in ten-thousandths; -1 = there is no room."""
        if self.counts.get(rule.channel, 0) >= rule.max_count:
            return -1
        if rule.interruptible:
            used = self.soft_used + rule.weight
            return used * 10_000 // self.soft_budget if used <= self.soft_budget else -1
        if self.exclusive or (rule.exclusive and self.used):
            return -1
        used = self.used + rule.weight
        return used * 10_000 // self.budget if used <= self.budget else -1

    def take(self, rule: ChannelRule, sign: int) -> None:
        if rule.interruptible:
            self.soft_used += sign * rule.weight
        else:
            self.used += sign * rule.weight
        if rule.exclusive:
            self.exclusive += sign
        self.open += sign
        self.counts[rule.channel] = self.counts.get(rule.channel, 0) + sign


class _Room:
    """Agents of one capability profile: by channel a heap of those with room, and the classes they can serve."""

    def __init__(self, key: GroupKey) -> None:
        self.key = key
        self.heaps: dict[str, list[tuple[Entry, _Agent]]] = {}
        self.classes: list[int] = []


class Simulation:
    """One policy over one sequence of arrivals."""

    def __init__(self, classes: Sequence[WorkClass], crews: Sequence[Crew], policy: Policy) -> None:
        self.classes = tuple(classes)
        self.policy = policy
        boosts = dict(policy.boosts_ms)
        self.boosts = [boosts.get(c.class_id, c.boost_ms) for c in classes]
        self.order: Standing | Literal["open"] = (
            "open" if policy.pick == "fewest_open" else STANDING_OF[policy.pick]
        )
        self._seat(crews)
        self.waiting: list[list[tuple[int, int, int]]] = [[] for _ in classes]
        """By class: a heap of (key, eligible at, arrival)."""

    def _seat(self, crews: Sequence[Crew]) -> None:
        bench = Bench(directory_of(self.classes, crews, self.policy))
        self.agents: list[_Agent] = []
        self.shifts: list[tuple[tuple[int, int], ...]] = []
        rooms: dict[GroupKey, _Room] = {}
        flexibility: dict[GroupKey, int] = {}
        for crew in crews:
            key = group_key(crew.profile)
            room = rooms.setdefault(key, _Room(key))
            flexibility[key] = bench.flexibility(crew.profile)
            for _ in range(crew.count):
                agent = _Agent(
                    f"{crew.profile.agent_id}-{len(self.agents):05}",
                    len(self.agents),
                    room,
                    {r.channel: r for r in crew.capacity.channels},
                    max(1, crew.capacity.budget),
                    max(1, crew.capacity.interruptible_budget),
                    crew.speed_percent,
                )
                self.agents.append(agent)
                self.shifts.append(crew.shifts)
        self.able: list[list[tuple[tuple[int, ...], _Room]]] = []
        for number, kind in enumerate(self.classes):
            able = bench.able(signature_of(kind), list(rooms), flexibility)
            self.able.append([(first, rooms[key]) for first, key in able])
            for _, key in able:
                rooms[key].classes.append(number)

    def unserved(self) -> list[str]:
        """Classes that nobody can ever serve."""
        return [c.class_id for c, able in zip(self.classes, self.able, strict=True) if not able]

    def run(self, arrivals: Arrivals) -> Outcome:
        """Play all arrivals and finish the work; customers whose patience ends before they are served leave."""
        at_ms, kind, work_ms, patience_ms = (
            arrivals.at_ms,
            arrivals.kind,
            arrivals.work_ms,
            arrivals.patience_ms,
        )
        total = len(at_ms)
        begun, by_whom = [ABANDONED] * total, [-1] * total
        load_ms = [0] * len(self.agents)
        until_ms = at_ms[-1] if total else 0
        ends: list[tuple[int, int, int, int]] = []
        """(instant, agent, arrival or -1 come or -2 go, 0)"""
        present_ms = self._roster(ends, until_ms)
        classes, waiting, agents = self.classes, self.waiting, self.agents
        keys = [self._key(number) for number in range(len(classes))]

        def give(agent: _Agent, arrival: int, now_ms: int) -> None:
            rule = agent.rules[classes[kind[arrival]].channel]
            agent.take(rule, 1)
            agent.last_assigned_at_ms = agent.idle_since_ms = now_ms
            self.turn += 1
            agent.turn = self.turn
            begun[arrival], by_whom[arrival] = now_ms, agent.number
            took_ms = work_ms[arrival] * 100 // agent.speed_percent
            budget = agent.soft_budget if rule.interruptible else agent.budget
            load_ms[agent.number] += took_ms * rule.weight * 10_000 // budget
            heappush(ends, (now_ms + took_ms, agent.number, arrival, 0))

        self.turn = 0
        for agent in agents:
            self._stand(agent)
        place = 0
        while place < total or ends:
            if place < total and (not ends or at_ms[place] < ends[0][0]):
                now_ms, number = at_ms[place], kind[place]
                found = self._choose(number)
                if found is not None:
                    give(found, place, now_ms)
                    self._stand(found)
                else:
                    static, span = keys[number]
                    heappush(waiting[number], (now_ms + span if static else now_ms, now_ms, place))
                place += 1
                continue
            now_ms, who, arrival, _ = heappop(ends)
            agent = agents[who]
            if arrival >= 0:
                agent.take(agent.rules[classes[kind[arrival]].channel], -1)
                agent.idle_since_ms = now_ms
            else:
                agent.present = arrival == ABANDONED
                agent.idle_since_ms = now_ms
            while agent.present and (arrival := self._next(agent, now_ms, patience_ms)) >= 0:
                give(agent, arrival, now_ms)
            self._stand(agent)
        return Outcome(begun, by_whom, load_ms, present_ms)

    def _roster(self, ends: list[tuple[int, int, int, int]], until_ms: int) -> list[int]:
        """Put the beginnings and ends of shifts among the events; the time each agent is there."""
        day_ms, present = 86_400_000, []
        for agent, shifts in zip(self.agents, self.shifts, strict=True):
            if not shifts:
                present.append(until_ms)
                continue
            agent.present, there = False, 0
            for day in range(until_ms // day_ms + 2):
                for begin, end in shifts:
                    first, last = day * day_ms + begin, day * day_ms + end
                    heappush(ends, (first, agent.number, -1, 0))
                    heappush(ends, (last, agent.number, -2, 0))
                    there += max(0, min(last, until_ms) - min(first, until_ms))
            present.append(there)
        return present

    def _key(self, number: int) -> tuple[bool, int]:
        """(does not change with time, what is added to the instant of arrival)."""
        kind, order = self.classes[number], self.policy.order
        if order == "key":
            return True, key_of(kind.target_ms, self.boosts[number])
        if order == "strict":
            return True, -kind.priority * _BELOW
        if order == "age_plus_priority":
            return True, -kind.priority_ms
        return order == "fifo", 0

    def _stand(self, agent: _Agent) -> None:
        """Bring the heaps up to date after a change of the agent."""
        for channel, rule in agent.rules.items():
            load = agent.load(rule) if agent.present else -1
            if load < 0:
                agent.entries.pop(channel, None)
                continue
            if self.order == "open":
                entry: Entry = (agent.open, agent.last_assigned_at_ms, agent.agent_id)
            else:
                entry = standing(self.order, agent, load)
            if agent.entries.get(channel) != entry:
                agent.entries[channel] = entry
                heappush(agent.room.heaps.setdefault(channel, []), (entry, agent))

    def _choose(self, number: int) -> _Agent | None:
        channel = self.classes[number].channel
        best: tuple[tuple[int, ...], Entry] | None = None
        chosen = None
        for first, room in self.able[number]:
            if best is not None and first > best[0]:
                break
            heap = room.heaps.get(channel)
            while heap:
                entry, agent = heap[0]
                if agent.entries.get(channel) is entry:
                    if best is None or (first, entry) < best:
                        best, chosen = (first, entry), agent
                    break
                heappop(heap)
        return chosen

    def _next(self, agent: _Agent, now_ms: int, patience_ms: Sequence[int]) -> int:
        """The arrival the agent takes next, out of the waiting; -1 = none that fits."""
        best: tuple[bool, int, int, int] | None = None
        source = None
        for number in agent.room.classes:
            heap = self.waiting[number]
            while heap:
                key, since_ms, arrival = heap[0]
                patience = patience_ms[arrival]
                if not patience or since_ms + patience > now_ms:
                    break
                heappop(heap)
            if not heap:
                continue
            kind = self.classes[number]
            rule = agent.rules[kind.channel]
            if agent.load(rule) < 0:
                continue
            key, since_ms, arrival = heap[0]
            if self.policy.order == "slopes":
                key = -kind.slope * (now_ms - since_ms)
            mine = (rule.interruptible, key, since_ms, arrival)
            if best is None or mine < best:
                best, source = mine, heap
        return heappop(source)[2] if source is not None else -1
