"""How the agent is chosen: five named rules, each a tuple of whole numbers, the smallest first.

| rule | tuple |
|---|---|
| least_flexible | ring, flexibility, load, last assigned, id |
| longest_idle | ring, idle since, load, id |
| most_room | ring, load, last assigned, id |
| best_level | ring, minus the level, load, last assigned, id |
| round_robin | ring, turn, id |

- ring: the first ring of the item's queue in which the agent can serve it;
- flexibility: how many (queue, language) pairs the agent could serve, so that specialists go first;
- load: share of the budget in use after the assignment, in ten-thousandths;
- last assigned, idle since: instants; the longest waiting agent goes first;
- level: the sum of the agent's levels in the skills that the item asks for or prefers;
- turn: rises with every offer that the agent gets, answered or not.

The first numbers belong to the agent's capability profile (`prefix`), the others to the agent (`standing`), so that
one heap per profile finds the best agent without looking at all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

PickRule = Literal["least_flexible", "longest_idle", "most_room", "best_level", "round_robin"]
Standing = Literal["load", "idle", "turn"]
Entry = tuple[int | str, ...]
"""An agent's own part of the tuple, his id last."""

PICK_RULES: tuple[PickRule, ...] = (
    "least_flexible",
    "longest_idle",
    "most_room",
    "best_level",
    "round_robin",
)
STANDING_OF: Mapping[str, Standing] = {
    "least_flexible": "load",
    "longest_idle": "idle",
    "most_room": "load",
    "best_level": "load",
    "round_robin": "turn",
}
_LOAD = ("load", "last_assigned_at_ms", "agent_id")
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "least_flexible": ("ring", "flexibility", *_LOAD),
    "longest_idle": ("ring", "idle_since_ms", "load", "agent_id"),
    "most_room": ("ring", *_LOAD),
    "best_level": ("ring", "minus_level", *_LOAD),
    "round_robin": ("ring", "turn", "agent_id"),
}
"""The names of the tuple's parts, in order."""


PIN_MS = 10**12
"""By so much a pin goes ahead of its instant: thirty-one years, more than any due and boost."""


def key_of(due_ms: int, boost_ms: int, pinned_at_ms: int = 0) -> int:
    """The order of the waiting: smaller first. Pinned items go before all others, in the order of their pins."""
    return pinned_at_ms - PIN_MS if pinned_at_ms else due_ms - boost_ms


class Standings(Protocol):
    """What an agent's own part is made of."""

    agent_id: str
    last_assigned_at_ms: int
    idle_since_ms: int
    turn: int


class Candidate(NamedTuple):
    """An agent with the tuple that he is chosen by."""

    rank: tuple[int | str, ...]
    agent_id: str


def prefix(rule: str, ring: int, flexibility: int, level: int) -> tuple[int, ...]:
    """The part of the tuple that all agents of a capability profile have in common."""
    if rule == "least_flexible":
        return (ring, flexibility)
    if rule == "best_level":
        return (ring, -level)
    return (ring,)


def standing(order: Standing, agent: Standings, load: int) -> Entry:
    """The agent's own part of the tuple."""
    if order == "load":
        return (load, agent.last_assigned_at_ms, agent.agent_id)
    if order == "idle":
        return (agent.idle_since_ms, load, agent.agent_id)
    return (agent.turn, agent.agent_id)
