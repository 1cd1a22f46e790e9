"""The directory as people write it: in YAML for a fresh installation, in JSON over HTTP."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.routing.api.care_shapes import (
    BotShape,
    CareShape,
    ReserveShape,
    bot_facts,
    bot_of,
    care_facts,
    care_of_shape,
    reserve_facts,
    reserve_of,
)
from services.routing.api.promise_shapes import (
    CalendarShape,
    SlaShape,
    calendar_facts,
    calendar_of,
    sla_facts,
    sla_of,
)
from services.routing.api.relief_shapes import ReliefShape, relief_facts, relief_of
from services.routing.api.shapes import Body, Id, Text
from services.routing.domain.choice import PickRule
from services.routing.domain.directory import CapacityPolicy, ChannelRule, Directory, Filter, Team
from services.routing.domain.queue_policy import Queue, Ring
from services.routing.domain.skills import Skill, SkillKind

_Milliseconds = Field(ge=0, le=366 * 86_400_000)
_OptionalMilliseconds = Field(default=0, ge=0, le=366 * 86_400_000)
_Level = Annotated[int, Field(ge=1, le=5)]
_Boost = Annotated[int, _Milliseconds]


class TeamShape(Body):
    id: Id
    name: Text


class SkillShape(Body):
    id: Id
    kind: SkillKind = "topic"
    name: Text = ""


class RingShape(Body):
    """After so long less is asked for, or more teams may serve; 0 = only when nobody could serve otherwise."""

    after_ms: int = Field(default=0, ge=0, le=30 * 86_400_000)
    drop_skills: list[Id] = Field(default=[], max_length=50)
    drop_language: bool = False
    teams: list[Id] = Field(default=[], max_length=50)
    drop_seniority: bool = False


class QueueShape(Body):
    id: Id
    team: Id
    name: Text
    sla: SlaShape
    skills: dict[Id, _Level] = Field(default={})
    boosts: dict[Id, _Boost] = Field(default={})
    offer_timeout_ms: int = Field(default=30_000, gt=0, le=86_400_000)
    language_relax_ms: int = Field(default=0, ge=0, le=86_400_000)
    exclusion_ms: int = Field(default=30_000, gt=0, le=86_400_000)
    affinity_hold_ms: int = Field(default=60_000, ge=0, le=86_400_000)
    pick: PickRule = "least_flexible"
    parallel_offers: int = Field(default=1, ge=1, le=50)
    auto_accept: bool = False
    preferred_skills: dict[Id, _Level] = Field(default={})
    rings: list[RingShape] = Field(default=[], max_length=20)
    tier_boosts: dict[Id, _Boost] = Field(default={})
    debt_boost_ms: int = _OptionalMilliseconds
    continuity_boost_ms: int = _OptionalMilliseconds
    relief: ReliefShape = ReliefShape()
    tiers: dict[Id, CareShape] = Field(default={}, max_length=50)
    in_debt: CareShape = CareShape()
    bot: BotShape = BotShape()


class FilterShape(Body):
    queue: Id
    topics: list[Id] = Field(default=[])
    languages: list[Id] = Field(default=[])
    urgencies: list[Id] = Field(default=[])
    channels: list[Id] = Field(default=[])
    queue_hints: list[Id] = Field(default=[])


class ChannelShape(Body):
    channel: Id
    weight: int = Field(gt=0, le=100_000)
    max_count: int = Field(ge=0, le=10_000)
    exclusive: bool = False
    interruptible: bool = False


class RampShape(Body):
    """Until so long after an agent's start only the percent of the budgets may be used."""

    until_ms: int = Field(gt=0, le=2 * 366 * 86_400_000)
    percent: int = Field(ge=1, le=100)


class CapacityShape(Body):
    id: Id
    budget: int = Field(ge=0, le=1_000_000)
    interruptible_budget: int = Field(ge=0, le=1_000_000)
    channels: list[ChannelShape] = Field(max_length=50)
    max_open_offers: int = Field(default=3, ge=1, le=1000)
    fair_share: int = Field(default=0, ge=0, le=100_000)
    fair_share_window_ms: int = Field(default=3_600_000, gt=0, le=7 * 86_400_000)
    ramp: list[RampShape] = Field(default=[], max_length=20)
    park_after_ms: int = Field(default=0, ge=0, le=30 * 86_400_000)


class DirectoryShape(Body):
    """Teams, queues, filters in order, capacities and calendars of the pool."""

    teams: list[TeamShape] = Field(max_length=1000)
    queues: list[QueueShape] = Field(max_length=1000)
    filters: list[FilterShape] = Field(max_length=2000)
    capacities: list[CapacityShape] = Field(max_length=200)
    calendars: list[CalendarShape] = Field(default=[], max_length=200)
    live_grace_ms: int = Field(default=120_000, ge=0, le=86_400_000)
    interruptible_grace_ms: int = Field(default=4 * 3_600_000, ge=0, le=7 * 86_400_000)
    missed_limit: int = Field(default=3, ge=1, le=100)
    boost_cap_ms: int = Field(default=-1, ge=-1, le=366 * 86_400_000)
    """-1 = half of the longest minus the shortest target."""
    skills: list[SkillShape] = Field(default=[], max_length=2000)
    """Every skill there is; without any, every name may be used."""
    hop_limit: int = Field(default=3, ge=0, le=1000)
    """Transfers of an episode before it goes to whom its queue escalates to."""
    reserve: ReserveShape = ReserveShape()


class DirectoryView(BaseModel):
    """The directory of a pool with its version, which is the ETag."""

    pool: str
    version: int
    directory: DirectoryShape


