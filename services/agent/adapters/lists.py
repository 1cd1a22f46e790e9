"""The statements behind the lists: only the columns that a list shows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from services.agent.adapters.queries import json_value


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list, in the order of the statement's columns. Names are empty where not known."""

    conversation_id: str
    case_reference: str
    customer_id: str
    channel: str
    language: str
    subject: str
    status: str
    episode: int
    topic: str
    urgency: str
    tags: list[str]
    last_seq: int
    human_version: int
    created_at_ms: int
    last_message_at_ms: int
    snoozed_until_ms: int
    team_id: str
    agent_id: str
    customer: str
    team: str
    agent: str


_LISTED = """
SELECT c.conversation_id, c.case_reference, c.customer_id, c.channel, c.language, c.subject, c.status, c.episode,
  c.topic, c.urgency, c.tags, c.last_seq, c.human_version, c.created_at_ms, c.last_message_at_ms, c.snoozed_until_ms,
  coalesce(p.team_id, ''), coalesce(p.agent_id, ''), coalesce(cu.display_name, ''), coalesce(te.name, ''),
  coalesce(pe.name, '')
FROM agent.conversations c
LEFT JOIN agent.placements p ON p.conversation_id = c.conversation_id
LEFT JOIN agent.customers cu ON cu.customer_id = c.customer_id
LEFT JOIN agent.teams te ON te.team_id = p.team_id
LEFT JOIN agent.people pe ON pe.person_id = p.agent_id
"""
_TAGS = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list; empty ones do not filter."""

    statuses: tuple[str, ...] = ()
    team: str = ""
    agent: str = ""
    references: tuple[str, ...] = ()


async def listing(
    connection: AsyncConnection, wanted: Wanted, after: tuple[int, str] | None, limit: int
) -> list[Listed]:
    """Conversations, newest first."""
    arguments: list[Any] = [limit]
    conditions = ["true"]

    def where(condition: str, value: object) -> None:
        arguments.append(value)
        conditions.append(condition.format(f"${len(arguments)}"))

    if wanted.statuses:
        where("c.status = ANY({}::text[])", list(wanted.statuses))
        if "resolved" not in wanted.statuses:
            conditions.append("c.status <> 'resolved'")
    if wanted.team:
        where("p.team_id = {}", wanted.team)
    if wanted.agent:
        where("p.agent_id = {}", wanted.agent)
    if wanted.references:
        where("c.case_reference = ANY({}::text[])", list(wanted.references))
    if after is not None:
        arguments += after
        conditions.append(
            f"(c.created_at_ms, c.conversation_id) < (${len(arguments) - 1}::bigint, ${len(arguments)}::text)"
        )
    rows = await fetch_all(
        connection,
        f"{_LISTED} WHERE {' AND '.join(conditions)}"
        " ORDER BY c.created_at_ms DESC, c.conversation_id DESC LIMIT $1",
        *arguments,
    )
    return [_listed(row) for row in rows]


def _listed(row: tuple[Any, ...]) -> Listed:
    values = list(row)
    values[_TAGS] = json_value(values[_TAGS])
    return Listed(*values)


@dataclass(frozen=True, slots=True)
class TrailingMessage:
    """A message that opened nothing and belongs to no open episode."""

    message_id: str
    conversation_id: str
    case_reference: str
    seq: int
    cause: str
    channel: str
    subject: str
    text: str
    received_at_ms: int


async def trailing(
    connection: AsyncConnection, cause: str, after: tuple[int, str] | None, limit: int
) -> list[TrailingMessage]:
    """Messages after the last resolution, or before the first episode, that opened nothing; newest first."""
    at_ms, message_id = after if after is not None else (2**63 - 1, "")
    rows = await fetch_all(
        connection,
        "SELECT u.message_id, u.conversation_id, c.case_reference, u.seq, u.cause, u.channel, m.subject, m.text,"
        " u.received_at_ms"
        " FROM agent.understandings u"
        " JOIN agent.conversations c ON c.conversation_id = u.conversation_id"
        " JOIN agent.messages m ON m.message_id = u.message_id"
        " WHERE u.cause <> '' AND ($1 = '' OR u.cause = $1)"
        " AND c.status IN ('new', 'resolved') AND u.seq > c.through_seq"
        " AND (u.received_at_ms, u.message_id) < ($2::bigint, $3::text)"
        " ORDER BY u.received_at_ms DESC, u.message_id DESC LIMIT $4",
        cause,
        at_ms,
        message_id,
        limit,
    )
    return [TrailingMessage(*row) for row in rows]
