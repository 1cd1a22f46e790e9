"""A second opinion on business time: every minute of a window is looked at by its local wall clock.

It knows nothing of intervals in UTC, folds or gaps: it looks for the first and the last minute at which a clock on the
wall shows what the opening hours say. Windows and hours are whole minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.routing.domain.calendars import Calendar, Hours

MINUTE_MS = 60_000
DAY = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 15
_NEAR = 3 * DAY


@dataclass(frozen=True)
class Window:
    """Some days of a zone: for each UTC minute what the clock on the wall shows, in minutes since 1970."""

    zone: str
    first: int
    walls: NDArray[np.int64]


@cache
def window(zone: str, first_day: str, days: int) -> Window:
    """The window from 00:00 UTC of the day. Offsets change at quarter hours of UTC in every zone of this century."""
    begin = int((datetime.fromisoformat(first_day).replace(tzinfo=UTC) - _EPOCH).total_seconds()) // 60
    zone_ = ZoneInfo(zone)
    offsets = [
        (_EPOCH + timedelta(minutes=begin + n)).astimezone(zone_).utcoffset()
        for n in range(0, days * DAY, _STEP)
    ]
    in_minutes = np.repeat([round((o or timedelta()).total_seconds() / 60) for o in offsets], _STEP)
    return Window(zone, begin, begin + np.arange(days * DAY) + in_minutes)


def open_minutes(calendar: Calendar, seen: Window) -> NDArray[np.bool_]:
    """Which minutes of the window are open."""
    found = np.zeros(len(seen.walls), dtype=bool)
    first_date = date(1970, 1, 1) + timedelta(days=int(seen.walls[0]) // DAY - 2)
    for number in range(len(seen.walls) // DAY + 4):
        day = first_date + timedelta(days=number)
        midnight = (day - date(1970, 1, 1)).days * DAY
        for hours in _hours_of(calendar, day):
            low = min(max(midnight - seen.first - DAY, 0), len(found))
            high = min(max(low, midnight - seen.first + _NEAR + DAY), len(found))
            walls = seen.walls[low:high]
            begins = _first(walls >= midnight + hours.start_minute)
            ends = _end(walls, midnight + hours.end_minute)
            found[low + begins : low + max(begins, ends)] = True
    return found


def _hours_of(calendar: Calendar, day: date) -> tuple[Hours, ...]:
    for special, hours in calendar.specials:
        if special == day.isoformat():
            return hours
    if day.isoformat() in calendar.holidays:
        return ()
    if not calendar.weekly:
        return (Hours(0, 0, DAY),)
    return tuple(h for h in calendar.weekly if h.weekday == day.weekday())


def _first(shows: NDArray[np.bool_]) -> int:
    """The first minute at which it is so, the length of the row when at none."""
    return int(np.argmax(shows)) if shows.any() else len(shows)


def _end(walls: NDArray[np.int64], until: int) -> int:
    """The last time the wall shows `until`; when it never does, the minute after the last one before."""
    before = np.flatnonzero(walls <= until)
    if not len(before):
        return 0
    last = int(before[-1])
    return last if walls[last] == until else last + 1
