"""What holds of every clock, over random commands: each thing is told once, in its order, and the row says the same."""

from __future__ import annotations

from services.routing.domain.engine import Engine
from services.routing.domain.events import (
    SlaBreached,
    SlaCancelled,
    SlaEscalated,
    SlaMet,
    SlaStarted,
    SlaWarned,
)
from services.routing.domain.model import Clock
from services.routing.domain.sla_policy import UNTIL_RESOLVED
from services.routing.domain.state import Step
from services.routing.domain.timers import clock_instant
from tests.unit.routing.invariants import require

ClockId = tuple[str, str, int]
_Told = SlaStarted | SlaWarned | SlaBreached | SlaMet | SlaCancelled | SlaEscalated


class Promises:
    """Keeps its own record of what the events told."""

    def __init__(self) -> None:
        self.told: set[tuple[object, ...]] = set()
        self.ended: set[ClockId] = set()
        self.started: set[ClockId] = set()

    def see(self, engine: Engine, step: Step) -> None:
        """Check everything after a step."""
        for event in step.events:
            if isinstance(event, _Told):
                self._told(event)
        for conversation_id, clocks in engine.pool.clocks.items():
            for clock in clocks:
                self._state(engine, clock)
            running = [c.metric for c in clocks if c.unfulfilled]
            require("P3", len(running) == len(set(running)), f"{conversation_id} has two of {running}")
            closed = engine.pool.items[conversation_id].state == "closed"
            require("P4", not (closed and running), f"{conversation_id} is closed and promises {running}")

    def _told(self, event: _Told) -> None:
        clock_id = (event.conversation_id, event.metric, event.instance)
        if isinstance(event, SlaStarted):
            again = clock_id in self.ended and event.metric not in UNTIL_RESOLVED
            require("P1", not again, f"{event} after its end")
            self.ended.discard(clock_id)
            self.started.add(clock_id)
            return
        require("P1", clock_id in self.started, f"{event} before its start")
        require("P1", clock_id not in self.ended, f"{event} after its end")
        if isinstance(event, SlaMet | SlaCancelled):
            self.ended.add(clock_id)
            return
        name = event.step if isinstance(event, SlaEscalated) else ""
        once = (type(event), clock_id, name)
        require("P2", once not in self.told, f"{event} was told before")
        self.told.add(once)

    def _state(self, engine: Engine, clock: Clock) -> None:
        at_ms = engine.at_ms
        if clock.state == "running":
            require("P5", not 0 < clock_instant(clock) <= at_ms, f"{clock} was due at {at_ms}")
            calendar = engine.pool.directory.calendar_by_id[clock.calendar_id]
            if not clock.breached_due_ms and clock.due_ms > clock.running_since_ms:
                left = calendar.elapsed(clock.running_since_ms, clock.due_ms)
                require("P6", clock.consumed_ms + left == clock.target_ms, f"{clock}: {left} left")
        elif clock.state == "paused":
            require(
                "P7", clock_instant(clock) == 0 and clock.due_ms == 0, f"{clock} is due while it stands still"
            )
