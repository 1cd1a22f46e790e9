"""Engines with one bug each in their promises, as in `planted`."""

from __future__ import annotations

from typing import Any

from services.routing.domain import commands as c
from services.routing.domain import conversations
from services.routing.domain.directory import Directory
from services.routing.domain.engine import Engine
from services.routing.domain.events import SlaMet, SlaStarted
from services.routing.domain.model import Clock, Result
from services.routing.domain.state import Pool
from services.routing.domain.timers import Timers


def _with(command: type[c.Command], handler: Any) -> dict[Any, Any]:
    return {**Engine.handlers, command: handler}


def _clocks(pool: Pool, conversation_id: str) -> tuple[Clock, ...]:
    return pool.clocks.get(conversation_id, ())


class MeetsAgain(Engine):
    """P1: a second reply meets the first response once more."""

    @staticmethod
    def _reply(pool: Pool, command: c.RecordReply) -> None:
        for clock in _clocks(pool, command.conversation_id):
            if clock.state == "met":
                pool.emit(SlaMet(clock.conversation_id, clock.metric, clock.instance, 0, pool.at_ms, True))
        conversations.record_reply(pool, command)

    handlers = _with(c.RecordReply, _reply)


class BreachesAgain(Engine):
    """P2: a breach is forgotten and comes again."""

    @staticmethod
    def _time(pool: Pool, command: c.TimePassed) -> None:
        for clocks in list(pool.clocks.values()):
            for clock in clocks:
                if clock.breached_due_ms and clock.state == "running":
                    pool.put_clock(clock._replace(breached_due_ms=0))

    handlers = _with(c.TimePassed, _time)


class RunsTwo(Engine):
    """P3: each message of the customer starts a clock of its own."""

    @staticmethod
    def _wrote(pool: Pool, command: c.CustomerWrote) -> None:
        conversations.customer_wrote(pool, command)
        for clock in _clocks(pool, command.conversation_id):
            if clock.state == "running":
                again = clock._replace(instance=clock.instance + 1)
                pool.put_clock(again)
                pool.emit(SlaStarted(again.conversation_id, again.metric, again.instance, 0, 0))

    handlers = _with(c.CustomerWrote, _wrote)


class PromisesForEver(Engine):
    """P4: the end of a conversation leaves its clocks running."""

    @staticmethod
    def _close(pool: Pool, command: c.Close) -> None:
        before = pool.clocks.pop(command.conversation_id, ())
        conversations.close(pool, command)
        for clock in before:
            pool.keep_clock(clock)

    handlers = _with(c.Close, _close)


class _Drowsy(Timers):
    def watch_clock(self, clock: Clock) -> None:
        if clock.instance % 2:
            super().watch_clock(clock)


class Oversleeps(Engine):
    """P5: nobody is woken for every other instance."""

    def __init__(self, pool_id: str, directory: Directory) -> None:
        super().__init__(pool_id, directory)
        self.pool.timers = _Drowsy()


class RoundsUp(Engine):
    """P6: a resumed clock is due at a full minute."""

    @staticmethod
    def _status(pool: Pool, command: c.RecordStatus) -> None:
        before = {k.clock_id for k in _clocks(pool, command.conversation_id) if k.state == "paused"}
        conversations.record_status(pool, command)
        for clock in _clocks(pool, command.conversation_id):
            if clock.clock_id in before and clock.state == "running" and not clock.breached_due_ms:
                pool.put_clock(clock._replace(due_ms=-(-clock.due_ms // 60_000) * 60_000))

    handlers = _with(c.RecordStatus, _status)


class DueWhilePaused(Engine):
    """P7: a clock that stands still keeps its due."""

    @staticmethod
    def _status(pool: Pool, command: c.RecordStatus) -> Result | None:
        before = {k.clock_id: k for k in _clocks(pool, command.conversation_id) if k.due_ms}
        conversations.record_status(pool, command)
        for clock in _clocks(pool, command.conversation_id):
            was = before.get(clock.clock_id)
            if was and clock.state == "paused":
                pool.put_clock(clock._replace(due_ms=was.due_ms))
        return None

    handlers = _with(c.RecordStatus, _status)


PLANTED: tuple[tuple[str, type[Engine]], ...] = (
    ("P1", MeetsAgain),
    ("P2", BreachesAgain),
    ("P3", RunsTwo),
    ("P4", PromisesForEver),
    ("P5", Oversleeps),
    ("P6", RoundsUp),
    ("P7", DueWhilePaused),
)
