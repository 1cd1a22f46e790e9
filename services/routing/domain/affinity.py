"""Waiting for the agent who knows the customer: only for a while, and only when that agent can be waited for."""

from __future__ import annotations

from services.routing.domain.capacity import FREE
from services.routing.domain.model import Item
from services.routing.domain.state import Pool


def hold(pool: Pool, item: Item, agent_id: str) -> Item:
    """The item, held for the agent when he is online, able, and not one to be avoided."""
    hold_ms = pool.queue_of(item).affinity_hold_ms
    seat = pool.bench.seats.get(agent_id)
    if not hold_ms or seat is None or seat.presence != "online" or seat.stopped:
        return item
    if agent_id in item.avoided or agent_id in item.excluded:
        return item
    groups = pool.bench.eligible(pool.signature(item)).groups
    if all(agent_id not in group.agents for _, group in groups):
        return item
    return item._replace(held_for=agent_id, hold_until_ms=pool.at_ms + hold_ms)


def hold_for_acquaintance(pool: Pool, item: Item) -> Item:
    """The item, held for the agent of its last episode; else for the one whom its customer knows from elsewhere, but
    only when he has room now: a new matter waits for nobody."""
    held = hold(pool, item, item.last_agent_id)
    if held.held_for:
        return held
    seat = pool.bench.seats.get(item.known_by)
    return hold(pool, item, item.known_by) if seat and seat.blocked.get(item.channel) == FREE else item
