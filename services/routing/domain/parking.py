"""A customer who does not answer frees the agent's capacity; when they answer the conversation goes back to the
agent who had it, at once when there is room, else it waits for that agent a while and then for anybody, with a boost."""

from __future__ import annotations

from services.routing.domain import explain
from services.routing.domain.affinity import hold
from services.routing.domain.capacity import FREE
from services.routing.domain.model import Item
from services.routing.domain.placement import enter_ring, offer
from services.routing.domain.state import Pool
from services.routing.domain.transfers import unassign


def expected(pool: Pool, item: Item) -> Item:
    """The item with the instant at which it is parked: so long after the customer is waited for."""
    seat = pool.bench.seats.get(item.agent_id)
    after_ms = seat.policy.park_after_ms if seat else 0
    if item.state != "assigned" or not item.paused or not after_ms:
        return item._replace(park_at_ms=0) if item.park_at_ms else item
    return item if item.park_at_ms else item._replace(park_at_ms=pool.at_ms + after_ms)


def park(pool: Pool, item: Item) -> None:
    """The agent is free of it; nobody is asked until the customer answers."""
    pool.explain(explain.noted(pool, item, "parked", agent_id=item.agent_id))
    item = unassign(pool, item, "parked")
    pool.put_item(
        item._replace(state="parked", agent_id="", assigned_at_ms=0, assigned_epoch=0, park_at_ms=0)
    )


def bring_back(pool: Pool, item: Item, replied_at_ms: int) -> None:
    """The customer answered: the wait counts from the answer."""
    item = item._replace(
        state="waiting",
        eligible_at_ms=max(item.eligible_at_ms, replied_at_ms),
        waiting_since_ms=pool.at_ms,
        excluded=(),
        recheck_at_ms=0,
        overflow_at_ms=0,
        returning=True,
    )
    item = enter_ring(pool, pool.rekeyed(item))
    seat = pool.bench.seats.get(item.last_agent_id)
    if seat is not None and seat.blocked.get(item.channel) == FREE:
        verdict = pool.bench.verdict(seat.group_key, pool.signature(item))
        if isinstance(verdict, int):
            pool.put_item(item)
            record = explain.noted(pool, item, "returned", agent_id=seat.agent_id)
            pool.explain(record)
            pool.accept_later(offer(pool, item, seat, record["decision_id"]).offer_id)
            return
    pool.put_item(hold(pool, item, item.last_agent_id))
    pool.place_later(item.conversation_id, "customer-answered")
