"""Where analytics has a customer who is forgotten."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all

_CONVERSATIONS: Final = """
SELECT conversation_id FROM analytics.episodes WHERE customer_id = $1
UNION SELECT conversation_id FROM analytics.conversations WHERE open_since_ms > 0 AND open_episode->>15 = $1
"""
_EPISODES: Final = (
    "SELECT conversation_id, episode FROM analytics.episodes WHERE customer_id = $1 ORDER BY 1, 2 FOR UPDATE"
)
# Older revisions of the feed; the newest is published anew without the person.
_FEED: Final = (
    "UPDATE analytics.outcome_feed SET record = jsonb_set(record, '{customer_id}', '\"\"')"
    " WHERE conversation_id = ANY($1::text[]) AND record->>'customer_id' = $2 RETURNING 1"
)
_PERSONS: Final = "DELETE FROM analytics.persons WHERE customer_id = $1 RETURNING 1"


async def conversations_of(connection: AsyncConnection, customer_id: str) -> list[str]:
    """The conversations that were theirs."""
    return [str(id_) for (id_,) in await fetch_all(connection, _CONVERSATIONS, customer_id)]


async def episodes_of(connection: AsyncConnection, customer_id: str) -> list[tuple[str, int]]:
    """The episodes with an outcome that were theirs."""
    return [(str(id_), int(episode)) for id_, episode in await fetch_all(connection, _EPISODES, customer_id)]


async def blank_feed(connection: AsyncConnection, conversation_ids: list[str], customer_id: str) -> int:
    """Takes the person out of what the feed has shown. Returns of how many revisions."""
    return len(await fetch_all(connection, _FEED, conversation_ids, customer_id))


async def delete_person(connection: AsyncConnection, customer_id: str) -> int:
    """Forgets with whom they were one person."""
    return len(await fetch_all(connection, _PERSONS, customer_id))
