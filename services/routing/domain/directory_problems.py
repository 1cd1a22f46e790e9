"""What is wrong with a directory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from services.routing.domain.choice import PICK_RULES
from services.routing.domain.model import URGENCIES
from services.routing.domain.relief import relief_problems
from services.routing.domain.skills import skill_problems

if TYPE_CHECKING:
    from services.routing.domain.directory import CapacityPolicy, Directory
    from services.routing.domain.queue_policy import Queue

SENIORITIES = 9
"""The highest seniority."""


def directory_problems(directory: Directory) -> Iterator[str]:
    """Everything that is wrong with a directory, one sentence each."""
    teams = {t.team_id for t in directory.teams}
    for what, ids in (
        ("team", [t.team_id for t in directory.teams]),
        ("queue", [q.queue_id for q in directory.queues]),
        ("capacity", [c.capacity_id for c in directory.capacities]),
        ("calendar", [c.calendar_id for c in directory.calendars]),
        ("skill", [s.skill_id for s in directory.skills]),
    ):
        for doubled in sorted({i for i in ids if ids.count(i) > 1}):
            yield f"{what} {doubled!r} is there twice"
        if "" in ids:
            yield f"a {what} has no id"
    for queue in directory.queues:
        if queue.team_id not in teams:
            yield f"queue {queue.queue_id!r} names the unknown team {queue.team_id!r}"
        promised = queue.sla.problems(directory.calendar_by_id)
        yield from (f"queue {queue.queue_id!r} {problem}" for problem in promised)
        yield from _queue_problems(directory, queue, teams)
        yield from (
            f"queue {queue.queue_id!r} has a boost for the unknown urgency {u!r}"
            for u, _ in queue.boosts
            if u not in URGENCIES
        )
    reliefs = {q.queue_id: q.relief for q in directory.queues}
    yield from relief_problems(reliefs, frozenset(directory.calendar_by_id))
    for rule in directory.filters:
        if rule.queue_id not in directory.queue_by_id:
            yield f"a filter names the unknown queue {rule.queue_id!r}"
    if not directory.filters or not directory.filters[-1].is_default:
        yield "the last filter must have no condition: it names the default queue"
    if not directory.capacities:
        yield "there must be at least one capacity policy"
    for capacity in directory.capacities:
        for rule_ in capacity.channels:
            if rule_.weight <= 0 or rule_.max_count < 0:
                where = f"capacity {capacity.capacity_id!r}, channel {rule_.channel!r}"
                yield f"{where}: weight must be positive"
        yield from _capacity_problems(capacity)
    for calendar in directory.calendars:
        yield from (f"calendar {calendar.calendar_id!r} {problem}" for problem in calendar.problems())
    yield from _reserve_problems(directory)


def _queue_problems(directory: Directory, queue: Queue, teams: set[str]) -> Iterator[str]:
    where = f"queue {queue.queue_id!r}"
    yield from skill_problems(where, (*queue.skills, *queue.preferred_skills), directory.skills)
    if queue.offer_timeout_ms <= 0 or queue.exclusion_ms <= 0:
        yield f"{where}: offer_timeout and exclusion must be positive"
    if queue.pick not in PICK_RULES:
        yield f"{where} picks by the unknown rule {queue.pick!r}; there are {', '.join(PICK_RULES)}"
    if queue.parallel_offers < 1:
        yield f"{where}: parallel_offers must be at least 1, got {queue.parallel_offers}"
    if queue.auto_accept and queue.parallel_offers > 1:
        yield f"{where} cannot both accept by itself and offer to {queue.parallel_offers} at once"
    preferred = {skill for skill, _ in queue.preferred_skills}
    opens_ms = 0
    for number, ring in enumerate(queue.rings, 1):
        if ring.after_ms and ring.after_ms < opens_ms:
            yield f"{where}: ring {number} opens before the ring inside it"
        opens_ms = max(opens_ms, ring.after_ms)
        for skill in sorted(set(ring.drop_skills) - preferred):
            yield f"{where}: ring {number} drops {skill!r}, which is not one of its preferred skills"
        for team_id in ring.teams:
            if team_id not in teams:
                yield f"{where}: ring {number} names the unknown team {team_id!r}"
    if queue.bot.answer_ms < 0 or (queue.bot.answer_ms and queue.bot.idle_ms <= 0):
        yield f"{where}: bot: answer must not be negative, and idle must be positive"
    for name, care in (*queue.tiers, ("in_debt", queue.in_debt)):
        if not 0 <= care.ring <= len(queue.ring_plan):
            yield f"{where}: {name!r} begins in ring {care.ring}; it has {len(queue.ring_plan)}"
        if not 0 <= care.seniority <= SENIORITIES:
            yield f"{where}: {name!r} asks for seniority {care.seniority}; there are 0 to {SENIORITIES}"


def _reserve_problems(directory: Directory) -> Iterator[str]:
    reserve = directory.reserve
    if bool(reserve.queues) != bool(reserve.after_ms):
        yield "reserve: it names the queues for which somebody is kept free, and after how long that ends"
    if reserve.after_ms < 0:
        yield f"reserve: after must not be negative, got {reserve.after_ms} ms"
    for queue_id in sorted(set(reserve.queues) - directory.queue_by_id.keys()):
        yield f"reserve names the unknown queue {queue_id!r}"
    if reserve.queues and not directory.queue_by_id.keys() - set(reserve.queues):
        yield "reserve names every queue: there is none from which somebody could be kept"


def _capacity_problems(capacity: CapacityPolicy) -> Iterator[str]:
    where = f"capacity {capacity.capacity_id!r}"
    channels = [rule.channel for rule in capacity.channels]
    for doubled in sorted({c for c in channels if channels.count(c) > 1}):
        yield f"{where} has the channel {doubled!r} twice"
    for rule in capacity.channels:
        budget = capacity.interruptible_budget if rule.interruptible else capacity.budget
        if rule.weight > budget and rule.max_count:
            yield (
                f"{where}, channel {rule.channel!r}: one conversation weighs {rule.weight}, the budget is {budget}:"
                " nobody could ever take one"
            )
        if rule.exclusive and rule.interruptible:
            yield f"{where}, channel {rule.channel!r} cannot be both exclusive and interruptible"
    if capacity.max_open_offers < 1:
        yield f"{where}: max_open_offers must be at least 1"
    if capacity.fair_share < 0 or (capacity.fair_share and capacity.fair_share_window_ms <= 0):
        yield f"{where}: fair_share must not be negative, and its window must be positive"
    before = (0, 0)
    for step in capacity.ramp:
        if not (step[0] > before[0] and 0 < step[1] <= 100 and step[1] >= before[1]):
            yield f"{where}: the steps of a ramp rise in time and percent (1 to 100), got {step} after {before}"
        before = step
