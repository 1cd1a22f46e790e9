"""The values of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.model import AgentState, Clock, Item, Notice, Offer
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.territories import Territory

Row = Mapping[str, Any]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PoolRow:
    pool_id: str
    at_ms: int
    sequence: int


@dataclass(frozen=True, slots=True)
class DirectoryRow:
    pool_id: str
    version: int
    directory: Directory


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent's entry in the directory and what the engine remembers of them. A removed one stays for its feed."""

    pool_id: str
    profile: AgentProfile
    state: AgentState
    removed: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A conversation with its clocks."""

    pool_id: str
    item: Item
    clocks: tuple[Clock, ...]


@dataclass(frozen=True, slots=True)
class OfferRow:
    pool_id: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class ResultRow:
    """The answer to a command."""

    command_id: str
    pool_id: str
    ok: bool
    slug: str
    body: Json
    at_ms: int


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A command that came by HTTP, and from whom."""

    command_id: str
    caller: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class FeedRow:
    agent_id: str
    seq: int
    kind: str
    payload: Json
    at_ms: int


@dataclass(frozen=True, slots=True)
class DecisionRow:
    decision_id: str
    conversation_id: str
    episode: int
    kind: str
    at_ms: int
    sequence: int
    record: Json
    pool_id: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """What stands over a part of the pool, or did until it was lifted."""

    pool_id: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What somebody ordered: who, when, why, and what became of it."""

    command_id: str
    pool_id: str
    at_ms: int
    by: str
    action: str
    about: str
    reason: str
    ok: bool
    slug: str
    facts: Json


@dataclass(frozen=True, slots=True)
class Arrival:
    """What intake knows of a conversation before and after it is in the pool. Numbers are 0 until known."""

    conversation_id: str
    opened_episode: int = 0
    enqueued_episode: int = 0
    resolved_episode: int = 0
    first_seq: int = 0
    """The message that opened `opened_episode`."""
    channel: str = ""
    language: str = ""
    case_reference: str = ""
    customer_id: str = ""
    human_version: int = 0
    triaged: Json = field(default_factory=dict)
    """By message number: what triage said of messages whose episode is not in the pool yet."""
    early: Json = field(default_factory=dict)
    """What happened to `opened_episode` before it was in the pool: `replies`, `status`, `status_at_ms`, `handoff`."""
    pool_id: str = ""
    """Where it was enqueued first; a pool that it has left passes on what comes for it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """What is known of a customer."""

    customer_id: str
    name: str = ""
    tier: str = ""
    ledger: Json = field(default_factory=dict)
    """By name of the experience: [instant, `bad` or `good`]."""
    served: Json = field(default_factory=dict)
    """By name of the answer about it (`acquaintance`): [agent, instant] of an episode's end."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """In which pool a queue, a team or an agent is."""

    kind: str
    id: str
    pool_id: str


@dataclass(frozen=True, slots=True)
class Territories:
    """The pools beside the first with what they take, in order: one row."""

    name: str
    version: int
    pools: tuple[Territory, ...]


ALL = "all"
"""The name of that row."""


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """The second policy of a pool; one without a directory has ended."""

    pool_id: str
    policy: ShadowPolicy


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One decision that the second policy would have made otherwise."""

    difference_id: str
    pool_id: str
    at_ms: int
    policy: str
    kind: str
    conversation_id: str
    agent_id: str
    live: str
    shadow: str
    decision_id: str


def places_of(directory: Directory) -> list[tuple[str, str]]:
    """(kind, id) of what a directory names."""
    return [("queue", q.queue_id) for q in directory.queues] + [("team", t.team_id) for t in directory.teams]
