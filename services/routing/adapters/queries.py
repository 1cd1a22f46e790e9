"""What the routes read. Nothing here is locked or changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all, fetch_one
from services.routing.adapters.repositories import (
    AGENTS,
    DECISIONS,
    DIFFERENCES,
    DIRECTORIES,
    ITEMS,
    OFFERS,
    SHADOWS,
    TERRITORIES,
)
from services.routing.adapters.rows import (
    ALL,
    AgentRow,
    DecisionRow,
    DifferenceRow,
    DirectoryRow,
    ItemRow,
    OfferRow,
    ShadowRow,
    Territories,
)


def _columns(prefix: str, columns: str) -> str:
    return ", ".join(f"{prefix}.{name}" for name in columns.split(", "))


async def agent(connection: AsyncConnection, agent_id: str) -> AgentRow | None:
    """An agent of the directory; removed ones are not found."""
    row = await fetch_one(
        connection,
        f"SELECT {AGENTS.columns} FROM routing.agents WHERE agent_id = $1 AND NOT removed",
        agent_id,
    )
    return AGENTS.value_of(row) if row else None


async def agents(connection: AsyncConnection, pool_id: str, after: str, limit: int) -> list[AgentRow]:
    """Agents by id, of a pool or ("") of all."""
    rows = await fetch_all(
        connection,
        f"SELECT {AGENTS.columns} FROM routing.agents WHERE NOT removed AND agent_id > $1"
        " AND ($3 = '' OR pool_id = $3) ORDER BY agent_id LIMIT $2",
        after,
        limit,
        pool_id,
    )
    return [AGENTS.value_of(row) for row in rows]


async def lease(connection: AsyncConnection, agent_id: str) -> int:
    """When the agent's lease ends, 0 without one."""
    row = await fetch_one(
        connection, "SELECT lease_until_ms FROM routing.leases WHERE agent_id = $1", agent_id
    )
    return row[0] if row else 0


async def load(connection: AsyncConnection, agent_id: str) -> tuple[int, int]:
    """(open offers, assigned conversations) of an agent."""
    row = await fetch_one(
        connection,
        "SELECT (SELECT count(*) FROM routing.offers WHERE agent_id = $1 AND state = 'open'),"
        " (SELECT count(*) FROM routing.items WHERE agent_id = $1 AND agent_id <> '')",
        agent_id,
    )
    return (row[0], row[1]) if row else (0, 0)


async def open_offers(connection: AsyncConnection, agent_id: str) -> list[tuple[OfferRow, ItemRow]]:
    """The agent's open offers with their conversations, oldest first."""
    rows = await fetch_all(
        connection,
        f"SELECT {_columns('o', OFFERS.columns)}, {_columns('i', ITEMS.columns)} FROM routing.offers o"
        " JOIN routing.items i USING (conversation_id)"
        " WHERE o.agent_id = $1 AND o.state = 'open' ORDER BY o.made_at_ms, o.offer_id",
        agent_id,
    )
    cut = len(OFFERS.columns.split(", "))
    return [(OFFERS.value_of(row[:cut]), ITEMS.value_of(row[cut:])) for row in rows]


async def assignments(connection: AsyncConnection, agent_id: str) -> list[ItemRow]:
    """The conversations an agent has, the most urgent first."""
    rows = await fetch_all(
        connection,
        f"SELECT {ITEMS.columns} FROM routing.items WHERE agent_id = $1 AND agent_id <> ''"
        " ORDER BY key_ms, conversation_id",
        agent_id,
    )
    return [ITEMS.value_of(row) for row in rows]


async def item(connection: AsyncConnection, conversation_id: str) -> ItemRow | None:
    """A conversation that routing has seen."""
    row = await fetch_one(
        connection, f"SELECT {ITEMS.columns} FROM routing.items WHERE conversation_id = $1", conversation_id
    )
    return ITEMS.value_of(row) if row else None


async def decisions(
    connection: AsyncConnection, conversation_id: str, before: tuple[int, int] | None, limit: int
) -> list[DecisionRow]:
    """Explanations of a conversation, newest first; each pool counts its own `sequence`."""
    at_ms, sequence = before or (2**62, 0)
    rows = await fetch_all(
        connection,
        f"SELECT {DECISIONS.columns} FROM routing.decisions WHERE conversation_id = $1"
        " AND (at_ms, sequence) < ($2::bigint, $3::bigint) ORDER BY at_ms DESC, sequence DESC LIMIT $4",
        conversation_id,
        at_ms,
        sequence,
        limit,
    )
    return [DECISIONS.value_of(row) for row in rows]


async def directory(connection: AsyncConnection, pool_id: str) -> DirectoryRow | None:
    row = await fetch_one(
        connection, f"SELECT {DIRECTORIES.columns} FROM routing.directories WHERE pool_id = $1", pool_id
    )
    return DIRECTORIES.value_of(row) if row else None


async def queue_counts(connection: AsyncConnection, pool_id: str) -> Sequence[tuple[Any, ...]]:
    """(queue, state, how many, oldest age) of what is not closed."""
    return await fetch_all(
        connection,
        "SELECT queue_id, state, count(*), min(eligible_at_ms) FROM routing.items"
        " WHERE pool_id = $1 AND state <> 'closed' GROUP BY queue_id, state",
        pool_id,
    )


async def online(connection: AsyncConnection, pool_id: str) -> list[list[str]]:
    """The teams of each online agent."""
    rows = await fetch_all(
        connection,
        "SELECT profile -> 'teams' FROM routing.agents"
        " WHERE pool_id = $1 AND NOT removed AND presence = 'online'",
        pool_id,
    )
    return [row[0] for row in rows]


async def pools(connection: AsyncConnection) -> list[str]:
    """Every pool there is, by id."""
    return [
        row[0] for row in await fetch_all(connection, "SELECT pool_id FROM routing.pools ORDER BY pool_id")
    ]


async def territories(connection: AsyncConnection) -> Territories | None:
    """What the pools beside the first take."""
    row = await fetch_one(
        connection, f"SELECT {TERRITORIES.columns} FROM routing.territories WHERE name = $1", ALL
    )
    return TERRITORIES.value_of(row) if row else None


async def shadow(connection: AsyncConnection, pool_id: str) -> ShadowRow | None:
    """The second policy of a pool; one that has ended has no directory."""
    row = await fetch_one(
        connection, f"SELECT {SHADOWS.columns} FROM routing.shadows WHERE pool_id = $1", pool_id
    )
    return SHADOWS.value_of(row) if row else None


async def differences(
    connection: AsyncConnection, pool_id: str, policy: str, before: tuple[int, str] | None, limit: int
) -> list[DifferenceRow]:
    """What the second policy would have decided otherwise, newest first; of one policy or ("") of any."""
    at_ms, difference_id = before or (2**62, "")
    rows = await fetch_all(
        connection,
        f"SELECT {DIFFERENCES.columns} FROM routing.shadow_differences WHERE pool_id = $1"
        " AND ($2 = '' OR policy = $2) AND (at_ms, difference_id) < ($3::bigint, $4::text)"
        " ORDER BY at_ms DESC, difference_id DESC LIMIT $5",
        pool_id,
        policy,
        at_ms,
        difference_id,
        limit,
    )
    return [DIFFERENCES.value_of(row) for row in rows]
