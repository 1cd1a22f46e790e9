"""Nothing waits for ever unseen: what nobody of the pool could take goes along the overflow, or raises an alarm.

"Could" does not ask for presence or room: an agent who is asleep can, one who is drained cannot.
"""

from __future__ import annotations

from services.routing.domain import explain
from services.routing.domain.events import QueueServed, QueueUnserved
from services.routing.domain.model import Item, Notice
from services.routing.domain.overflow import pass_on
from services.routing.domain.queue import Signature
from services.routing.domain.state import Pool

_CHANGES = frozenset({"PutDirectory", "PutAgent", "RemoveAgent", "Drain", "CloseQueue"})
"""Commands after which things that waited in good hope may wait in vain, or no longer."""


def anybody(pool: Pool, signature: Signature) -> bool:
    """Whether some agent could ever serve the signature in its queue's widest ring."""
    queue = pool.directory.queue_by_id.get(signature.queue_id)
    if queue is None or ("pool", pool.pool_id) in pool.notices:
        return False
    groups = pool.bench.eligible(signature._replace(ring=len(queue.ring_plan))).groups
    if not any(kind == "agent" for kind, _ in pool.notices):
        return bool(groups)
    seats = pool.bench.seats
    return any(not seats[agent_id].stopped for _, group in groups for agent_id in group.agents)


def in_vain(pool: Pool, item: Item) -> bool:
    """Whether the item waits for somebody who does not exist."""
    return not anybody(pool, pool.signature(item))


def relieve(pool: Pool) -> bool:
    """Send what waits in vain along the overflow of its queue. False when nothing went."""
    suspects = set(pool.unplaced)
    if pool.cause in _CHANGES:
        lost = {s for s, bucket in pool.waiting.buckets.items() if bucket.size and not anybody(pool, s)}
        if lost:
            suspects |= {
                i.conversation_id
                for i in pool.items.values()
                if i.state == "waiting" and pool.signature(i) in lost
            }
    went = False
    for conversation_id in sorted(suspects):
        item = pool.items[conversation_id]
        if item.state != "waiting" or not pool.queue_of(item).relief.overflow or not in_vain(pool, item):
            continue
        if pass_on(pool, item, "nobody-could-serve").queue_id != item.queue_id:
            pool.unplaced.discard(conversation_id)
            pool.place_later(conversation_id, "overflow")
            went = True
    return went


def review(pool: Pool) -> None:
    """Raise and lift alarms at the end of a step.

    An alarm names the first that waits in vain. Whatever is placed in vain says so too, under a standing alarm as well:
    its customer has heard nothing yet.
    """
    standing = {about for kind, about in pool.notices if kind == "unserved"}
    placed = [pool.items[i] for i in pool.unplaced if i in pool.waiting]
    unplaced = {pool.signature(item) for item in placed}
    buckets = pool.waiting.buckets
    if pool.cause in _CHANGES:
        looked = {s for s, bucket in buckets.items() if bucket.size}
    elif standing:
        looked = unplaced | {s for s, bucket in buckets.items() if bucket.size and s.queue_id in standing}
    else:
        looked = unplaced
    vain: dict[str, set[Signature]] = {}
    for signature in looked:
        if not anybody(pool, signature):
            vain.setdefault(signature.queue_id, set()).add(signature)
    pool.unplaced.clear()
    lost = {i.conversation_id: i for i in placed if pool.signature(i) in vain.get(i.queue_id, ())}
    for queue_id in sorted(vain.keys() - standing):
        first = _first(pool, vain[queue_id])
        pool.put_notice(Notice("unserved", queue_id, pool.at_ms, "", _why(pool, pool.signature(first))))
        lost[first.conversation_id] = first
    for item in sorted(lost.values(), key=lambda i: i.order):
        why = _why(pool, pool.signature(item))
        pool.explain(explain.noted(pool, item, "unserved", queue_id=item.queue_id, why=why))
        pool.emit(QueueUnserved(item.conversation_id, item.episode, item.queue_id, why))
    for queue_id in sorted(standing - vain.keys()):
        pool.put_notice(pool.notices[("unserved", queue_id)]._replace(lifted=True))
        pool.emit(QueueServed(queue_id))


def _first(pool: Pool, lost: set[Signature]) -> Item:
    """Whoever of those that wait in vain comes first."""
    waiting = (i for i in pool.items.values() if i.state == "waiting" and pool.signature(i) in lost)
    return min(waiting, key=lambda i: i.order)


def _why(pool: Pool, signature: Signature) -> str:
    """In words: what is asked for that nobody has."""
    if ("pool", pool.pool_id) in pool.notices:
        return "the pool drains"
    queue = pool.directory.queue_by_id[signature.queue_id]
    widest = signature._replace(ring=len(queue.ring_plan))
    eligible = pool.bench.eligible(widest)
    if eligible.groups:
        return "everybody who could take it drains"
    wanted = [f"team {queue.team_id}", f"channel {signature.channel}"]
    wanted += [f"{skill} {level}" for skill, level in signature.skills]
    if not any(ring.drop_language for ring in queue.ring_plan) and signature.language != "und":
        wanted.append(f"language {signature.language}")
    return f"no agent has {', '.join(wanted)}"
