"""What a simulation is given and what it gives: classes of customers, crews, policies, arrivals, outcomes. Times are
integer milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.routing.domain.choice import PickRule
from services.routing.domain.directory import (
    AgentProfile,
    CapacityPolicy,
    Directory,
    Filter,
    Team,
)
from services.routing.domain.queue import Signature
from services.routing.domain.queue_policy import Queue

Order = Literal["key", "strict", "fifo", "age_plus_priority", "slopes"]
ORDERS: tuple[Order, ...] = ("key", "strict", "fifo", "age_plus_priority", "slopes")
Pick = PickRule | Literal["fewest_open"]
TEAM = "all"
ABANDONED = -1


@dataclass(frozen=True, slots=True)
class WorkClass:
    """Customers of one kind."""

    class_id: str
    target_ms: int
    channel: str = "chat"
    language: str = "und"
    skills: tuple[tuple[str, int], ...] = ()
    boost_ms: int = 0
    priority: int = 0
    """For strict priority: the higher first."""
    priority_ms: int = 0
    """For age plus priority: so much older it counts."""
    slope: int = 1
    """For slopes: urgency per millisecond waited."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Agents of one kind. `shifts` are (from, to) in milliseconds of each day of 24 hours; none = always there."""

    profile: AgentProfile
    capacity: CapacityPolicy
    count: int
    shifts: tuple[tuple[int, int], ...] = ()
    speed_percent: int = 100


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    order: Order = "key"
    pick: Pick = "least_flexible"
    boosts_ms: tuple[tuple[str, int], ...] = ()
    """By class, instead of the class's own boost."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Customers in order of arrival: when, of which class (index), how long the work takes, how long they wait
    (0 = for ever)."""

    at_ms: Sequence[int]
    kind: Sequence[int]
    work_ms: Sequence[int]
    patience_ms: Sequence[int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of every arrival and agent, in their order."""

    begun_ms: list[int]
    """When the work began; ABANDONED."""
    agent: list[int]
    """Who did it; -1 = nobody."""
    load_ms: list[int]
    """By agent: units of the budget times milliseconds, in ten-thousandths of the budget."""
    present_ms: list[int]
    """By agent: time at work until the last arrival."""


def signature_of(kind: WorkClass) -> Signature:
    """What an agent must have to serve the class."""
    return Signature(kind.class_id, kind.channel, kind.language, tuple(sorted(kind.skills)), 0)


def directory_of(classes: Sequence[WorkClass], crews: Sequence[Crew], policy: Policy) -> Directory:
    """The pool that the scenario describes: one team, a queue for each class."""
    pick: PickRule = "most_room" if policy.pick == "fewest_open" else policy.pick
    capacities = {crew.capacity.capacity_id: crew.capacity for crew in crews}
    return Directory(
        version=1,
        teams=(Team(TEAM, TEAM),),
        queues=tuple(
            Queue(c.class_id, TEAM, c.class_id, skills=tuple(sorted(c.skills)), pick=pick) for c in classes
        ),
        filters=(*(Filter(c.class_id, topics=(c.class_id,)) for c in classes), Filter(classes[0].class_id)),
        capacities=tuple(capacities.values()),
    )
