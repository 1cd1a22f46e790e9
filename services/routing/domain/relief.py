"""What a queue does when it cannot serve: overflow, hours, escalation. Data of the directory, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Relief:
    """Where a queue's conversations go when it cannot serve them. Queues are named by id; "" = nowhere."""

    overflow: str = ""
    """The next queue of the overflow chain: at once when the queue is closed or nobody at all could serve the
    conversation."""
    overflow_after_ms: int = 0
    """Also after having waited so long; 0 = not by time."""
    overflow_expected_ms: int = 0
    """Also when a customer on a live channel would probably wait longer than so; 0 = not for that."""
    hours: str = ""
    """The calendar in which people are there; "" = always."""
    follow: str = ""
    """Out of hours new conversations go here, when this queue is in its own hours."""
    escalates_to: str = ""
    """Who takes what is escalated, and what was handed over too often."""
    escalation_boost_ms: int = 0
    """By so much an escalated conversation goes ahead."""
    call_back: bool = False
    """Customers may go and be called back instead of waiting."""


NO_RELIEF = Relief()


def relief_problems(reliefs: Mapping[str, Relief], calendars: frozenset[str]) -> Iterator[str]:
    """What is wrong with the reliefs of all queues, by queue id; one sentence each."""
    for queue_id, relief in reliefs.items():
        where = f"queue {queue_id!r}"
        named = {
            "overflow": relief.overflow,
            "follow": relief.follow,
            "escalates_to": relief.escalates_to,
        }
        for field, target in named.items():
            if target and target not in reliefs:
                yield f"{where}: {field} names the unknown queue {target!r}"
            if target == queue_id:
                yield f"{where}: {field} names the queue itself"
        if (relief.overflow_after_ms or relief.overflow_expected_ms) and not relief.overflow:
            yield f"{where}: overflow_after and overflow_expected need an overflow queue"
        if relief.hours and relief.hours not in calendars:
            yield f"{where}: hours name the unknown calendar {relief.hours!r}"
        if relief.follow and not relief.hours:
            yield f"{where}: follow needs hours: without them the queue is always open"
    yield from _cycles({queue_id: relief.overflow for queue_id, relief in reliefs.items()})


def _cycles(overflow: Mapping[str, str]) -> Iterator[str]:
    """Each cycle once, told at its first queue."""
    done: set[str] = set()
    for first in overflow:
        chain: list[str] = []
        queue_id = first
        while queue_id and queue_id in overflow and queue_id not in done and queue_id not in chain:
            chain.append(queue_id)
            queue_id = overflow[queue_id]
        if queue_id in chain[:-1]:
            cycle = [*chain[chain.index(queue_id) :], queue_id]
            yield f"queue {queue_id!r}: its overflow comes back to it: {' -> '.join(cycle)}"
        done.update(chain)
