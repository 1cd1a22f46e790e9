"""Moving a conversation: out of an agent's hands, into another queue. The age goes with it."""

from __future__ import annotations

from services.routing.domain import explain, sla
from services.routing.domain.events import Released
from services.routing.domain.model import Item
from services.routing.domain.offers import announce, withdraw_all
from services.routing.domain.placement import wait_anew
from services.routing.domain.queue_policy import Queue
from services.routing.domain.state import Pool


def to_queue(pool: Pool, item: Item, queue: Queue, cause: str, *, by: str = "", reason: str = "") -> str:
    """Put the item into the queue, whatever it was doing; the agent who had it is not asked. The item's own hops
    and boosts count, whatever the table says. Returns the id of the decision."""
    sender = item.agent_id
    hops, escalated_ms = item.hops, item.escalated_ms
    if item.state == "assigned":
        item = unassign(pool, item, cause)
    elif item.state == "offered":
        item = withdraw_all(pool, item, cause)
    item = item._replace(queue_id=queue.queue_id, pinned_at_ms=0, hops=hops, escalated_ms=escalated_ms)
    facts = {"queue_id": queue.queue_id, "hops": item.hops, "by": by or sender, "reason": reason}
    record = explain.noted(pool, item, cause, **facts)
    pool.explain(record)
    sla.promise_again(pool, item)
    wait_anew(pool, item, sender, cause)
    announce(pool, pool.items[item.conversation_id], cause, record["decision_id"])
    return str(record["decision_id"])


def unassign(pool: Pool, item: Item, cause: str) -> Item:
    """End the assignment (and a pending transfer of it); the caller decides where the item goes."""
    item = withdraw_all(pool, item, cause)
    seat = pool.bench.seats.get(item.agent_id)
    if seat:
        seat.conversations.discard(item.conversation_id)
        seat.free(item.channel)
        seat.idle_since_ms = pool.at_ms
        pool.touch(seat)
        pool.fill_later(seat)
        pool.tell(seat, "unassigned", {"conversation_id": item.conversation_id, "cause": cause})
    pool.emit(Released(item.conversation_id, item.episode, item.agent_id, item.assigned_epoch, cause))
    return item
