"""Agents of one capability profile together, and what a look among them gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.routing.domain.capacity import GroupKey
from services.routing.domain.choice import Candidate, Entry, Standing
from services.routing.domain.queue import Bucket, Order, Signature


@dataclass(slots=True)
class Choice:
    """The best agent of each group, in order (at most four), and how many agents were out for which reason."""

    ranked: list[Candidate]
    reasons: dict[str, int]
    rule: str = "least_flexible"


@dataclass(slots=True)
class Pick:
    """The item for an agent who has room, and the better-placed ones that could not be given to him."""

    order: Order
    signature: Signature
    passed_over: list[tuple[Order, str]]


class Group:
    """The agents of one capability profile."""

    __slots__ = ("agents", "blocked", "flexibility", "guards", "heaps", "key", "seen", "served", "watchers")

    def __init__(self, key: GroupKey, flexibility: int, guards: bool) -> None:
        self.key = key
        self.guards = guards
        """Whether its agents can serve every queue of the reserve."""
        self.flexibility = flexibility
        self.agents: set[str] = set()
        self.heaps: dict[tuple[str, Standing], list[Entry]] = {}
        self.blocked: dict[str, dict[str, int]] = {}
        """Per channel: number of agents by the reason that blocks them (FREE = none)."""
        self.watchers: dict[str, list[Eligible]] = {}
        """Per channel: the signatures whose counts this group's agents are part of."""
        self.served: dict[str, list[Bucket]] = {}
        """Per channel: where the items wait that the group can serve, of the first `seen` signatures."""
        self.seen = 0


@dataclass(slots=True)
class Eligible:
    """The groups that can serve a signature with what their agents' tuples begin with, best first, and all agents by
    what keeps them from it now."""

    groups: list[tuple[tuple[int, ...], Group]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def move_count(counts: dict[str, int], before: str | None, after: str) -> None:
    counts[after] = counts.get(after, 0) + 1
    if before is not None:
        counts[before] -= 1
