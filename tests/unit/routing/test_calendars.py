"""Business time: the vectors of the design and the properties every calendar has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.calendars import Calendar, Hours, NoOpenTime
from tests.unit.routing.calendars import BERLIN, HOUR, local, utc


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
