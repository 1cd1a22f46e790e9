"""The statements behind the one response about a conversation: two, whatever it shows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all, fetch_one
from services.agent.adapters.rows import CONVERSATIONS, MESSAGES, PLACEMENTS, UNDERSTANDINGS
from services.agent.domain.conversation import Conversation, Understanding
from services.agent.domain.placement import Placement
from services.agent.domain.timeline import Entry

HISTORY = 20
NOTES = 50

_C = CONVERSATIONS.columns
_P = ", ".join(f"p.{name}" for name in PLACEMENTS.columns.split(", "))
_M = MESSAGES.columns
_U = ", ".join(f"u.{name}" for name in UNDERSTANDINGS.columns.split(", "))
_CONVERSATION_WIDTH = _C.count(",") + 1
_PLACEMENT_WIDTH = _P.count(",") + 1
_MESSAGE_WIDTH = _M.count(",") + 1
_UNDERSTANDING_WIDTH = _U.count(",") + 1


@dataclass(frozen=True, slots=True)
class Labels:
    """Names that go with a conversation; empty where not known."""

    customer: str
    team: str
    agent: str
    last_agent: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A conversation with its place and the names that go with it."""

    conversation: Conversation
    placement: Placement | None
    labels: Labels


@dataclass(frozen=True, slots=True)
class Whole:
    """A conversation with everything but its messages. Customers, notes and history are JSON objects of their rows."""

    placed: Placed
    decision: Understanding | None
    """Of the newest message that asks for something."""
    customers: list[dict[str, Any]]
    """All who are the same person, the conversation's own first."""
    notes: list[dict[str, Any]]
    history: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry with its author's name and what triage says of it."""

    entry: Entry
    author: str
    understanding: Understanding | None


_JOINS = """
LEFT JOIN agent.placements p ON p.conversation_id = c.conversation_id
LEFT JOIN agent.customers cu ON cu.customer_id = c.customer_id
LEFT JOIN agent.teams te ON te.team_id = p.team_id
LEFT JOIN agent.people pe ON pe.person_id = p.agent_id
LEFT JOIN agent.people le ON le.person_id = p.last_agent_id
"""
_LABELS = "coalesce(cu.display_name, ''), coalesce(te.name, ''), coalesce(pe.name, ''), coalesce(le.name, '')"

_SAME = """
  SELECT c.customer_id UNION
  SELECT s.customer_id FROM agent.persons mine JOIN agent.persons s USING (person_id)
  WHERE mine.customer_id = c.customer_id
"""
"""All customers who are the person that the conversation is with."""

_WHOLE = f"""
SELECT c.*, {_P}, {_LABELS}, {_U},
  (SELECT coalesce(jsonb_agg(to_jsonb(k) ORDER BY (k.customer_id = c.customer_id) DESC, k.first_seen_at_ms), '[]')
   FROM agent.customers k WHERE k.customer_id IN ({_SAME})),
  (SELECT coalesce(jsonb_agg(to_jsonb(n)), '[]') FROM (
     SELECT n.*, coalesce(a.name, '') AS author FROM agent.notes n
     LEFT JOIN agent.people a ON a.person_id = n.agent_id
     WHERE n.conversation_id = $1 ORDER BY n.at_ms DESC, n.note_id DESC LIMIT {NOTES}) n),
  (SELECT coalesce(jsonb_agg(to_jsonb(h)), '[]') FROM (
     SELECT h.conversation_id, h.case_reference, h.channel, h.status, h.topic, h.created_at_ms,
            h.last_message_at_ms, h.spans
     FROM agent.conversations h
     WHERE h.customer_id IN ({_SAME}) AND h.conversation_id <> c.conversation_id
     ORDER BY h.created_at_ms DESC LIMIT {HISTORY}) h)
FROM (SELECT {_C} FROM agent.conversations WHERE conversation_id = $1) c {_JOINS}
LEFT JOIN agent.understandings u ON u.conversation_id = c.conversation_id AND u.seq = c.opening_seq
"""


def json_value(value: Any) -> Any:
    """A JSONB column that may have come as text."""
    return json.loads(value) if isinstance(value, str) else value


