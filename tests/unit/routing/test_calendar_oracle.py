"""The arithmetic of business time against a look at every minute, over ten thousand random calendars."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from services.routing.domain.calendars import Calendar, Hours, NoOpenTime
from tests.unit.routing.oracle import MINUTE_MS, Window, open_minutes, window

CALENDARS = 10_000
DAYS = 9
PLACES = (
    ("Europe/Berlin", "2026-03-25"),
    ("Europe/Berlin", "2026-10-21"),
    ("America/New_York", "2026-03-04"),
    ("America/New_York", "2026-10-28"),
    ("Australia/Lord_Howe", "2026-04-01"),
    ("Australia/Lord_Howe", "2026-09-30"),
    ("America/Santiago", "2026-09-02"),
    ("Africa/Cairo", "2026-04-20"),
    ("Pacific/Chatham", "2026-09-23"),
    ("Asia/Kolkata", "2026-06-01"),
    ("Asia/Kathmandu", "2026-06-01"),
    ("Pacific/Kiritimati", "2026-12-28"),
    ("UTC", "2028-02-25"),
)
"""Zones and days around which their clocks change, where they do."""


def _span(draw: random.Random) -> tuple[int, int]:
    begin = draw.choice((draw.randrange(24 * 60), draw.randrange(8) * 30))
    return begin, begin + draw.choice((draw.randrange(1, 24 * 60), draw.randrange(1, 16) * 30))


def _calendar(draw: random.Random, zone: str, first_day: str, kind: type[Calendar]) -> Calendar:
    days = [(date.fromisoformat(first_day) + timedelta(days=n)).isoformat() for n in range(-1, DAYS + 1)]
    weekly = tuple(
        Hours(weekday, *_span(draw))
        for weekday in range(7)
        for _ in range(draw.choice((0, 1, 1, 2)))
        if draw.random() < 0.95
    )
    specials = tuple(
        (day, tuple(Hours(0, *_span(draw)) for _ in range(draw.randrange(3))))
        for day in sorted(draw.sample(days, draw.randrange(3)))
    )
    return kind("c", zone, weekly, frozenset(draw.sample(days, draw.randrange(3))), specials)


def _disagreement(draw: random.Random, kind: type[Calendar] = Calendar) -> str:
    """What a random calendar and the oracle say of a random start, when it is not the same."""
    zone, first_day = draw.choice(PLACES)
    seen: Window = window(zone, first_day, DAYS)
    calendar = _calendar(draw, zone, first_day, kind)
    known = open_minutes(calendar, seen)
    begin = draw.randrange(2 * 24 * 60, 5 * 24 * 60)
    end = draw.randrange(begin, (DAYS - 3) * 24 * 60)
    at_ms = (seen.first + begin) * MINUTE_MS
    elapsed = calendar.elapsed(at_ms, (seen.first + end) * MINUTE_MS)
    if elapsed != int(known[begin:end].sum()) * MINUTE_MS:
        return f"{calendar}: {elapsed} ms open from {begin} to {end}, seen {known[begin:end].sum()} minutes"
    passed = np.flatnonzero(known[begin : (DAYS - 3) * 24 * 60])
    if not len(passed):
        return ""
    target = draw.randrange(1, len(passed) + 1)
    due = (calendar.due(at_ms, target * MINUTE_MS) - at_ms) / MINUTE_MS
    expected = int(passed[target - 1]) + 1
    return "" if due == expected else f"{calendar}: {target} from {begin} due after {due}, seen {expected}"


def test_ten_thousand_random_calendars_agree_with_a_look_at_every_minute() -> None:
    draw = random.Random(20261126)
    for number in range(CALENDARS):
        assert _disagreement(draw) == "", number


def _at(zone: str, day: date, minute: int, fold: int) -> int:
    wall = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).replace(fold=fold) + timedelta(
        minutes=minute
    )
    return int(wall.astimezone(UTC).timestamp()) * 1000


class _EarlierEnd(Calendar):
    """Planted: an ambiguous end is its earlier instant, a missing time is what the library makes of it."""

    def _compute(self, day: date) -> tuple[tuple[int, int], ...]:
        found = (
            (_at(self.zone, day, h.start_minute, 0), _at(self.zone, day, h.end_minute, 0))
            for h in _weekly(self, day)
        )
        return tuple(sorted(span for span in found if span[0] < span[1]))


class _WallTime(Calendar):
    """Planted: hours are counted from local midnight on, as if no clock ever changed in between."""

    def _compute(self, day: date) -> tuple[tuple[int, int], ...]:
        midnight = _at(self.zone, day, 0, 0)
        found = (
            (midnight + h.start_minute * MINUTE_MS, midnight + h.end_minute * MINUTE_MS)
            for h in _weekly(self, day)
        )
        return tuple(sorted(found))


class _NoSpecials(Calendar):
    """Planted: a holiday wins over a special day."""

    def _compute(self, day: date) -> tuple[tuple[int, int], ...]:
        return () if day.isoformat() in self.holidays else Calendar._compute(self, day)


def _weekly(calendar: Calendar, day: date) -> tuple[Hours, ...]:
    special = dict(calendar.specials).get(day.isoformat())
    if special is not None:
        return special
    if day.isoformat() in calendar.holidays:
        return ()
    if not calendar.weekly:
        return (Hours(0, 0, 24 * 60),)
    return tuple(h for h in calendar.weekly if h.weekday == day.weekday())


@pytest.mark.parametrize("kind", [_EarlierEnd, _WallTime, _NoSpecials])
def test_the_look_at_every_minute_finds_a_planted_fault(kind: type[Calendar]) -> None:
    draw = random.Random(1)
    found = 0
    for _ in range(400):
        try:
            found += _disagreement(draw, kind) != ""
        except NoOpenTime:
            found += 1
    assert found > 0
