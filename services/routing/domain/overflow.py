"""A conversation goes where it can be served: past queues that are closed, out of hours or too slow.

The promise is the first queue's: clocks that run go on as they were started.
"""

from __future__ import annotations

from services.routing.domain import explain
from services.routing.domain.calendars import NoOpenTime
from services.routing.domain.events import OutOfHours
from services.routing.domain.model import Item
from services.routing.domain.offers import announce
from services.routing.domain.orders import PassOn
from services.routing.domain.placement import enter_ring
from services.routing.domain.queue_policy import Queue
from services.routing.domain.state import Pool


def open_queue(pool: Pool, queue: Queue) -> Queue:
    """The queue, or while it is closed the first open one of its overflow chain, else the default queue, else
    itself: something waits in a closed queue only when every other is closed too."""
    known = pool.directory.queue_by_id
    found: Queue | None = queue
    while found is not None and pool.is_closed(found.queue_id):
        found = known.get(found.relief.overflow)
    if found is not None:
        return found
    default = known[pool.directory.filters[-1].queue_id]
    return queue if pool.is_closed(default.queue_id) else default


def in_hours(pool: Pool, queue: Queue) -> bool:
    """Whether the people of the queue are there by its calendar."""
    calendar = pool.directory.calendar_by_id.get(queue.relief.hours)
    return calendar is None or calendar.elapsed(pool.at_ms, pool.at_ms + 1) > 0


def opens_at_ms(pool: Pool, queue: Queue) -> int:
    """When the queue's hours begin again; 0 = not within a year."""
    try:
        return pool.directory.calendar_by_id[queue.relief.hours].due(pool.at_ms, 1) - 1
    except NoOpenTime:
        return 0


def entry(pool: Pool, queue: Queue) -> tuple[Queue, str]:
    """Where a conversation for the queue goes in now, and why elsewhere ("" = it is the queue itself)."""
    target = open_queue(pool, queue)
    if target is not queue:
        return target, "queue-closed"
    seen = {queue.queue_id}
    while not in_hours(pool, target) and target.relief.follow and target.relief.follow not in seen:
        target = pool.directory.queue_by_id[target.relief.follow]
        seen.add(target.queue_id)
    if target is not queue and in_hours(pool, target) and not pool.is_closed(target.queue_id):
        return target, "out-of-hours"
    return queue, ""


def expected_too_long(pool: Pool, command: PassOn) -> None:
    """The estimate comes with the command: it is made outside the engine, and a replay sees the same."""
    item = pool.items.get(command.conversation_id)
    if item is None or item.state != "waiting" or item.queue_id != command.queue_id:
        return
    further = pass_on(pool, item, "expected-wait", expected_ms=command.expected_ms)
    if further.queue_id != item.queue_id:
        pool.place_later(item.conversation_id, "overflow")


def pass_on(pool: Pool, item: Item, why: str, **facts: int) -> Item:
    """The waiting item in the next open queue of its chain, with its age and the time it has waited; itself when
    there is none. The caller lets it look for an agent."""
    queue = pool.queue_of(item)
    known = pool.directory.queue_by_id
    target = known.get(queue.relief.overflow)
    while target is not None and pool.is_closed(target.queue_id):
        target = known.get(target.relief.overflow)
    if target is None:
        return item._replace(overflow_at_ms=0)
    was = item.queue_id
    item = item._replace(
        queue_id=target.queue_id,
        excluded=(),
        recheck_at_ms=0,
        held_for="",
        hold_until_ms=0,
        pinned_at_ms=0,
        overflow_at_ms=pool.at_ms + target.relief.overflow_after_ms if target.relief.overflow_after_ms else 0,
    )
    item = enter_ring(pool, pool.rekeyed(item))
    pool.put_item(item)
    record = explain.noted(
        pool, item, "overflow", why=why, from_queue_id=was, queue_id=target.queue_id, **facts
    )
    pool.explain(record)
    announce(pool, item, "overflow", record["decision_id"])
    return item


def out_of_hours(pool: Pool, item: Item) -> None:
    """Tell that a conversation came into a queue whose people are not there, and when they will be."""
    queue = pool.queue_of(item)
    if not in_hours(pool, queue):
        opens = opens_at_ms(pool, queue)
        pool.emit(OutOfHours(item.conversation_id, item.episode, queue.queue_id, opens))
