"""Who there is and which rules hold: teams, queues with filters, agents, capacities, calendars, SLA
targets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.routing.domain.calendars import Calendar, calendars_by_id
from services.routing.domain.directory_problems import directory_problems
from services.routing.domain.queue_policy import NO_RESERVE, Boosted, Queue, Reserve, boost_parts
from services.routing.domain.skills import Skill


@dataclass(frozen=True, slots=True)
class Team:
    team_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """All given conditions must match; an empty condition matches everything."""

    queue_id: str
    topics: tuple[str, ...] = ()
    """A topic or the part before its first dot."""
    languages: tuple[str, ...] = ()
    urgencies: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    queue_hints: tuple[str, ...] = ()

    def matches(self, topic: str, language: str, urgency: str, channel: str, queue_hint: str) -> bool:
        return (
            (not self.topics or topic in self.topics or topic.split(".")[0] in self.topics)
            and (not self.languages or language in self.languages)
            and (not self.urgencies or urgency in self.urgencies)
            and (not self.channels or channel in self.channels)
            and (not self.queue_hints or queue_hint in self.queue_hints)
        )

    @property
    def is_default(self) -> bool:
        return not (self.topics or self.languages or self.urgencies or self.channels or self.queue_hints)


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """What one conversation of a channel costs an agent."""

    channel: str
    weight: int
    max_count: int
    exclusive: bool = False
    """Taken only with no other live work, and nothing live beside it."""
    interruptible: bool = False
    """Draws on the interruptible budget, apart from live work."""


@dataclass(frozen=True, slots=True)
class CapacityPolicy:
    """Open offers and assignments together stay inside these limits."""

    capacity_id: str
    budget: int
    interruptible_budget: int
    channels: tuple[ChannelRule, ...]
    max_open_offers: int = 3
    fair_share: int = 0
    """At most so many assignments in `fair_share_window_ms` (a sliding count); 0 = no limit."""
    fair_share_window_ms: int = 3_600_000
    ramp: tuple[tuple[int, int], ...] = ()
    """(until, percent) in order: before `until` milliseconds after `AgentProfile.started_at_ms` only the percent of
    the budgets may be used, though at least the lightest conversation."""
    park_after_ms: int = 0
    """A customer who is silent for so long frees the capacity; 0 = never."""


@dataclass(frozen=True, slots=True)
class AgentProfile:
    agent_id: str
    name: str
    teams: tuple[str, ...]
    languages: tuple[str, ...]
    skills: tuple[tuple[str, int], ...] = ()
    capacity_id: str = "default"
    started_at_ms: int = 0
    """First day at work, for the ramp of the capacity policy; 0 = long ago."""
    seniority: int = 0
    """What queues may ask for on behalf of some customers; 0 = new."""


ABSENT = "absent"
"""The version of a person's entry that is not there."""


def version_of(profile: AgentProfile | None) -> str:
    """What an edit names as the state it was made from: equal for equal entries only; ABSENT for none."""
    return ABSENT if profile is None else hashlib.sha256(repr(profile).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Directory:
    """The pool's policy. `version` rises with every accepted change and stands in every explanation."""

    version: int = 0
    teams: tuple[Team, ...] = ()
    queues: tuple[Queue, ...] = ()
    filters: tuple[Filter, ...] = ()
    capacities: tuple[CapacityPolicy, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    live_grace_ms: int = 120_000
    """After this time of absence an agent's live conversations return to their queues."""
    interruptible_grace_ms: int = 4 * 3_600_000
    """The same for interruptible ones."""
    missed_limit: int = 3
    """Offers missed in a row that make an agent away."""
    boost_cap_ms: int = -1
    """The largest boost of an item; -1 = half of the longest minus the shortest target of the pool."""
    skills: tuple[Skill, ...] = ()
    """Every skill there is. None: any name may be used."""
    hop_limit: int = 3
    """Transfers of an episode before it goes to whom its queue escalates to."""
    reserve: Reserve = NO_RESERVE
    queue_by_id: Mapping[str, Queue] = field(default_factory=dict, init=False, repr=False, compare=False)
    capacity_by_id: Mapping[str, CapacityPolicy] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    calendar_by_id: Mapping[str, Calendar] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    boost_limit_ms: int = field(default=0, init=False, repr=False, compare=False)
    """`boost_cap_ms`, or what follows from the targets."""
    longest_target_ms: int = field(default=0, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        targets = [t for q in self.queues for t in q.sla.targets()] or [86_400_000]
        derived = {
            "queue_by_id": {q.queue_id: q for q in self.queues},
            "capacity_by_id": {c.capacity_id: c for c in self.capacities},
            "calendar_by_id": calendars_by_id(self.calendars),
            "boost_limit_ms": self.boost_cap_ms
            if self.boost_cap_ms >= 0
            else (max(targets) - min(targets)) // 2,
            "longest_target_ms": max(targets),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def route(
        self, topic: str, language: str, urgency: str, channel: str, queue_hint: str
    ) -> tuple[Queue, int]:
        """The queue of the first matching filter, and that filter's index. A valid directory always has
        one."""
        for index, rule in enumerate(self.filters):
            if rule.matches(topic, language, urgency, channel, queue_hint):
                return self.queue_by_id[rule.queue_id], index
        raise LookupError("the last filter must match everything")

    def boost(self, queue: Queue, item: Boosted) -> int:
        """Milliseconds by which an item goes ahead, 0 <= boost <= boost_limit_ms: the sum of its parts, capped."""
        return max(0, min(sum(ms for _, ms in boost_parts(queue, item)), self.boost_limit_ms))

    def queue_of_team(self, team_id: str) -> Queue | None:
        """The first queue of a team, in the directory's order."""
        return next((q for q in self.queues if q.team_id == team_id), None)

    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong with it, one sentence each; empty = valid."""
        return tuple(directory_problems(self))
