"""A person of the directory as people write it."""

from typing import Annotated

from pydantic import BaseModel, Field

from services.routing.api.shapes import Body, Id, Text
from services.routing.domain.directory import AgentProfile
from services.routing.domain.directory_problems import SENIORITIES

_Level = Annotated[int, Field(ge=1, le=5)]


class AgentShape(Body):
    """A person in the directory. Skills have levels from 1 to 5."""

    name: Text
    teams: list[Id] = Field(max_length=100)
    languages: list[Id] = Field(max_length=50)
    skills: dict[Id, _Level] = Field(default={})
    capacity: Id = "default"
    started_at_ms: int = Field(default=0, ge=0, le=253_402_300_799_000)
    """First day at work, in milliseconds since the epoch, for the ramp of the capacity; 0 = long ago."""
    seniority: int = Field(default=0, ge=0, le=SENIORITIES)


class AgentView(BaseModel):
    """A person of the directory; `version` in quotes is the ETag."""

    id: str
    version: str
    agent: AgentShape
    presence: str


def profile_of(agent_id: str, shape: AgentShape) -> AgentProfile:
    """The domain's entry of a person."""
    return AgentProfile(
        agent_id,
        shape.name,
        tuple(sorted(set(shape.teams))),
        tuple(sorted(set(shape.languages))),
        tuple(sorted(shape.skills.items())),
        shape.capacity,
        shape.started_at_ms,
        shape.seniority,
    )


def agent_shape(profile: AgentProfile) -> AgentShape:
    return AgentShape(
        name=profile.name,
        teams=list(profile.teams),
        languages=list(profile.languages),
        skills=dict(profile.skills),
        capacity=profile.capacity_id,
        started_at_ms=profile.started_at_ms,
        seniority=profile.seniority,
    )
