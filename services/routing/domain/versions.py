"""What a change of a conversation names as the state it was made from."""

from __future__ import annotations

import hashlib

from services.routing.domain.model import Item, Result
from services.routing.domain.replies import refused
from services.routing.domain.state import Pool


def placement(item: Item) -> str:
    """Equal as long as nobody has moved, taken, ended, pinned or boosted the conversation; offers come and go."""
    where = (item.episode, item.queue_id, item.agent_id, item.state == "closed")
    said = (item.hops, item.pinned_at_ms, item.manual_ms, item.escalated_ms)
    return hashlib.sha256(repr((where, said)).encode()).hexdigest()[:16]


def stale(
    pool: Pool, command_id: str, conversation_id: str, item: Item | None, expected: str
) -> Result | None:
    """The refusal of an order about a conversation that is not there, or is no longer as it was read."""
    if item is None:
        return refused(pool, command_id, "not-found", {"conversation_id": conversation_id})
    version = placement(item)
    if expected not in ("", version):
        facts = {"conversation_id": conversation_id, "version": version}
        return refused(pool, command_id, "stale-version", facts)
    return None
