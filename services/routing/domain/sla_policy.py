"""What a queue promises: a target for each of the six clocks, and the ladder that is climbed while one is kept waiting."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Literal

from services.routing.domain.calendars import ALWAYS
from services.routing.domain.model import (
    AGENT_WORK,
    FIRST_RESPONSE,
    METRICS,
    NEXT_RESPONSE,
    RESOLUTION,
    TOTAL_RESOLUTION,
    UPDATE,
    URGENCIES,
)

Action = Literal["notify", "boost", "widen", "reassign", "escalate", "page", "manager"]
ACTIONS: tuple[Action, ...] = ("notify", "boost", "widen", "reassign", "escalate", "page", "manager")
UNTIL_RESOLVED = (RESOLUTION, AGENT_WORK, TOTAL_RESOLUTION)
"""The metrics that a resolve meets; one instance each, which a reopen continues."""
MOST_PERCENT = 1000
_STANDS_STILL = {
    RESOLUTION: ("pending_customer",),
    UPDATE: ("pending_customer",),
    AGENT_WORK: ("pending_customer", "on_hold", "snoozed"),
}


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One thing that is done, once for each instance of a clock, when so much of its target is used up."""

    action: Action
    percent: int = 0
    """Of the target, in open time; 100 = at the breach. 0 = `offset_ms` says when."""
    offset_ms: int = 0
    """From the due instant in open time, before it when negative."""
    metrics: tuple[str, ...] = ()
    """Empty = of every clock."""
    boost_ms: int = 0
    """What `boost` adds."""
    person: str = ""
    """Who is told, an agent's id; `manager` needs it."""
    around_the_clock: bool = False
    """An offset after due counts closed time too."""

    @property
    def name(self) -> str:
        """Tells the steps of a ladder apart, and a person what it is."""
        when = f"{self.percent}%" if self.percent else f"due{self.offset_ms:+d}ms"
        return " ".join((when, self.action, *self.metrics, *filter(None, (self.person,))))

    def threshold_ms(self, target_ms: int) -> int:
        """The open time after which it is due; at most 0 = at the start."""
        return target_ms * self.percent // 100 if self.percent else target_ms + self.offset_ms


BREACH_REROUTES = (
    LadderStep("widen", percent=100),
    LadderStep("reassign", percent=100, metrics=(FIRST_RESPONSE,)),
)
"""The ladder of a queue that has none of its own."""


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """Targets in open milliseconds of the calendar; 0 = no promise of that kind."""

    first_response_ms: int = 0
    resolution_ms: int = 0
    calendar_id: str = ALWAYS.calendar_id
    next_response_ms: int = 0
    update_ms: int = 0
    agent_work_ms: int = 0
    total_resolution_ms: int = 0
    by_urgency: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """(urgency, its own targets by metric), before the ones above."""
    update_in_pending: bool = False
    """Whether the update clock runs on while the customer is waited for."""
    automatic_counts: bool = False
    """Whether an automatic reply meets first_response."""
    warn_percent: int = 75
    """Of the target, when a clock warns."""
    ladder: tuple[LadderStep, ...] = BREACH_REROUTES

    def target_of(self, metric: str, urgency: str) -> int:
        """The target of a metric for an item of that urgency, 0 = none."""
        for named, targets in self.by_urgency:
            if named == urgency:
                for metric_, target_ms in targets:
                    if metric_ == metric:
                        return target_ms
        return self._targets()[metric]

    def targets(self) -> tuple[int, ...]:
        """Every target that is promised to anybody."""
        own = [ms for _, targets in self.by_urgency for _, ms in targets]
        return tuple(ms for ms in (*self._targets().values(), *own) if ms > 0)

    def steps_of(self, metric: str) -> tuple[LadderStep, ...]:
        return tuple(s for s in self.ladder if not s.metrics or metric in s.metrics)

    def runs(self, metric: str, status: str) -> bool:
        """Whether time counts for the metric while the conversation has the status."""
        if metric == UPDATE and self.update_in_pending:
            return True
        return status not in _STANDS_STILL.get(metric, ())

    def _targets(self) -> dict[str, int]:
        return {
            FIRST_RESPONSE: self.first_response_ms,
            NEXT_RESPONSE: self.next_response_ms,
            UPDATE: self.update_ms,
            RESOLUTION: self.resolution_ms,
            AGENT_WORK: self.agent_work_ms,
            TOTAL_RESOLUTION: self.total_resolution_ms,
        }

    def problems(self, calendars: Container[str]) -> Iterator[str]:
        """What is wrong with it, one sentence each, without the name of its queue."""
        if self.calendar_id not in calendars:
            yield f"names the unknown calendar {self.calendar_id!r}"
        for metric, target_ms in self._targets().items():
            if target_ms < 0:
                yield f"promises {metric} in {target_ms} ms; a target must be positive"
        for urgency, targets in self.by_urgency:
            if urgency not in URGENCIES:
                yield f"has targets for the unknown urgency {urgency!r}; there are {', '.join(URGENCIES)}"
            for metric, target_ms in targets:
                if metric not in METRICS:
                    yield f"has a target for the unknown metric {metric!r}; there are {', '.join(METRICS)}"
                if target_ms <= 0:
                    yield f"promises {metric} in {target_ms} ms for {urgency}; a target must be positive"
        if not 1 <= self.warn_percent <= 100:
            yield f"warns at {self.warn_percent} percent of a target; it must be 1 to 100"
        names = [step.name for step in self.ladder]
        for doubled in sorted({name for name in names if names.count(name) > 1}):
            yield f"has the ladder step {doubled!r} twice"
        for step in self.ladder:
            yield from (f"ladder step {step.name!r}: {fault}" for fault in _step_faults(step))


NO_PROMISE = SlaPolicy()


def _step_faults(step: LadderStep) -> Iterator[str]:
    if step.action not in ACTIONS:
        yield f"unknown action; there are {', '.join(ACTIONS)}"
    if step.percent and step.offset_ms:
        yield "give percent or offset_ms, not both"
    if not 0 <= step.percent <= MOST_PERCENT:
        yield f"percent must be 1 to {MOST_PERCENT}"
    if step.around_the_clock and step.offset_ms <= 0:
        yield "around_the_clock is for an offset after the due instant; before it only open time counts"
    if (step.action == "boost") != (step.boost_ms > 0):
        yield "boost_ms is positive for a boost and 0 for everything else"
    if step.action == "manager" and not step.person:
        yield "name the person to tell"
    for metric in step.metrics:
        if metric not in METRICS:
            yield f"unknown metric {metric!r}; there are {', '.join(METRICS)}"
