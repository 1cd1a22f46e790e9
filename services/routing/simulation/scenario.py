"""A scenario as people write it (YAML, `docs/routing.md`), and as the simulation takes it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.routing.adapters.lengths import milliseconds
from services.routing.adapters.located_yaml import BadFile, Located, read
from services.routing.domain.choice import PICK_RULES
from services.routing.domain.directory import AgentProfile, CapacityPolicy, ChannelRule
from services.routing.domain.simulation import Simulation
from services.routing.domain.simulation_model import ORDERS, TEAM, Crew, Order, Pick, Policy, WorkClass

_LONGEST_MS = 400 * 86_400_000
_MOST_AGENTS = 100_000


def _duration(value: Any) -> Any:
    """`90s`, `5m`, `1h 30m`, `2d`; a bare number is seconds."""
    return milliseconds(value)


Duration = Annotated[int, BeforeValidator(_duration), Field(ge=0, le=_LONGEST_MS)]
Length = Annotated[int, BeforeValidator(_duration), Field(gt=0, le=_LONGEST_MS)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Level = Annotated[int, Field(ge=1, le=5)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Shape):
    """How a length of time varies."""

    mean: Length
    distribution: Literal["exponential", "lognormal", "gamma", "fixed"] = "exponential"
    cv: float = Field(default=1.0, gt=0, le=20)
    """Standard deviation / mean, of lognormal and gamma."""


class Rate(_Shape):
    per_hour: float = Field(gt=0, le=10_000_000)
    by_hour: list[Annotated[float, Field(ge=0, le=1_000)]] = Field(default=[])
    """24 factors for the hours of a day, from the scenario's beginning."""

    @model_validator(mode="after")
    def _whole_day(self) -> Rate:
        if self.by_hour and (len(self.by_hour) != 24 or not any(self.by_hour)):
            raise ValueError(f"by_hour needs 24 factors, not all of them 0; got {len(self.by_hour)}")
        return self


class ClassShape(_Shape):
    id: Name
    target: Length
    arrivals: Rate | None = None
    service: Spread | None = None
    patience: Spread | None = None
    boost: Duration = 0
    priority: int = Field(default=0, ge=-1000, le=1000)
    priority_minutes: float = Field(default=0, ge=0, le=1_000_000)
    slope: int = Field(default=1, ge=1, le=1_000_000)
    channel: Name = "chat"
    language: Name = "und"
    skills: dict[Name, Level] = Field(default={})


class ChannelLimits(_Shape):
    weight: int = Field(gt=0, le=100_000)
    max_count: int = Field(default=1_000, ge=1, le=10_000)
    exclusive: bool = False
    interruptible: bool = False


class CapacityShape(_Shape):
    id: Name
    budget: int = Field(default=1, ge=1, le=1_000_000)
    interruptible_budget: int = Field(default=0, ge=0, le=1_000_000)
    channels: dict[Name, ChannelLimits] = Field(min_length=1, max_length=50)


class Shift(_Shape):
    from_: Duration = Field(alias="from")
    to: Duration

    @model_validator(mode="after")
    def _forward(self) -> Shift:
        if not self.from_ < self.to <= self.from_ + 86_400_000:
            raise ValueError("a shift ends after it begins and within 24 hours")
        return self


class CrewShape(_Shape):
    id: Name
    count: int = Field(default=1, ge=1, le=_MOST_AGENTS)
    skills: dict[Name, Level] = Field(default={})
    languages: list[Name] = Field(default=[])
    capacity: Name = ""
    shifts: list[Shift] = Field(default=[], max_length=20)
    speed: float = Field(default=1.0, ge=0.1, le=10)


class PolicyShape(_Shape):
    name: Name
    order: Order = "key"
    pick: Pick = "least_flexible"
    boosts: dict[Name, Duration] = Field(default={})


class Recorded(_Shape):
    """A CSV with the columns at, class and perhaps service and patience, all times in seconds or as a date."""

    file: Name


RIVALS: dict[str, PolicyShape] = {
    "centralino": PolicyShape(name="centralino"),
    "strict_priority": PolicyShape(name="strict_priority", order="strict", pick="longest_idle"),
    "fifo_round_robin": PolicyShape(name="fifo_round_robin", order="fifo", pick="round_robin"),
    "age_plus_priority": PolicyShape(
        name="age_plus_priority", order="age_plus_priority", pick="longest_idle"
    ),
    "fewest_open": PolicyShape(name="fewest_open", order="fifo", pick="fewest_open"),
}
"""The policies that a scenario may name without describing them: ours, and what others do."""


class ScenarioShape(_Shape):
    name: Name = "scenario"
    seed: int = Field(default=1, ge=0, le=2**32 - 1)
    runs: int = Field(default=5, ge=1, le=1_000)
    duration: Length = 86_400_000
    warm_up: Duration = 0
    load: float | list[float] | None = None
    """Generated arrivals are scaled so that the work offered is this share of the agents' capacity."""
    classes: list[ClassShape] = Field(min_length=1, max_length=200)
    agents: list[CrewShape] = Field(min_length=1, max_length=2_000)
    capacities: list[CapacityShape] = Field(default=[], max_length=200)
    policies: list[str | PolicyShape] = Field(default=list(RIVALS), min_length=1, max_length=50)
    arrivals: Recorded | None = None

    @property
    def loads(self) -> tuple[float | None, ...]:
        if isinstance(self.load, list):
            return tuple(self.load)
        return (self.load,)


