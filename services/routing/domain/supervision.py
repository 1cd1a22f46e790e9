"""A supervisor's hand on the pool: who goes first, who takes nothing more, which queue takes nothing new."""

from __future__ import annotations

from services.routing.domain import explain
from services.routing.domain.capacity import Seat
from services.routing.domain.model import Notice, NoticeKind, Result
from services.routing.domain.offers import withdraw
from services.routing.domain.orders import Boost, CloseQueue, Drain, Pin
from services.routing.domain.overflow import open_queue
from services.routing.domain.placement import describe_item, wait_anew
from services.routing.domain.presence import end_holds
from services.routing.domain.replies import done, refused
from services.routing.domain.reserve import yields_until_ms
from services.routing.domain.state import Pool
from services.routing.domain.transfers import to_queue, unassign
from services.routing.domain.versions import stale


def pin(pool: Pool, command: Pin) -> Result:
    """First in its queue: a waiting or offered conversation keeps the place until somebody has it."""
    item = pool.items.get(command.conversation_id)
    if refusal := stale(pool, command.command_id, command.conversation_id, item, command.expected_version):
        return refusal
    assert item is not None
    if item.state not in ("waiting", "offered"):
        return refused(pool, command.command_id, "wrong-state", describe_item(pool, item))
    if command.on != bool(item.pinned_at_ms):
        item = pool.rekeyed(item._replace(pinned_at_ms=pool.at_ms if command.on else 0))
        item = item._replace(yields_until_ms=yields_until_ms(pool.directory, item, pool.at_ms))
        pool.put_item(item)
        if item.state == "waiting":
            pool.place_later(item.conversation_id, "pinned")
        kind = "pinned" if command.on else "unpinned"
        pool.explain(
            explain.noted(pool, item, kind, by=command.by, reason=command.reason, key_ms=item.key_ms)
        )
    return done(pool, command.command_id, describe_item(pool, item))


def boost(pool: Pool, command: Boost) -> Result:
    """Ahead by hand; all parts of the boost together stay inside the pool's limit."""
    item = pool.items.get(command.conversation_id)
    if refusal := stale(pool, command.command_id, command.conversation_id, item, command.expected_version):
        return refusal
    assert item is not None
    if item.state == "closed":
        return refused(pool, command.command_id, "wrong-state", describe_item(pool, item))
    if command.boost_ms < 0:
        return refused(
            pool, command.command_id, "invalid-boost", {"problems": ["a boost is not negative; 0 clears it"]}
        )
    if command.boost_ms != item.manual_ms:
        item = pool.rekeyed(item._replace(manual_ms=command.boost_ms))
        pool.put_item(item)
        facts = {"asked_ms": command.boost_ms, "boost_ms": item.boost_ms, "key_ms": item.key_ms}
        pool.explain(explain.noted(pool, item, "boosted", by=command.by, reason=command.reason, **facts))
    return done(pool, command.command_id, describe_item(pool, item))


def drain(pool: Pool, command: Drain) -> Result:
    """An agent or everybody takes nothing more, or again."""
    seats = pool.bench.seats
    if command.agent_id and command.agent_id not in seats:
        return refused(pool, command.command_id, "not-found", {"agent_id": command.agent_id})
    kind: NoticeKind = "agent" if command.agent_id else "pool"
    about = command.agent_id or pool.pool_id
    changed = _put(pool, kind, about, command.on, command.by, command.reason)
    meant = [seats[command.agent_id]] if command.agent_id else [seats[a] for a in sorted(seats)]
    for seat in meant:
        was = seat.stopped
        _stop(pool, seat, command.give_back and command.on)
        if was != seat.stopped:
            pool.tell(seat, "draining", {"on": seat.stopped, "by": command.by, "reason": command.reason})
    return done(pool, command.command_id, {kind + "_id": about, "draining": command.on, "changed": changed})


def close_queue(pool: Pool, command: CloseQueue) -> Result:
    """Nothing new comes into the queue, or again."""
    queue = pool.directory.queue_by_id.get(command.queue_id)
    if queue is None:
        return refused(pool, command.command_id, "not-found", {"queue_id": command.queue_id})
    changed = _put(pool, "queue", queue.queue_id, command.on, command.by, command.reason)
    moved = 0
    if command.on and command.move_waiting:
        target = open_queue(pool, queue)
        for conversation_id in sorted(pool.items):
            item = pool.items[conversation_id]
            if (
                target is not queue
                and item.queue_id == queue.queue_id
                and item.state in ("waiting", "offered")
            ):
                to_queue(pool, item, target, "queue-closed", by=command.by, reason=command.reason)
                moved += 1
    body = {"queue_id": queue.queue_id, "closed": command.on, "changed": changed, "moved": moved}
    return done(pool, command.command_id, body)


def _put(pool: Pool, kind: NoticeKind, about: str, on: bool, by: str, reason: str) -> bool:
    """Put a notice up or take it down; whether that changed anything."""
    known = pool.notices.get((kind, about))
    if on == (known is not None):
        return False
    pool.put_notice(known._replace(lifted=True) if known else Notice(kind, about, pool.at_ms, by, reason))
    return True


def _stop(pool: Pool, seat: Seat, give_back: bool) -> None:
    """Bring a seat to what the notices say of it."""
    seat.stopped = pool.drains(seat.agent_id)
    pool.touch(seat)
    if not seat.stopped:
        pool.fill_later(seat)
        return
    for offer_id in sorted(seat.offers):
        withdraw(pool, pool.offers[offer_id], "rescinded", "draining")
    end_holds(pool, seat)
    for conversation_id in sorted(seat.conversations) if give_back else ():
        wait_anew(pool, unassign(pool, pool.items[conversation_id], "draining"), "", "draining")
