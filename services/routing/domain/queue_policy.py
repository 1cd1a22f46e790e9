"""What a queue asks for and does for whom: its rings, boosts, care for tiers, bots and the reserve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.routing.domain.choice import PickRule
from services.routing.domain.relief import NO_RELIEF, Relief
from services.routing.domain.sla_policy import NO_PROMISE, SlaPolicy


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


DEBT_CAP = 24
"""The largest debt of a customer that counts (two bad experiences)."""
