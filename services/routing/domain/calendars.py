"""Business time: UTC open intervals made from local opening hours.

Instants are integer milliseconds since the epoch. An interval belongs to the local date on which it starts.
An ambiguous local start is its earlier instant, an ambiguous end its later one, a missing local time is the
instant the gap ends. Durations are elapsed UTC time, never wall-clock differences.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MINUTES = 24 * 60
_DAY_MS = _DAY_MINUTES * 60_000
_HORIZON_DAYS = 366
_CACHE_DAYS = 4096


Compute = Callable[[date], tuple[tuple[int, int], ...]]


class NoOpenTime(Exception):
    """The calendar has too little open time within 366 days after the start; raised instead of looping."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One opening of a day: minutes after local midnight; `end_minute` may exceed 24 h (a night shift)."""

    weekday: int
    """0 = Monday; ignored in `Calendar.specials`."""
    start_minute: int
    end_minute: int


class _Timeline:
    """The disjoint open intervals of consecutive days with the open time up to their ends, computed as far as asked.

    A look-up is a bisection. What it answers does not depend on what was asked before.
    """

    __slots__ = ("closes", "first_day", "next_day", "opens", "totals")

    def __init__(self) -> None:
        self._begin(date.max.toordinal())

    def _begin(self, day: int) -> None:
        self.first_day = self.next_day = day
        self.opens: list[int] = []
        self.closes: list[int] = []
        self.totals: list[int] = []

    def reach_back(self, start_ms: int) -> None:
        """Make the instant one that can be asked for; begins anew when what is known lies after it, or far before.

        Two local days before its UTC date hold every interval that can still be open then.
        """
        first = start_ms // _DAY_MS - 2
        known = self.next_day - self.first_day
        if first < self.first_day or first > self.next_day + _HORIZON_DAYS or known > _CACHE_DAYS:
            self._begin(first)

    def open_until(self, at_ms: int, compute: Compute) -> int:
        """Open time from the beginning of the timeline until the instant."""
        self._extend(at_ms // _DAY_MS + 2, compute)
        place = bisect_right(self.closes, at_ms)
        total = self.totals[place - 1] if place else 0
        if place < len(self.opens) and self.opens[place] < at_ms:
            total += at_ms - self.opens[place]
        return total

    def instant(self, total_ms: int, last_ms: int, compute: Compute) -> int:
        """The first instant by which that much was open; one after `last_ms` when it is not by then."""
        last_day = last_ms // _DAY_MS + 2
        while (not self.totals or self.totals[-1] < total_ms) and self.next_day < last_day:
            self._extend(self.next_day + 1, compute)
        place = bisect_left(self.totals, total_ms)
        if place == len(self.totals):
            return last_ms + 1
        return self.closes[place] - (self.totals[place] - total_ms)

    def _extend(self, until_day: int, compute: Compute) -> None:
        while self.next_day < until_day:
            for opens, closes in compute(date.fromordinal(_EPOCH.toordinal() + self.next_day)):
                if self.closes and opens < self.closes[-1]:
                    opens = self.closes[-1]
                if opens < closes:
                    self.totals.append((self.totals[-1] if self.totals else 0) + closes - opens)
                    self.opens.append(opens)
                    self.closes.append(closes)
            self.next_day += 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours of a zone. Without `weekly` and `specials` it is open always (24x7)."""

    calendar_id: str
    zone: str = "UTC"
    weekly: tuple[Hours, ...] = ()
    holidays: frozenset[str] = frozenset()
    """Closed local dates, ISO text."""
    specials: tuple[tuple[str, tuple[Hours, ...]], ...] = ()
    """(ISO local date, its own hours, none = closed): wins over weekly and holidays."""
    regions: tuple[str, ...] = ()
    """Whose public holidays it keeps, such as DE or DE-BY."""
    public_holidays: frozenset[str] = frozenset()
    """The closed dates of the regions as they were known when the directory was edited."""
    _timeline: Any = field(default_factory=_Timeline, init=False, repr=False, compare=False)

    @property
    def always(self) -> bool:
        """True when there are no closed times at all."""
        return not (self.weekly or self.specials or self.holidays or self.public_holidays)

    def due(self, start_ms: int, target_ms: int) -> int:
        """The instant at which `target_ms` (> 0) open milliseconds after `start_ms` are used up.

        Consumption that ends exactly at closing time is due at that closing instant. Raises NoOpenTime.
        """
        return self.dues(start_ms, (target_ms,))[0]

    def dues(self, start_ms: int, targets_ms: tuple[int, ...]) -> tuple[int, ...]:
        """`due` for several targets, in ascending order, in one pass. Raises NoOpenTime."""
        if targets_ms[0] <= 0:
            raise ValueError(f"a target must be positive, got {targets_ms[0]}")
        if self.always:
            return tuple(start_ms + target_ms for target_ms in targets_ms)
        timeline: _Timeline = self._timeline
        timeline.reach_back(start_ms)
        used_ms = timeline.open_until(start_ms, self._compute)
        last_ms = start_ms + _HORIZON_DAYS * _DAY_MS
        found = tuple(
            timeline.instant(used_ms + target_ms, last_ms, self._compute) for target_ms in targets_ms
        )
        if found[-1] > last_ms:
            missing = used_ms + targets_ms[-1] - timeline.open_until(last_ms, self._compute)
            raise NoOpenTime(f"calendar {self.calendar_id}: {missing} ms missing within {_HORIZON_DAYS} days")
        return tuple(found)

    def elapsed(self, start_ms: int, end_ms: int) -> int:
        """Open milliseconds in [start_ms, end_ms); 0 when the end is not after the start."""
        if end_ms <= start_ms:
            return 0
        if self.always:
            return end_ms - start_ms
        timeline: _Timeline = self._timeline
        timeline.reach_back(start_ms)
        begun_ms = timeline.open_until(start_ms, self._compute)
        return timeline.open_until(end_ms, self._compute) - begun_ms

    def problems(self) -> Iterator[str]:
        """What is wrong with it, one sentence each, without its name."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield f"names the unknown zone {self.zone!r}"
        if self.weekly and not any(h.start_minute < h.end_minute for h in self.weekly):
            yield "has no open time: none of its weekly hours ends after it begins"
        for hours in (self.weekly, *(own for _, own in self.specials)):
            for h in hours:
                if not (0 <= h.start_minute < h.end_minute <= 2 * _DAY_MINUTES and 0 <= h.weekday <= 6):
                    yield f"has hours from minute {h.start_minute} to {h.end_minute}; they must end after they begin"
        for text in sorted({*self.holidays, *self.public_holidays, *(day for day, _ in self.specials)}):
            if not _is_date(text):
                yield f"names the day {text!r}; a day is written 2026-12-24"

    def _compute(self, day: date) -> tuple[tuple[int, int], ...]:
        """The open intervals that start on a local date."""
        text = day.isoformat()
        hours: tuple[Hours, ...]
        special = dict(self.specials).get(text)
        if special is not None:
            hours = special
        elif text in self.holidays or text in self.public_holidays:
            hours = ()
        elif self.weekly:
            hours = tuple(h for h in self.weekly if h.weekday == day.weekday())
        else:
            hours = (Hours(day.weekday(), 0, _DAY_MINUTES),)
        zone = ZoneInfo(self.zone)
        spans = (
            (_instant(zone, day, h.start_minute, fold=0), _instant(zone, day, h.end_minute, fold=1))
            for h in hours
        )
        return tuple(sorted(span for span in spans if span[0] < span[1]))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


ALWAYS = Calendar("always")


def calendars_by_id(calendars: tuple[Calendar, ...]) -> Mapping[str, Calendar]:
    """Look-up table that always knows `always` (24x7)."""
    return {ALWAYS.calendar_id: ALWAYS, **{c.calendar_id: c for c in calendars}}


def _to_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _instant(zone: ZoneInfo, day: date, minute: int, fold: int) -> int:
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    local = wall.replace(tzinfo=zone, fold=fold)
    utc = local.astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) == wall:
        return _to_ms(utc)
    return _gap_end(zone, wall)


def _gap_end(zone: ZoneInfo, wall: datetime) -> int:
    """The transition inside which the missing `wall` time falls, by bisection over seconds."""
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset_after = after.astimezone(zone).utcoffset()
    low, high = 0, (after - before) // timedelta(seconds=1)
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset_after:
            high = middle
        else:
            low = middle + 1
    return _to_ms(before + timedelta(seconds=low))
