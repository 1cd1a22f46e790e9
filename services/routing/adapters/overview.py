"""What supervisors read: queues, people at work, what is at risk, the audit. Nothing here is locked or changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from services.routing.adapters.repositories import AGENTS, AUDIT, ITEMS, NOTICES
from services.routing.adapters.rows import AgentRow, AuditRow, ItemRow
from services.routing.domain.model import Notice


async def notices(connection: AsyncConnection, pool_id: str) -> list[Notice]:
    """What stands over the pool now, the oldest first."""
    rows = await fetch_all(
        connection,
        f"SELECT {NOTICES.columns} FROM routing.notices WHERE pool_id = $1 AND NOT lifted"
        " ORDER BY since_ms, kind, about",
        pool_id,
    )
    return [NOTICES.value_of(row).notice for row in rows]


async def risks(
    connection: AsyncConnection, pool_id: str, now_ms: int, until_ms: int
) -> Sequence[tuple[Any, ...]]:
    """(queue, how many are late, how many are due by `until_ms`) of what has a running clock. What has been answered
    in time and is late with nothing is not counted: the clocks say so, the column only narrows the search."""
    return await fetch_all(
        connection,
        "SELECT queue_id, count(*) FILTER (WHERE soonest < $2), count(*) FILTER (WHERE soonest >= $2) FROM ("
        "SELECT queue_id, (SELECT min((c ->> 'due_ms')::bigint) FROM jsonb_array_elements(clocks) c"
        " WHERE c ->> 'state' = 'running' AND (c ->> 'due_ms')::bigint > 0) AS soonest"
        " FROM routing.items WHERE pool_id = $1 AND state <> 'closed' AND due_ms <= $3) live"
        " WHERE soonest <= $3 GROUP BY queue_id",
        pool_id,
        now_ms,
        until_ms,
    )


async def at_risk(
    connection: AsyncConnection, pool_id: str, until_ms: int, after: tuple[int, str] | None, limit: int
) -> list[ItemRow]:
    """What is due by `until_ms` or was before, by due and id."""
    due_ms, conversation_id = after or (-1, "")
    rows = await fetch_all(
        connection,
        f"SELECT {ITEMS.columns} FROM routing.items WHERE pool_id = $1 AND state <> 'closed' AND due_ms <= $2"
        " AND (due_ms, conversation_id) > ($3::bigint, $4::text)"
        " AND EXISTS (SELECT 1 FROM jsonb_array_elements(clocks) c WHERE c ->> 'state' = 'running'"
        " AND (c ->> 'due_ms')::bigint BETWEEN 1 AND $2) ORDER BY due_ms, conversation_id LIMIT $5",
        pool_id,
        until_ms,
        due_ms,
        conversation_id,
        limit,
    )
    return [ITEMS.value_of(row) for row in rows]


async def in_order(
    connection: AsyncConnection, queue_id: str, after: tuple[int, int, str] | None, limit: int
) -> list[ItemRow]:
    """What waits in a queue or is offered out of it, in the order of the queue."""
    key_ms, eligible_at_ms, conversation_id = after or (-(2**62), 0, "")
    rows = await fetch_all(
        connection,
        f"SELECT {ITEMS.columns} FROM routing.items WHERE queue_id = $1 AND state IN ('waiting', 'offered')"
        " AND (key_ms, eligible_at_ms, conversation_id) > ($2::bigint, $3::bigint, $4::text)"
        " ORDER BY key_ms, eligible_at_ms, conversation_id LIMIT $5",
        queue_id,
        key_ms,
        eligible_at_ms,
        conversation_id,
        limit,
    )
    return [ITEMS.value_of(row) for row in rows]


async def presences(connection: AsyncConnection, pool_id: str) -> Sequence[tuple[Any, ...]]:
    """(team, presence, how many people)."""
    return await fetch_all(
        connection,
        "SELECT team, presence, count(*) FROM routing.agents, jsonb_array_elements_text(profile -> 'teams') team"
        " WHERE pool_id = $1 AND NOT removed GROUP BY team, presence",
        pool_id,
    )


async def roster(
    connection: AsyncConnection, pool_id: str, presence: str, after: str, limit: int
) -> list[AgentRow]:
    """People by id, all or those of one presence."""
    rows = await fetch_all(
        connection,
        f"SELECT {AGENTS.columns} FROM routing.agents WHERE pool_id = $1 AND NOT removed AND agent_id > $2"
        " AND ($3 = '' OR presence = $3) ORDER BY agent_id LIMIT $4",
        pool_id,
        after,
        presence,
        limit,
    )
    return [AGENTS.value_of(row) for row in rows]


async def loads(connection: AsyncConnection, agent_ids: list[str]) -> dict[str, dict[str, dict[str, int]]]:
    """By agent: `assigned` and `offered`, each by channel."""
    rows = await fetch_all(
        connection,
        "SELECT agent_id, 'assigned', channel, count(*) FROM routing.items"
        " WHERE agent_id = ANY($1::text[]) AND agent_id <> '' GROUP BY agent_id, channel UNION ALL"
        " SELECT o.agent_id, 'offered', i.channel, count(*) FROM routing.offers o"
        " JOIN routing.items i USING (conversation_id)"
        " WHERE o.agent_id = ANY($1::text[]) AND o.state = 'open' GROUP BY o.agent_id, i.channel",
        agent_ids,
    )
    found: dict[str, dict[str, dict[str, int]]] = {i: {"assigned": {}, "offered": {}} for i in agent_ids}
    for agent_id, what, channel, number in rows:
        found[agent_id][what][channel] = number
    return found


async def audit(
    connection: AsyncConnection, pool_id: str, about: str, before: tuple[int, str] | None, limit: int
) -> list[AuditRow]:
    """Orders, newest first; all or those about one thing."""
    rows = await fetch_all(
        connection,
        f"SELECT {AUDIT.columns} FROM routing.audit WHERE pool_id = $1 AND ($2 = '' OR about = $2)"
        " AND ($3::bigint IS NULL OR (at_ms, command_id) < ($3::bigint, $4::text))"
        " ORDER BY at_ms DESC, command_id DESC LIMIT $5",
        pool_id,
        about,
        before[0] if before else None,
        before[1] if before else "",
        limit,
    )
    return [AUDIT.value_of(row) for row in rows]
