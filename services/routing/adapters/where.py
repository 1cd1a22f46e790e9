"""In which pool the thing is that a command is about. One look-up by key each."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all, fetch_one
from services.routing.adapters.rows import places_of
from services.routing.domain.commands import Command, PutAgent, Transfer
from services.routing.domain.directory import Directory
from services.routing.domain.orders import Move

_ITEM: Final = (
    "SELECT coalesce(nullif(facts ->> 'moved_to', ''), pool_id) FROM routing.items WHERE conversation_id = $1"
)
_AT_WORK: Final = "SELECT pool_id FROM routing.agents WHERE agent_id = $1 AND NOT removed"
_OFFER: Final = "SELECT pool_id FROM routing.offers WHERE offer_id = $1"
_PLACE: Final = "SELECT pool_id FROM routing.places WHERE kind = $1 AND id = $2"


async def pool_of(connection: AsyncConnection, command: Command) -> str:
    """The pool of the conversation, offer, agent or queue; "" for what is about none or is not known.

    Somebody new belongs to the pool of his first team."""
    for name, statement in (("conversation_id", _ITEM), ("offer_id", _OFFER)):
        value = getattr(command, name, "")
        if value:
            row = await fetch_one(connection, statement, value)
            return str(row[0]) if row else ""
    if isinstance(command, PutAgent):
        row = await fetch_one(connection, _AT_WORK, command.agent.agent_id)
        teams = command.agent.teams
        return str(row[0]) if row else await place(connection, "team", teams[0] if teams else "")
    if agent_id := getattr(command, "agent_id", ""):
        return await place(connection, "agent", agent_id)
    return await place(connection, "queue", getattr(command, "queue_id", ""))


async def target(connection: AsyncConnection, command: Transfer | Move) -> str:
    """The pool in which the queue, team or agent is that a conversation shall go to; "" when it is not known."""
    for kind, value in (("queue", command.to_queue), ("team", command.to_team), ("agent", command.to_agent)):
        if value:
            return await place(connection, kind, value)
    return ""


async def place(connection: AsyncConnection, kind: str, one: str) -> str:
    """The pool of a queue, team or agent; "" when it is not known."""
    row = await fetch_one(connection, _PLACE, kind, one) if one else None
    return str(row[0]) if row else ""


async def taken(connection: AsyncConnection, pool_id: str, directory: Directory) -> list[str]:
    """What the directory of a pool names that is in another pool, one sentence each: ids are of one pool only."""
    wanted = places_of(directory)
    rows = await fetch_all(
        connection,
        "SELECT p.kind, p.id, p.pool_id FROM routing.places p JOIN unnest($2::text[], $3::text[]) AS w(kind, id)"
        " USING (kind, id) WHERE p.pool_id <> $1 ORDER BY p.kind, p.id",
        pool_id,
        [kind for kind, _ in wanted],
        [one for _, one in wanted],
    )
    return [f"{kind} {one!r} is in the pool {other!r}: name it otherwise" for kind, one, other in rows]
