"""Who there is and which rules hold: teams, queues with filters, agents, capacities, calendars, SLA
targets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.routing.domain.calendars import Calendar, calendars_by_id
from services.routing.domain.choice import PickRule
from services.routing.domain.directory_problems import directory_problems
from services.routing.domain.relief import NO_RELIEF, Relief
from services.routing.domain.skills import Skill
from services.routing.domain.sla_policy import NO_PROMISE, SlaPolicy


@dataclass(frozen=True, slots=True)
class Team:
    team_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Ring:
    """What is no longer asked for, and who may serve too, once an item has waited so long. Rings add up."""

    after_ms: int
    """Since the item began to wait; 0 = only when nobody is there who could serve it otherwise."""
    drop_skills: tuple[str, ...] = ()
    """Preferred skills of the queue that are asked for no longer."""
    drop_language: bool = False
    teams: tuple[str, ...] = ()
    """Teams that may serve the queue too."""
    drop_seniority: bool = False
    """Nobody senior is asked for any more."""


@dataclass(frozen=True, slots=True)
class Care:
    """What a queue does for customers of a tier, or for those who have suffered."""

    ring: int = 0
    """So many rings are open from the beginning."""
    seniority: int = 0
    """The lowest seniority of who may serve them."""


NO_CARE = Care()


@dataclass(frozen=True, slots=True)
class BotRules:
    """How long a bot may be silent before people get the conversation."""

    answer_ms: int = 0
    """After a customer's message; 0 = no bot answers in the queue, whatever triage says."""
    idle_ms: int = 600_000
    """After its own answer."""


NO_BOT = BotRules()


@dataclass(frozen=True, slots=True)
class Reserve:
    """Of the free agents who can serve all of these queues the last one is left to them for a while."""

    queues: tuple[str, ...] = ()
    after_ms: int = 0
    """What waits in any other queue may have him too after so long; 0 = nobody is kept."""


NO_RESERVE = Reserve()


@dataclass(frozen=True, slots=True)
class Queue:
    """Where a conversation waits for a team."""

    queue_id: str
    team_id: str
    name: str
    sla: SlaPolicy = NO_PROMISE
    skills: tuple[tuple[str, int], ...] = ()
    """Required of every item of the queue, on top of the item's own."""
    boosts: tuple[tuple[str, int], ...] = ()
    """Milliseconds by urgency; the sum is capped by the pool's `boost_limit_ms`."""
    offer_timeout_ms: int = 30_000
    language_relax_ms: int = 0
    """How long a spoken language stays required; 0 = as long as anybody of the team speaks it."""
    exclusion_ms: int = 30_000
    """How long an exclusion may leave an item without any other candidate."""
    affinity_hold_ms: int = 60_000
    """How long a reopened conversation waits for the agent it had, when that agent is online; 0 = not at
    all."""
    pick: PickRule = "least_flexible"
    """How the agent is chosen (`choice`)."""
    parallel_offers: int = 1
    """To how many agents an item is offered at once; the first to accept wins."""
    auto_accept: bool = False
    """An offer is an assignment at once."""
    preferred_skills: tuple[tuple[str, int], ...] = ()
    """Asked for until a ring drops them."""
    rings: tuple[Ring, ...] = ()
    """In the order in which they open. None: one ring that drops the language after `language_relax_ms`."""
    tier_boosts: tuple[tuple[str, int], ...] = ()
    """Milliseconds by the customer's tier."""
    debt_boost_ms: int = 0
    """Milliseconds for a customer whose debt is DEBT_CAP; less debt, less of it."""
    continuity_boost_ms: int = 0
    """Milliseconds for a parked conversation that came back and could not go to its agent."""
    relief: Relief = NO_RELIEF
    tiers: tuple[tuple[str, Care], ...] = ()
    """By the customer's tier."""
    in_debt: Care = NO_CARE
    """For customers with a debt."""
    bot: BotRules = NO_BOT

    @property
    def ring_plan(self) -> tuple[Ring, ...]:
        """The rings beyond the first, in order."""
        return self.rings or (Ring(self.language_relax_ms, drop_language=True),)


class Boosted(Protocol):
    """What a boost is made of."""

    @property
    def urgency(self) -> str: ...
    @property
    def tier(self) -> str: ...
    @property
    def debt(self) -> int: ...
    @property
    def escalated_ms(self) -> int: ...
    @property
    def manual_ms(self) -> int: ...
    @property
    def returning(self) -> bool: ...


def boost_parts(queue: Queue, item: Boosted) -> tuple[tuple[str, int], ...]:
    """The parts of an item's boost that are not zero, by name; their sum is capped by the pool."""
    parts = (
        ("urgency", dict(queue.boosts).get(item.urgency, 0)),
        ("tier", dict(queue.tier_boosts).get(item.tier, 0) if item.tier else 0),
        ("recovery", queue.debt_boost_ms * min(item.debt, DEBT_CAP) // DEBT_CAP),
        ("escalation", item.escalated_ms),
        ("continuity", queue.continuity_boost_ms if item.returning else 0),
        ("by_hand", item.manual_ms),
    )
    return tuple(part for part in parts if part[1])


class Known(Protocol):
    """What is known of the customer of an item."""

    @property
    def tier(self) -> str: ...
    @property
    def debt(self) -> int: ...


def care_of(queue: Queue, item: Known) -> Care:
    """What the queue does for the customer of the item: the more of what the tier and the debt ask for."""
    if not item.tier and not item.debt:
        return NO_CARE
    by_tier = dict(queue.tiers).get(item.tier, NO_CARE)
    by_debt = queue.in_debt if item.debt else NO_CARE
    ring = min(max(by_tier.ring, by_debt.ring), len(queue.ring_plan))
    return Care(ring, max(by_tier.seniority, by_debt.seniority))


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


DEBT_CAP = 24
"""The largest debt of a customer that counts (two bad experiences)."""
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