def directory_of(shape: DirectoryShape, version: int) -> Directory:
    """The domain's directory."""
    return Directory(
        version=version,
        teams=tuple(Team(t.id, t.name) for t in shape.teams),
        queues=tuple(_queue_of(q) for q in shape.queues),
        filters=tuple(
            Filter(
                f.queue,
                tuple(f.topics),
                tuple(f.languages),
                tuple(f.urgencies),
                tuple(f.channels),
                tuple(f.queue_hints),
            )
            for f in shape.filters
        ),
        capacities=tuple(_capacity_of(c) for c in shape.capacities),
        calendars=tuple(calendar_of(c) for c in shape.calendars),
        live_grace_ms=shape.live_grace_ms,
        interruptible_grace_ms=shape.interruptible_grace_ms,
        missed_limit=shape.missed_limit,
        boost_cap_ms=shape.boost_cap_ms,
        hop_limit=shape.hop_limit,
        skills=tuple(Skill(s.id, s.kind, s.name) for s in shape.skills),
        reserve=reserve_of(shape.reserve),
    )


def shape_of(directory: Directory) -> DirectoryShape:
    """The directory as people write it."""
    facts: dict[str, Any] = {
        "teams": [{"id": t.team_id, "name": t.name} for t in directory.teams],
        "queues": [
            {
                "id": q.queue_id,
                "team": q.team_id,
                "name": q.name,
                "sla": sla_facts(q.sla),
                "skills": dict(q.skills),
                "boosts": dict(q.boosts),
                "offer_timeout_ms": q.offer_timeout_ms,
                "language_relax_ms": q.language_relax_ms,
                "exclusion_ms": q.exclusion_ms,
                "affinity_hold_ms": q.affinity_hold_ms,
                "pick": q.pick,
                "parallel_offers": q.parallel_offers,
                "auto_accept": q.auto_accept,
                "preferred_skills": dict(q.preferred_skills),
                "rings": [
                    {
                        "after_ms": r.after_ms,
                        "drop_skills": list(r.drop_skills),
                        "drop_language": r.drop_language,
                        "teams": list(r.teams),
                        "drop_seniority": r.drop_seniority,
                    }
                    for r in q.rings
                ],
                "tier_boosts": dict(q.tier_boosts),
                "debt_boost_ms": q.debt_boost_ms,
                "continuity_boost_ms": q.continuity_boost_ms,
                "relief": relief_facts(q.relief),
                "tiers": {tier: care_facts(care) for tier, care in q.tiers},
                "in_debt": care_facts(q.in_debt),
                "bot": bot_facts(q.bot),
            }
            for q in directory.queues
        ],
        "filters": [
            {
                "queue": f.queue_id,
                "topics": list(f.topics),
                "languages": list(f.languages),
                "urgencies": list(f.urgencies),
                "channels": list(f.channels),
                "queue_hints": list(f.queue_hints),
            }
            for f in directory.filters
        ],
        "capacities": [
            {
                "id": c.capacity_id,
                "budget": c.budget,
                "interruptible_budget": c.interruptible_budget,
                "max_open_offers": c.max_open_offers,
                "fair_share": c.fair_share,
                "fair_share_window_ms": c.fair_share_window_ms,
                "ramp": [{"until_ms": until_ms, "percent": percent} for until_ms, percent in c.ramp],
                "park_after_ms": c.park_after_ms,
                "channels": [
                    {
                        "channel": r.channel,
                        "weight": r.weight,
                        "max_count": r.max_count,
                        "exclusive": r.exclusive,
                        "interruptible": r.interruptible,
                    }
                    for r in c.channels
                ],
            }
            for c in directory.capacities
        ],
        "calendars": [calendar_facts(c) for c in directory.calendars],
        "live_grace_ms": directory.live_grace_ms,
        "interruptible_grace_ms": directory.interruptible_grace_ms,
        "missed_limit": directory.missed_limit,
        "boost_cap_ms": directory.boost_cap_ms,
        "hop_limit": directory.hop_limit,
        "skills": [{"id": s.skill_id, "kind": s.kind, "name": s.name} for s in directory.skills],
        "reserve": reserve_facts(directory.reserve),
    }
    return DirectoryShape(**facts)


def _queue_of(q: QueueShape) -> Queue:
    return Queue(
        q.id,
        q.team,
        q.name,
        sla_of(q.sla),
        tuple(sorted(q.skills.items())),
        tuple(sorted(q.boosts.items())),
        q.offer_timeout_ms,
        q.language_relax_ms,
        q.exclusion_ms,
        q.affinity_hold_ms,
        q.pick,
        q.parallel_offers,
        q.auto_accept,
        tuple(sorted(q.preferred_skills.items())),
        tuple(_ring_of(r) for r in q.rings),
        tuple(sorted(q.tier_boosts.items())),
        q.debt_boost_ms,
        q.continuity_boost_ms,
        relief_of(q.relief),
        tuple(sorted((tier, care_of_shape(care)) for tier, care in q.tiers.items())),
        care_of_shape(q.in_debt),
        bot_of(q.bot),
    )


def _ring_of(r: RingShape) -> Ring:
    return Ring(r.after_ms, tuple(r.drop_skills), r.drop_language, tuple(r.teams), r.drop_seniority)


def _capacity_of(c: CapacityShape) -> CapacityPolicy:
    rules = tuple(
        ChannelRule(r.channel, r.weight, r.max_count, r.exclusive, r.interruptible) for r in c.channels
    )
    return CapacityPolicy(
        c.id,
        c.budget,
        c.interruptible_budget,
        rules,
        c.max_open_offers,
        c.fair_share,
        c.fair_share_window_ms,
        tuple((step.until_ms, step.percent) for step in c.ramp),
        c.park_after_ms,
    )