class Scenario:
    """A scenario that can be played."""

    def __init__(self, located: Located) -> None:
        self.shape = located.parse(ScenarioShape)
        faults = [located.fault(place, why) for place, why in _faults(self.shape)]
        if faults:
            raise BadFile(faults)
        self.classes = tuple(_class_of(c) for c in self.shape.classes)
        self.crews = tuple(_crew_of(a, self.shape) for a in self.shape.agents)
        self.policies = tuple(_policy_of(RIVALS[p] if isinstance(p, str) else p) for p in self.shape.policies)
        for class_id in Simulation(self.classes, self.crews, self.policies[0]).unserved():
            number = [c.id for c in self.shape.classes].index(class_id)
            why = "no agent could ever serve this class: look at skills, languages and the channels of capacities"
            faults.append(located.fault(("classes", number), why))
        if faults:
            raise BadFile(faults)


def load(path: Path) -> Scenario:
    """The scenario of a file. Raises BadFile."""
    return Scenario(read(path))


def _faults(shape: ScenarioShape) -> Iterable[tuple[tuple[str | int, ...], str]]:
    for what, ids in (
        ("classes", [c.id for c in shape.classes]),
        ("agents", [a.id for a in shape.agents]),
        ("capacities", [c.id for c in shape.capacities]),
        ("policies", [p if isinstance(p, str) else p.name for p in shape.policies]),
    ):
        for number, one in enumerate(ids):
            if one in ids[:number]:
                yield (what, number), f"{one!r} is there twice"
    for number, policy in enumerate(shape.policies):
        if isinstance(policy, str) and policy not in RIVALS:
            known = ", ".join(RIVALS)
            yield (
                ("policies", number),
                f"no policy is called {policy!r}; known are {known}, or give name, order"
                f" ({', '.join(ORDERS)}) and pick ({', '.join(PICK_RULES)}, fewest_open)",
            )
        elif isinstance(policy, PolicyShape):
            for class_id in sorted(set(policy.boosts) - {c.id for c in shape.classes}):
                yield ("policies", number, "boosts", class_id), f"no class is called {class_id!r}"
    known_capacities = {c.id for c in shape.capacities}
    for number, crew in enumerate(shape.agents):
        if crew.capacity and crew.capacity not in known_capacities:
            yield ("agents", number, "capacity"), f"no capacity is called {crew.capacity!r}"
    for number, capacity in enumerate(shape.capacities):
        for channel, rule in capacity.channels.items():
            budget = capacity.interruptible_budget if rule.interruptible else capacity.budget
            if rule.weight > budget:
                yield (
                    ("capacities", number, "channels", channel, "weight"),
                    f"one conversation weighs {rule.weight}, the budget is {budget}: nobody could take one",
                )
    if sum(crew.count for crew in shape.agents) > _MOST_AGENTS:
        yield ("agents",), f"more than {_MOST_AGENTS:,} agents"
    if shape.arrivals is None:
        for number, kind in enumerate(shape.classes):
            if kind.arrivals is None:
                yield ("classes", number), "arrivals are missing: give per_hour, or a file of arrivals"
            if kind.service is None:
                yield ("classes", number), "service is missing: how long the work takes"
    for value in shape.loads:
        if value is not None and not 0 < value <= 3:
            yield ("load",), f"a load is above 0 and at most 3, got {value}"
    if shape.warm_up >= shape.duration:
        yield ("warm_up",), "the warm-up must be shorter than the duration"


def _class_of(shape: ClassShape) -> WorkClass:
    return WorkClass(
        shape.id,
        shape.target,
        shape.channel,
        shape.language,
        tuple(sorted(shape.skills.items())),
        shape.boost,
        shape.priority,
        round(shape.priority_minutes * 60_000),
        shape.slope,
    )


def _crew_of(shape: CrewShape, scenario: ScenarioShape) -> Crew:
    capacity_id = shape.capacity or (scenario.capacities[0].id if scenario.capacities else "one")
    profile = AgentProfile(
        shape.id,
        shape.id,
        (TEAM,),
        tuple(sorted(shape.languages)),
        tuple(sorted(shape.skills.items())),
        capacity_id,
    )
    shifts = tuple((s.from_, s.to) for s in shape.shifts)
    return Crew(profile, _capacity_of(capacity_id, scenario), shape.count, shifts, round(shape.speed * 100))


def _capacity_of(capacity_id: str, scenario: ScenarioShape) -> CapacityPolicy:
    for shape in scenario.capacities:
        if shape.id == capacity_id:
            rules = tuple(
                ChannelRule(channel, r.weight, r.max_count, r.exclusive, r.interruptible)
                for channel, r in shape.channels.items()
            )
            return CapacityPolicy(shape.id, shape.budget, shape.interruptible_budget, rules)
    channels = sorted({c.channel for c in scenario.classes})
    return CapacityPolicy(capacity_id, 1, 0, tuple(ChannelRule(channel, 1, 1) for channel in channels))


def _policy_of(shape: PolicyShape) -> Policy:
    return Policy(shape.name, shape.order, shape.pick, tuple(sorted(shape.boosts.items())))
