"""Business time: UTC open intervals made from local opening hours.

Instants are integer milliseconds since the epoch. An interval belongs to the local date on which it starts.
An ambiguous local start is its earlier instant, an ambiguous end its later one, a missing local time is the
instant the gap ends. Durations are elapsed UTC time, never wall-clock differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MINUTES = 24 * 60
_DAY_MS = _DAY_MINUTES * 60_000
_HORIZON_DAYS = 366
_CACHE_DAYS = 4096


class NoOpenTime(Exception):
    """The calendar has too little open time within 366 days after the start; raised instead of looping."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One opening of a day: minutes after local midnight; `end_minute` may exceed 24 h (a night shift)."""

    weekday: int
    """0 = Monday; ignored in `Calendar.specials`."""
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours of a zone. Without `weekly` and `specials` it is open always (24x7)."""

    calendar_id: str
    zone: str = "UTC"
    weekly: tuple[Hours, ...] = ()
    holidays: frozenset[str] = frozenset()
    """Closed local dates, ISO text."""
    specials: tuple[tuple[str, tuple[Hours, ...]], ...] = ()
    """(ISO local date, its own hours): wins over weekly and holidays."""
    _days: dict[int, tuple[tuple[int, int], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def always(self) -> bool:
        """True when there are no closed times at all."""
        return not self.weekly and not self.specials and not self.holidays

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
        found: list[int] = []
        used = 0
        for opens, closes in self._open_from(start_ms):
            span = closes - opens
            while targets_ms[len(found)] <= used + span:
                found.append(opens + targets_ms[len(found)] - used)
                if len(found) == len(targets_ms):
                    return tuple(found)
            used += span
        missing = targets_ms[len(found)] - used
        raise NoOpenTime(f"calendar {self.calendar_id}: {missing} ms missing within {_HORIZON_DAYS} days")

    def elapsed(self, start_ms: int, end_ms: int) -> int:
        """Open milliseconds in [start_ms, end_ms); 0 when the end is not after the start."""
        if end_ms <= start_ms:
            return 0
        if self.always:
            return end_ms - start_ms
        total = 0
        for opens, closes in self._open_from(start_ms, end_ms):
            if opens >= end_ms:
                break
            total += min(closes, end_ms) - opens
        return total

    def _open_from(self, start_ms: int, end_ms: int | None = None) -> Iterator[tuple[int, int]]:
        """Disjoint open intervals after `start_ms`, in order, for 366 days (or until past `end_ms`).

        Two local days before the UTC date of the start hold every interval that can still be open then.
        """
        cursor = start_ms
        day = start_ms // _DAY_MS - 2
        last = day + _HORIZON_DAYS + 4 if end_ms is None else end_ms // _DAY_MS + 1
        while day <= last:
            for opens, closes in self._days.get(day) or self._intervals(day):
                if closes > cursor:
                    yield (opens if opens > cursor else cursor), closes
                    cursor = closes
            day += 1

    def _intervals(self, day: int) -> tuple[tuple[int, int], ...]:
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _CACHE_DAYS:
                self._days.clear()
            known = self._days[day] = self._compute(date.fromordinal(_EPOCH.toordinal() + day))
        return known

    def _compute(self, day: date) -> tuple[tuple[int, int], ...]:
        text = day.isoformat()
        hours: tuple[Hours, ...]
        special = dict(self.specials).get(text)
        if special is not None:
            hours = special
        elif text in self.holidays:
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
