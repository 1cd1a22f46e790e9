"""What a configuration file holds, once its words are plain (`easing`)."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from services.routing.api.agent_shapes import AgentShape, agent_shape, profile_of
from services.routing.api.care_shapes import ReserveShape
from services.routing.api.directory_shapes import (
    CapacityShape,
    DirectoryShape,
    FilterShape,
    QueueShape,
    SkillShape,
    TeamShape,
    directory_of,
    shape_of,
)
from services.routing.api.promise_shapes import CalendarShape, SlaShape
from services.routing.api.shapes import Body, Id

POOL_FIELDS = (
    "live_grace_ms",
    "interruptible_grace_ms",
    "missed_limit",
    "boost_cap_ms",
    "hop_limit",
    "reserve",
)
"""What the directory says of the pool as a whole."""


class PoolShape(Body):
    """One writer and the people who share capacity. A file has one; an installation may have more."""

    id: Id
    live_grace_ms: int = Field(default=120_000, ge=0, le=86_400_000)
    interruptible_grace_ms: int = Field(default=4 * 3_600_000, ge=0, le=7 * 86_400_000)
    missed_limit: int = Field(default=3, ge=1, le=100)
    boost_cap_ms: int = Field(default=-1, ge=-1, le=366 * 86_400_000)
    hop_limit: int = Field(default=3, ge=0, le=1000)
    reserve: ReserveShape = ReserveShape()


class NamedSla(SlaShape):
    """A promise that queues name."""

    id: Id


class NamedAgent(AgentShape):
    id: Id


class FileShape(Body):
    """The file's sections, in the order in which they are written."""

    pools: list[PoolShape] = Field(min_length=1, max_length=1)
    skills: list[SkillShape] = Field(default=[], max_length=2000)
    teams: list[TeamShape] = Field(max_length=1000)
    calendars: list[CalendarShape] = Field(default=[], max_length=200)
    sla_policies: list[NamedSla] = Field(default=[], max_length=1000)
    queues: list[QueueShape] = Field(max_length=1000)
    filters: list[FilterShape] = Field(max_length=2000)
    capacities: list[CapacityShape] = Field(max_length=200)
    agents: list[NamedAgent] | None = Field(default=None, max_length=100_000)
    """Left out: the people stay as they are."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A pool, its directory and the people in it."""

    pool_id: str
    directory: DirectoryShape
    agents: dict[str, AgentShape] | None
    """None: nothing is said of them."""


def configuration_of(file: FileShape) -> Configuration:
    """The configuration of a file whose ids are unique, in the order and words that the platform answers with."""
    [pool] = file.pools
    sections = ("skills", "teams", "calendars", "queues", "filters", "capacities")
    directory = DirectoryShape(
        **{name: getattr(file, name) for name in sections},
        **{name: getattr(pool, name) for name in POOL_FIELDS},
    )
    same = shape_of(directory_of(directory, version=0))
    if file.agents is None:
        return Configuration(pool.id, same, None)
    agents = {a.id: AgentShape(**{n: getattr(a, n) for n in AgentShape.model_fields}) for a in file.agents}
    return Configuration(pool.id, same, {i: agent_shape(profile_of(i, a)) for i, a in agents.items()})


def lengths_of_time() -> frozenset[str]:
    """The fields that are lengths of time, without their `_ms`."""
    schemas = FileShape.model_json_schema()["$defs"].values()
    names = {name for schema in schemas for name in schema.get("properties", {})}
    return frozenset(name.removesuffix("_ms") for name in names if name.endswith("_ms")) - {"started_at"}
