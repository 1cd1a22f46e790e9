"""The calendars of the design's vectors, and instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.routing.domain.calendars import Calendar, Hours

HOUR = 3_600_000
MINUTE = 60_000


def week(
    calendar_id: str,
    zone: str,
    days: range,
    *spans: tuple[int, int],
    holidays: frozenset[str] = frozenset(),
    specials: tuple[tuple[str, tuple[Hours, ...]], ...] = (),
) -> Calendar:
    """The same spans, in minutes after local midnight, on each of the days."""
    hours = tuple(Hours(day, begin, end) for day in days for begin, end in spans)
    return Calendar(calendar_id, zone, hours, holidays, specials)


BERLIN = week(
    "berlin",
    "Europe/Berlin",
    range(5),
    (540, 1020),
    holidays=frozenset({"2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"}),
    specials=(("2026-12-24", (Hours(0, 540, 720),)),),
)
NIGHTLY = week("nightly", "America/New_York", range(7), (22 * 60, 30 * 60))
KOLKATA = week("kolkata", "Asia/Kolkata", range(6), (540, 780), (840, 1080))
GAP = week("gap", "America/New_York", range(7), (150, 240))
FOLD = week("fold", "America/New_York", range(7), (30, 90))


def local(zone: str, text: str) -> int:
    """Milliseconds of a local time."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * 1000


def utc(text: str) -> int:
    """Milliseconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
