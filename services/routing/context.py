"""What the handlers of the two groups work on: the rows of one transaction, and the engines that this process owns."""

from collections.abc import Callable
from dataclasses import dataclass, field

from libs.storage import Rows, UnitOfWork
from libs.web import Broadcast
from services.routing.adapters import rows
from services.routing.adapters.rows import (
    AgentRow,
    Arrival,
    AuditRow,
    Customer,
    DecisionRow,
    DirectoryRow,
    FeedRow,
    ItemRow,
    NoticeRow,
    OfferRow,
    PoolRow,
    ResultRow,
)
from services.routing.domain.commands import Command
from services.routing.pools import Pools


@dataclass(frozen=True, slots=True)
class IntakeContext:
    """For events that become commands."""

    uow: UnitOfWork
    pool_id: str
    arrivals: Rows[Arrival]
    customers: Rows[Customer]


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
    commands: dict[str, Command] = field(default_factory=dict)
    """Commands of this transaction that have been read already."""


def intake_context(pool_id: str) -> Callable[[UnitOfWork], IntakeContext]:
    """Contexts of the intake, all events to one pool."""
    return lambda uow: IntakeContext(uow, pool_id, uow.rows(rows.ARRIVALS), uow.rows(rows.CUSTOMERS))


def engine_context(owned: Pools, hub: Broadcast) -> Callable[[UnitOfWork], EngineContext]:
    """Contexts of the engine."""
    return lambda uow: EngineContext(
        uow,
        owned,
        hub,
        uow.rows(rows.POOLS),
        uow.rows(rows.DIRECTORIES),
        uow.rows(rows.AGENTS),
        uow.rows(rows.ITEMS),
        uow.rows(rows.OFFERS),
        uow.rows(rows.RESULTS),
        uow.rows(rows.FEED),
        uow.rows(rows.DECISIONS),
        uow.rows(rows.NOTICES),
        uow.rows(rows.AUDIT),
    )
