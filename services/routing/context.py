"""What the handlers of the two groups work on: the rows of one transaction, and the engines that this process owns."""

from collections.abc import Callable
from dataclasses import dataclass, field

from libs.storage import Rows, UnitOfWork
from libs.web import Broadcast
from services.routing.adapters import repositories
from services.routing.adapters.rows import (
    AgentRow,
    Arrival,
    AuditRow,
    Customer,
    DecisionRow,
    DifferenceRow,
    DirectoryRow,
    FeedRow,
    ItemRow,
    NoticeRow,
    OfferRow,
    PlaceRow,
    PoolRow,
    ResultRow,
    ShadowRow,
    Territories,
)
from services.routing.domain.commands import Command
from services.routing.pools import Pools


@dataclass(frozen=True, slots=True)
class IntakeContext:
    """For events that become commands."""

    uow: UnitOfWork
    pool_id: str
    """The first pool."""
    arrivals: Rows[Arrival]
    customers: Rows[Customer]
    territories: Rows[Territories]
    places: Rows[PlaceRow]


@dataclass(frozen=True, slots=True)
class EngineContext:
    """For commands that become steps."""

    uow: UnitOfWork
    owned: Pools
    hub: Broadcast
    """Rung with a command's id when its result is durable, and with `feed:<agent>` when a feed grew."""
    pools: Rows[PoolRow]
    directories: Rows[DirectoryRow]
    agents: Rows[AgentRow]
    items: Rows[ItemRow]
    offers: Rows[OfferRow]
    results: Rows[ResultRow]
    feed: Rows[FeedRow]
    decisions: Rows[DecisionRow]
    notices: Rows[NoticeRow]
    audit: Rows[AuditRow]
    shadows: Rows[ShadowRow]
    differences: Rows[DifferenceRow]
    places: Rows[PlaceRow]
    commands: dict[str, Command] = field(default_factory=dict)
    """Commands of this transaction that have been read already."""


def intake_context(pool_id: str) -> Callable[[UnitOfWork], IntakeContext]:
    """Contexts of the intake, all events to one pool."""
    return lambda uow: IntakeContext(
        uow,
        pool_id,
        uow.rows(repositories.ARRIVALS),
        uow.rows(repositories.CUSTOMERS),
        uow.rows(repositories.TERRITORIES),
        uow.rows(repositories.PLACES),
    )


def engine_context(owned: Pools, hub: Broadcast) -> Callable[[UnitOfWork], EngineContext]:
    """Contexts of the engine."""
    return lambda uow: EngineContext(
        uow,
        owned,
        hub,
        uow.rows(repositories.POOLS),
        uow.rows(repositories.DIRECTORIES),
        uow.rows(repositories.AGENTS),
        uow.rows(repositories.ITEMS),
        uow.rows(repositories.OFFERS),
        uow.rows(repositories.RESULTS),
        uow.rows(repositories.FEED),
        uow.rows(repositories.DECISIONS),
        uow.rows(repositories.NOTICES),
        uow.rows(repositories.AUDIT),
        uow.rows(repositories.SHADOWS),
        uow.rows(repositories.DIFFERENCES),
        uow.rows(repositories.PLACES),
    )