def _placed(row: Sequence[Any]) -> Placed:
    after = _CONVERSATION_WIDTH + _PLACEMENT_WIDTH
    placed = row[_CONVERSATION_WIDTH:after]
    return Placed(
        CONVERSATIONS.value_of(row[:_CONVERSATION_WIDTH]),
        PLACEMENTS.value_of(placed) if placed[0] is not None else None,
        Labels(*row[after : after + 4]),
    )


async def whole(connection: AsyncConnection, conversation_id: str) -> Whole | None:
    """A conversation with customer, placement, notes and history; None when there is none."""
    row = await fetch_one(connection, _WHOLE, conversation_id)
    if row is None:
        return None
    customers, notes, history = (json_value(value) for value in row[-3:])
    understood = row[-3 - _UNDERSTANDING_WIDTH : -3]
    decision = UNDERSTANDINGS.value_of(understood) if understood[0] is not None else None
    return Whole(_placed(row), decision, customers, notes, history)


async def conversation(connection: AsyncConnection, conversation_id: str) -> Conversation | None:
    """The conversation's own row."""
    row = await fetch_one(
        connection, f"SELECT {_C} FROM agent.conversations WHERE conversation_id = $1", conversation_id
    )
    return CONVERSATIONS.value_of(row) if row else None


async def messages(
    connection: AsyncConnection, conversation_id: str, before: int | None, limit: int
) -> list[Shown]:
    """Entries of a timeline below a position, newest first."""
    rows = await fetch_all(
        connection,
        f"SELECT m.*, coalesce(pe.name, ''), {_U}"
        f" FROM (SELECT {_M} FROM agent.messages WHERE conversation_id = $1 AND position < $2"
        "       ORDER BY position DESC LIMIT $3) m"
        " LEFT JOIN agent.understandings u ON u.message_id = m.message_id"
        " LEFT JOIN agent.people pe ON pe.person_id = m.author"
        " ORDER BY m.position DESC",
        conversation_id,
        2**63 - 1 if before is None else before,
        limit,
    )
    return [_shown(row) for row in rows]


def _shown(row: Sequence[Any]) -> Shown:
    understood = row[_MESSAGE_WIDTH + 1 :]
    return Shown(
        MESSAGES.value_of(row[:_MESSAGE_WIDTH]),
        row[_MESSAGE_WIDTH],
        UNDERSTANDINGS.value_of(understood) if understood[0] is not None else None,
    )


async def openings_after(
    connection: AsyncConnection, conversation_id: str, through_seq: int
) -> list[Understanding]:
    """The settled messages above a number that open an episode, by number."""
    rows = await fetch_all(
        connection,
        f"SELECT {_U} FROM agent.understandings u"
        " WHERE conversation_id = $1 AND seq > $2 AND opens ORDER BY seq",
        conversation_id,
        through_seq,
    )
    return [UNDERSTANDINGS.value_of(row) for row in rows]


async def labels(connection: AsyncConnection, person_id: str) -> tuple[str, list[str], list[tuple[str, str]]]:
    """Name, languages and teams (id, name) of a person; empty when routing's directory does not have them."""
    row = await fetch_one(
        connection,
        "SELECT p.name, p.languages, (SELECT coalesce(jsonb_agg(jsonb_build_array(t.team_id, t.name)"
        " ORDER BY t.team_id), '[]') FROM agent.teams t WHERE NOT t.removed AND p.team_ids ? t.team_id)"
        " FROM agent.people p WHERE p.person_id = $1 AND NOT p.removed",
        person_id,
    )
    if row is None:
        return "", [], []
    name, languages, teams = row
    return name, json_value(languages), [(team_id, label) for team_id, label in json_value(teams)]


async def asking(
    connection: AsyncConnection, conversation_id: str, first_seq: int, message_id: str, limit: int
) -> list[Entry]:
    """A customer's messages from a number on, or the one of that id, in the order of their numbers."""
    rows = await fetch_all(
        connection,
        f"SELECT {_M} FROM agent.messages WHERE conversation_id = $1 AND seq >= $2 AND seq > 0"
        " AND ($3 = '' OR message_id = $3) ORDER BY seq LIMIT $4",
        conversation_id,
        0 if message_id else first_seq,
        message_id,
        limit,
    )
    return [MESSAGES.value_of(row) for row in rows]
