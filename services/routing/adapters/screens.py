"""What a person's screen shows beside an offer or a conversation: whose it is, what is promised, why it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from services.routing.adapters.repositories import FEED
from services.routing.adapters.rows import FeedRow


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one conversation, as it is now. `clocks` are the JSON of its row; texts are empty where not known."""

    conversation_id: str
    queue_id: str
    case_reference: str
    customer_id: str
    customer: str
    clocks: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Why:
    """What the explanation of an offer says, without the long lists."""

    decision_id: str
    cause: str
    rule: str
    ring: int
    held_for: str
    by: str
    note: str


async def lines_after(
    connection: AsyncConnection, places: Sequence[tuple[str, int]], limit: int
) -> list[list[FeedRow]]:
    """For each (agent, number) the next lines of the feed, in order, at most `limit`."""
    rows = await fetch_all(
        connection,
        f"SELECT place, {', '.join(f'f.{name}' for name in FEED.columns.split(', '))}"
        " FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked(agent, after, place)"
        " CROSS JOIN LATERAL (SELECT * FROM routing.feed WHERE agent_id = asked.agent AND seq > asked.after"
        " ORDER BY seq LIMIT $3) f ORDER BY place, f.seq",
        [agent_id for agent_id, _ in places],
        [after for _, after in places],
        limit,
    )
    found: list[list[FeedRow]] = [[] for _ in places]
    for row in rows:
        found[row[0] - 1].append(FEED.value_of(row[1:]))
    return found


async def facts_of(connection: AsyncConnection, conversation_ids: Sequence[str]) -> dict[str, Facts]:
    """By conversation; those that routing does not know are left out."""
    if not conversation_ids:
        return {}
    rows = await fetch_all(
        connection,
        "SELECT i.conversation_id, i.queue_id, i.facts ->> 'case_reference', i.facts ->> 'customer_id',"
        " coalesce(c.name, ''), i.clocks FROM routing.items i"
        " LEFT JOIN routing.customers c ON c.customer_id = i.facts ->> 'customer_id'"
        " WHERE i.conversation_id = ANY($1::text[])",
        list(conversation_ids),
    )
    return {row[0]: Facts(*row) for row in rows}


async def whys(connection: AsyncConnection, made: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Why]:
    """By (conversation, instant of an offer) the decision that made it; those that are forgotten are left out."""
    if not made:
        return {}
    rows = await fetch_all(
        connection,
        "SELECT d.conversation_id, d.at_ms, d.decision_id, coalesce(d.record ->> 'cause', ''),"
        " coalesce(d.record ->> 'pick', ''), coalesce((d.record ->> 'ring')::int, 0),"
        " coalesce(d.record ->> 'affinity', ''), coalesce(d.record ->> 'by', ''),"
        " coalesce(d.record ->> 'reason', '') FROM unnest($1::text[], $2::bigint[]) AS asked(id, at)"
        " JOIN routing.decisions d ON d.conversation_id = asked.id AND d.at_ms = asked.at"
        " WHERE d.kind = 'offer' OR d.record ? 'to_agent_id' ORDER BY d.sequence",
        [conversation_id for conversation_id, _ in made],
        [at_ms for _, at_ms in made],
    )
    return {(row[0], row[1]): Why(*row[2:]) for row in rows}
