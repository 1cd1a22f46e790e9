"""The values of the tables, and their repositories."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from libs.storage import TableRepository
from services.routing.adapters import tables
from services.routing.adapters.codec import plain, value_of
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


def _shadow_from_row(row: Row) -> ShadowRow:
    kept = row["directory"]
    directory = value_of(Directory, kept) if kept else None
    return ShadowRow(row["pool_id"], ShadowPolicy(row["name"], row["since_ms"], row["by"], directory))


def _shadow_to_row(value: ShadowRow) -> Row:
    facts = plain(value.policy)
    return {"pool_id": value.pool_id, **facts, "directory": facts["directory"] or {}}


@lru_cache(maxsize=20_000)
def _profile_facts(profile: AgentProfile) -> Json:
    """A profile changes seldom, its agent's row with every offer."""
    facts: Json = plain(profile)
    return facts


def _agent_to_row(value: AgentRow) -> Row:
    return {
        "pool_id": value.pool_id,
        "profile": _profile_facts(value.profile),
        "removed": value.removed,
        **plain(value.state),
    }


def _agent_from_row(row: Row) -> AgentRow:
    state = {name: row[name] for name in AgentState._fields}
    return AgentRow(
        row["pool_id"], value_of(AgentProfile, row["profile"]), AgentState(**state), row["removed"]
    )


def _item_to_row(value: ItemRow) -> Row:
    item = value.item
    return {
        "conversation_id": item.conversation_id,
        "pool_id": value.pool_id,
        "episode": item.episode,
        "state": item.state,
        "queue_id": item.queue_id,
        "agent_id": item.agent_id,
        "channel": item.channel,
        "eligible_at_ms": item.eligible_at_ms,
        "key_ms": item.key_ms,
        "closed_at_ms": item.closed_at_ms,
        "facts": plain(item),
        "clocks": [plain(clock) for clock in value.clocks],
    }


def _item_from_row(row: Row) -> ItemRow:
    clocks = tuple(value_of(Clock, clock) for clock in row["clocks"])
    return ItemRow(row["pool_id"], value_of(Item, row["facts"]), clocks)


def _offer_from_row(row: Row) -> OfferRow:
    facts = dict(row)
    return OfferRow(facts.pop("pool_id"), Offer(**facts))


POOLS = TableRepository(tables.pools, PoolRow, upsert=True)
DIRECTORIES = TableRepository(
    tables.directories,
    DirectoryRow,
    lambda v: {"pool_id": v.pool_id, "version": v.version, "directory": plain(v.directory)},
    lambda row: DirectoryRow(row["pool_id"], row["version"], value_of(Directory, row["directory"])),
    upsert=True,
)
AGENTS = TableRepository(
    tables.agents, AgentRow, _agent_to_row, _agent_from_row, upsert=True, key=lambda v: v.state.agent_id
)
ITEMS = TableRepository(
    tables.items, ItemRow, _item_to_row, _item_from_row, upsert=True, key=lambda v: v.item.conversation_id
)
OFFERS = TableRepository(
    tables.offers,
    OfferRow,
    lambda v: {"pool_id": v.pool_id, **plain(v.offer)},
    _offer_from_row,
    upsert=True,
    key=lambda v: v.offer.offer_id,
)
RESULTS = TableRepository(tables.results, ResultRow)
ASKED = TableRepository(tables.asked, AskedRow)
FEED = TableRepository(tables.feed, FeedRow)
DECISIONS = TableRepository(tables.decisions, DecisionRow)
NOTICES = TableRepository(
    tables.notices,
    NoticeRow,
    lambda v: {"pool_id": v.pool_id, **plain(v.notice)},
    lambda row: NoticeRow(row["pool_id"], Notice(**{name: row[name] for name in Notice._fields})),
    upsert=True,
    key=lambda v: v.notice.notice_id,
)
AUDIT = TableRepository(tables.audit, AuditRow)
ARRIVALS = TableRepository(tables.arrivals, Arrival)
CUSTOMERS = TableRepository(tables.customers, Customer)
PLACES = TableRepository(tables.places, PlaceRow, upsert=True, lock=False)
SHADOWS = TableRepository(
    tables.shadows, ShadowRow, _shadow_to_row, _shadow_from_row, upsert=True, key=lambda v: v.pool_id
)
DIFFERENCES = TableRepository(tables.shadow_differences, DifferenceRow)
TERRITORIES = TableRepository(
    tables.territories,
    Territories,
    lambda v: {"name": v.name, "version": v.version, "pools": [plain(t) for t in v.pools]},
    lambda row: Territories(row["name"], row["version"], tuple(value_of(Territory, t) for t in row["pools"])),
    lock=False,
)
