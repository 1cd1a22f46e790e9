"""Business time: the vectors of the design and the properties every calendar has."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain import clocks
from services.routing.domain.calendars import Calendar, Hours, NoOpenTime

HOUR = 3_600_000
MINUTE = 60_000


def week(zone: str, days: range, *spans: tuple[int, int], **more: object) -> Calendar:
    hours = tuple(Hours(d, a, b) for d in days for a, b in spans)
    return Calendar("c", zone, hours, **more)  # type: ignore[arg-type]  # the two optional fields


BERLIN = week(
    "Europe/Berlin",
    range(5),
    (540, 1020),
    holidays=frozenset({"2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"}),
    specials=(("2026-12-24", (Hours(0, 540, 720),)),),
)
NIGHTLY = week("America/New_York", range(7), (22 * 60, 30 * 60))
KOLKATA = week("Asia/Kolkata", range(6), (540, 780), (840, 1080))
GAP = week("America/New_York", range(7), (150, 240))
FOLD = week("America/New_York", range(7), (30, 90))


def local(zone: str, text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * 1000


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("calendar", "start", "target", "due"),
    [
        pytest.param(BERLIN, "2026-03-27T16:30", 4 * HOUR, "2026-03-30T10:30", id="V1-weekend-and-dst"),
        pytest.param(BERLIN, "2026-04-02T16:00", 2 * HOUR, "2026-04-07T08:00", id="V2-two-holidays"),
        pytest.param(
            Calendar("c", "Europe/Berlin"), "2026-03-28T20:00", 24 * HOUR, "2026-03-29T19:00", id="V3-elapsed"
        ),
        pytest.param(NIGHTLY, "2026-03-07T23:00", 6 * HOUR, "2026-03-08T10:00", id="V4-spring-gap"),
        pytest.param(NIGHTLY, "2026-10-31T23:00", 7 * HOUR, "2026-11-01T10:00", id="V5-autumn-extra-hour"),
        pytest.param(
            Calendar("c", "Australia/Lord_Howe"),
            "2026-04-04T20:00",
            12 * HOUR,
            "2026-04-04T21:00",
            id="V6-half-hour-dst",
        ),
        pytest.param(BERLIN, "2026-06-05T17:00", HOUR, "2026-06-08T08:00", id="V7-start-at-close"),
        pytest.param(BERLIN, "2026-06-05T16:00", HOUR, "2026-06-05T15:00", id="V8-exact-consumption"),
        pytest.param(BERLIN, "2026-12-23T16:00", 6 * HOUR, "2026-12-28T10:00", id="V9-half-day-and-holiday"),
        pytest.param(BERLIN, "2026-06-06T03:00", 15 * MINUTE, "2026-06-08T07:15", id="V10-start-closed"),
        pytest.param(GAP, "2026-03-08T00:30", 30 * MINUTE, "2026-03-08T07:30", id="V11-opening-missing"),
        pytest.param(KOLKATA, "2026-06-06T12:30", 2 * HOUR, "2026-06-06T10:00", id="V12-split-shift"),
    ],
)
def test_a_target_is_due_when_its_open_time_is_used_up(
    calendar: Calendar, start: str, target: int, due: str
) -> None:
    start_ms = local(calendar.zone, start)
    assert calendar.due(start_ms, target) == utc(due)
    assert calendar.elapsed(start_ms, utc(due)) == target


@pytest.mark.parametrize(
    ("calendar", "target", "start", "pause", "resume", "due"),
    [
        pytest.param(
            BERLIN,
            8 * HOUR,
            "2026-06-08T10:00",
            "2026-06-08T12:00",
            "2026-06-09T11:00",
            "2026-06-09T15:00",
            id="V13-pause-over-night",
        ),
        pytest.param(
            BERLIN,
            4 * HOUR,
            "2026-06-05T15:00",
            "2026-06-05T16:00",
            "2026-06-07T12:00",
            "2026-06-08T10:00",
            id="V14-pause-over-closed-time",
        ),
        pytest.param(
            Calendar("c"),
            2 * HOUR,
            "2026-06-05T08:00",
            "2026-06-05T09:00",
            "2026-06-05T10:05",
            "2026-06-05T11:05",
            id="V15-always-open",
        ),
    ],
)
def test_a_pause_stops_consumption_and_never_shifts_the_due_by_wall_time(
    calendar: Calendar, target: int, start: str, pause: str, resume: str, due: str
) -> None:
    clock = clocks.start("c1", "resolution", 1, calendar, target, local(calendar.zone, start))
    paused = clocks.pause(clock, calendar, local(calendar.zone, pause))
    assert paused.due_ms == 0
    resumed = clocks.resume(paused, calendar, local(calendar.zone, resume))
    assert resumed.due_ms == utc(due)


def test_an_interval_over_the_fold_has_both_hours() -> None:
    assert FOLD.elapsed(utc("2026-11-01T04:00"), utc("2026-11-02T04:00")) == 2 * HOUR


def test_a_missing_opening_leaves_what_is_after_the_gap() -> None:
    assert GAP.elapsed(utc("2026-03-08T05:00"), utc("2026-03-09T04:00")) == HOUR


def test_the_days_of_a_time_change_have_23_and_25_hours() -> None:
    zone = "Europe/Berlin"
    all_day = Calendar("c", zone, tuple(Hours(d, 0, 24 * 60) for d in range(7)))
    for calendar in (Calendar("c", zone), all_day):
        spring = (local(zone, "2026-03-29T00:00"), local(zone, "2026-03-30T00:00"))
        autumn = (local(zone, "2026-10-25T00:00"), local(zone, "2026-10-26T00:00"))
        assert calendar.elapsed(*spring) == 23 * HOUR
        assert calendar.elapsed(*autumn) == 25 * HOUR


def test_a_calendar_without_open_time_says_so_instead_of_looping() -> None:
    with pytest.raises(NoOpenTime):
        Calendar("c", "UTC", (Hours(0, 600, 600),)).due(utc("2026-06-01T00:00"), 1)


def test_a_target_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        BERLIN.due(utc("2026-06-01T00:00"), 0)


ZONES = st.sampled_from(("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    hours = []
    for day in draw(st.sets(st.integers(0, 6), min_size=1)):
        begin = draw(st.integers(0, 23 * 60))
        hours.append(Hours(day, begin, begin + draw(st.integers(30, 20 * 60))))
    return Calendar("c", draw(ZONES), tuple(hours))


STARTS = st.integers(utc("2026-01-01T00:00"), utc("2026-12-31T00:00"))


@settings(max_examples=60, deadline=None)
@given(calendars(), STARTS, st.integers(1, 12 * HOUR), st.integers(0, 12 * HOUR))
def test_due_and_elapsed_agree_and_grow(calendar: Calendar, start: int, target: int, more: int) -> None:
    due = calendar.due(start, target)
    assert calendar.elapsed(start, due) == target
    assert calendar.due(start, target + more) >= due
    assert calendar.due(start + more, target) >= due
    middle = start + (due - start) // 2
    assert calendar.elapsed(start, middle) + calendar.elapsed(middle, due) == target


@settings(max_examples=40, deadline=None)
@given(calendars(), STARTS, st.integers(1, 20 * HOUR), st.integers(0, 20))
def test_a_holiday_never_makes_a_due_earlier(calendar: Calendar, start: int, target: int, after: int) -> None:
    holiday = datetime.fromtimestamp(start / 1000 + after * 86_400, UTC).date().isoformat()
    closed = Calendar("c", calendar.zone, calendar.weekly, frozenset({holiday}))
    assert closed.due(start, target) >= calendar.due(start, target)


FAR_STARTS = st.integers(utc("2014-01-01T00:00"), utc("2032-12-31T00:00"))


def _answer(calendar: Calendar, start: int, target: int) -> object:
    try:
        return calendar.due(start, target), calendar.elapsed(start, start + target)
    except NoOpenTime as error:
        return str(error)


@settings(max_examples=40, deadline=None)
@given(calendars(), st.lists(st.tuples(FAR_STARTS, st.integers(1, 600 * HOUR)), min_size=2, max_size=6))
def test_an_answer_does_not_depend_on_what_was_asked_before(
    calendar: Calendar, asked: list[tuple[int, int]]
) -> None:
    for start, target in asked:
        fresh = Calendar("c", calendar.zone, calendar.weekly)
        assert _answer(calendar, start, target) == _answer(fresh, start, target)


def test_open_time_after_the_horizon_is_not_found_even_when_it_is_known() -> None:
    yearly = Calendar("c", "UTC", (Hours(0, 600, 660),))
    assert yearly.due(utc("2026-06-01T00:00"), 52 * HOUR) == utc("2027-05-24T11:00")
    yearly.due(utc("2027-05-01T00:00"), 40 * HOUR)
    with pytest.raises(NoOpenTime, match="3600000 ms missing"):
        yearly.due(utc("2026-06-01T00:00"), 54 * HOUR)
