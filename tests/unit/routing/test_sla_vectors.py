"""The vectors V1 to V16 of the design, each by its name: through the calendar, and through a pool that keeps the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.routing.domain.calendars import Calendar
from services.routing.domain.commands import Close, RecordStatus, TimePassed
from services.routing.domain.engine import Engine
from services.routing.domain.events import SlaBreached, SlaMet, SlaStarted
from services.routing.domain.model import Status
from services.routing.domain.sla_policy import SlaPolicy
from services.routing.domain.state import Step
from tests.unit.routing.calendars import BERLIN, FOLD, GAP, HOUR, KOLKATA, MINUTE, NIGHTLY, local, utc
from tests.unit.routing.pools import DIRECTORY, arrival, engine_with


def pool(calendar: Calendar, target_ms: int, since_ms: int) -> Engine:
    """A pool whose queue `billing` promises a resolution in that calendar; c1 came at the instant."""
    sla = SlaPolicy(resolution_ms=target_ms, calendar_id=calendar.calendar_id)
    queues = (replace(DIRECTORY.queues[0], sla=sla), *DIRECTORY.queues[1:])
    engine = engine_with(directory=replace(DIRECTORY, queues=queues, calendars=(calendar,)), at_ms=since_ms)
    engine.apply(arrival("c1", started_at_ms=since_ms), since_ms)
    return engine


def due_of(engine: Engine) -> int:
    [clock] = engine.pool.clocks["c1"]
    return clock.due_ms


def told(step: Step, *types: type) -> list[object]:
    return [e for e in step.events if isinstance(e, types)]


def status(engine: Engine, value: Status, at_ms: int) -> list[int]:
    """The dues that the change of status tells."""
    command = RecordStatus(
        command_id=f"{value}-{at_ms}", conversation_id="c1", episode=1, status=value, changed_at_ms=at_ms
    )
    return [e.due_ms for e in engine.apply(command, at_ms).events if isinstance(e, SlaStarted)]


@pytest.mark.parametrize(
    ("calendar", "start", "target", "due", "due_utc"),
    [
        pytest.param(BERLIN, "2026-03-27T16:30", 4 * HOUR, "2026-03-30T12:30", "2026-03-30T10:30", id="V1"),
        pytest.param(BERLIN, "2026-04-02T16:00", 2 * HOUR, "2026-04-07T10:00", "2026-04-07T08:00", id="V2"),
        pytest.param(
            Calendar("all", "Europe/Berlin"),
            "2026-03-28T20:00",
            24 * HOUR,
            "2026-03-29T21:00",
            "2026-03-29T19:00",
            id="V3",
        ),
        pytest.param(NIGHTLY, "2026-03-07T23:00", 6 * HOUR, "2026-03-08T06:00", "2026-03-08T10:00", id="V4"),
        pytest.param(NIGHTLY, "2026-10-31T23:00", 7 * HOUR, "2026-11-01T05:00", "2026-11-01T10:00", id="V5"),
        pytest.param(
            Calendar("all", "Australia/Lord_Howe"),
            "2026-04-04T20:00",
            12 * HOUR,
            "2026-04-05T07:30",
            "2026-04-04T21:00",
            id="V6",
        ),
        pytest.param(BERLIN, "2026-06-05T17:00", HOUR, "2026-06-08T10:00", "2026-06-08T08:00", id="V7"),
        pytest.param(BERLIN, "2026-06-05T16:00", HOUR, "2026-06-05T17:00", "2026-06-05T15:00", id="V8"),
        pytest.param(BERLIN, "2026-12-23T16:00", 6 * HOUR, "2026-12-28T11:00", "2026-12-28T10:00", id="V9"),
        pytest.param(
            BERLIN, "2026-06-06T03:00", 15 * MINUTE, "2026-06-08T09:15", "2026-06-08T07:15", id="V10"
        ),
        pytest.param(GAP, "2026-03-08T00:30", 30 * MINUTE, "2026-03-08T03:30", "2026-03-08T07:30", id="V11"),
        pytest.param(KOLKATA, "2026-06-06T12:30", 2 * HOUR, "2026-06-06T15:30", "2026-06-06T10:00", id="V12"),
    ],
)
def test_a_target_is_due_when_its_open_time_is_used_up(
    calendar: Calendar, start: str, target: int, due: str, due_utc: str
) -> None:
    start_ms, due_ms = local(calendar.zone, start), utc(due_utc)
    assert local(calendar.zone, due) == due_ms
    assert calendar.due(start_ms, target) == due_ms
    assert calendar.elapsed(start_ms, due_ms) == target
    engine = pool(calendar, target, start_ms)
    assert due_of(engine) == due_ms
    assert told(engine.apply(TimePassed(command_id="at-due"), due_ms), SlaBreached) == []
    late = engine.apply(TimePassed(command_id="later"), due_ms + HOUR)
    assert told(late, SlaBreached) == [SlaBreached("c1", "resolution", 1, due_ms)]


def test_v11_the_day_whose_opening_time_does_not_exist_has_one_hour_open() -> None:
    assert GAP.elapsed(local(GAP.zone, "2026-03-08T00:00"), local(GAP.zone, "2026-03-09T00:00")) == HOUR


def test_v13_a_pause_over_the_night_stops_consumption_and_shifts_nothing() -> None:
    zone = BERLIN.zone
    engine = pool(BERLIN, 8 * HOUR, local(zone, "2026-06-08T10:00"))
    assert due_of(engine) == local(zone, "2026-06-09T10:00")
    assert status(engine, "pending_customer", local(zone, "2026-06-08T12:00")) == [0]
    assert status(engine, "open", local(zone, "2026-06-09T11:00")) == [utc("2026-06-09T15:00")]
    assert due_of(engine) == local(zone, "2026-06-09T17:00") < local(zone, "2026-06-10T09:00")


def test_v14_a_pause_over_closed_time_never_ends_in_closed_time() -> None:
    zone = BERLIN.zone
    engine = pool(BERLIN, 4 * HOUR, local(zone, "2026-06-05T15:00"))
    assert status(engine, "pending_customer", local(zone, "2026-06-05T16:00")) == [0]
    assert status(engine, "open", local(zone, "2026-06-07T12:00")) == [utc("2026-06-08T10:00")]
    assert due_of(engine) == local(zone, "2026-06-08T12:00")


def test_v15_a_suspension_of_65_minutes_extends_the_due_by_65_minutes() -> None:
    engine = pool(Calendar("all"), 2 * HOUR, utc("2026-06-05T08:00"))
    assert due_of(engine) == utc("2026-06-05T10:00")
    status(engine, "pending_customer", utc("2026-06-05T09:00"))
    assert status(engine, "open", utc("2026-06-05T10:05")) == [utc("2026-06-05T11:05")]
    resolve = Close(command_id="r", conversation_id="c1", episode=1, closed_at_ms=utc("2026-06-05T11:05"))
    [met] = told(engine.apply(resolve, utc("2026-06-05T11:05")), SlaMet)
    assert isinstance(met, SlaMet)
    assert met.in_time
    assert engine.pool.clocks["c1"][0].consumed_ms == 2 * HOUR


def test_v16_an_interval_over_the_fold_has_both_hours() -> None:
    assert (
        FOLD.elapsed(local(FOLD.zone, "2026-11-01T00:00"), local(FOLD.zone, "2026-11-02T00:00")) == 2 * HOUR
    )
