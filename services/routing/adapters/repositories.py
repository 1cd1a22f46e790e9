"""How the values of `rows` are stored."""

from functools import lru_cache

from libs.storage import TableRepository
from services.routing.adapters import tables
from services.routing.adapters.codec import plain, value_of
from services.routing.adapters.rows import (
    AgentRow,
    Arrival,
    AskedRow,
    AuditRow,
    Customer,
    DecisionRow,
    DifferenceRow,
    DirectoryRow,
    FeedRow,
    ItemRow,
    Json,
    NoticeRow,
    OfferRow,
    PlaceRow,
    PoolRow,
    ResultRow,
    Row,
    ShadowRow,
    Territories,
)
from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.model import AgentState, Clock, Item, Notice, Offer
from services.routing.domain.policy import ShadowPolicy
from services.routing.domain.territories import Territory


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
