"""Between a file's words and the API's numbers: lengths of time, hours of the day, weekdays, dates, named promises.

| in the file | for the API |
|---|---|
| `offer_timeout: 45s` | `offer_timeout_ms: 45000` |
| `boosts: {high: 30m}` | `boosts: {high: 1800000}` |
| `{weekday: mon, start: "09:00", end: "17:30"}` | `{weekday: 0, start_minute: 540, end_minute: 1050}` |
| `started_at: 2026-01-05` | `started_at_ms: 1767571200000` |
| `sla: standard` of a queue | the promise of that id in `sla_policies` |

Both forms may be written; `plain` leaves the right column as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from services.routing.adapters.lengths import length_text, milliseconds
from services.routing.adapters.located_yaml import Located, Place
from services.routing.config.shapes import lengths_of_time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LENGTHS = lengths_of_time()
_BOOSTS = ("boosts", "tier_boosts")
_FREE = ("skills", "preferred_skills", "tiers", *_BOOSTS)
"""Mappings whose names are anybody's choice: a skill may be called `after`."""
_MINUTES = ("start", "end")


def plain(located: Located) -> tuple[Located, list[str]]:
    """The file in the API's words, and every word that cannot be read."""
    easing = _Easing(located)
    data = easing.value(located.data, ())
    if isinstance(data, dict):
        easing.promises(data)
    return Located(located.path, data, easing.lines), easing.faults


class _Easing:
    def __init__(self, located: Located) -> None:
        self.located = located
        self.lines = dict(located.lines)
        self.faults: list[str] = []

    def value(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return self._mapping(value, place)
        if isinstance(value, list):
            return [self.value(one, (*place, number)) for number, one in enumerate(value)]
        return value.isoformat() if isinstance(value, date) else value

    def _mapping(self, value: dict[Any, Any], place: Place) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, one in value.items():
            name = key.isoformat() if isinstance(key, date) else str(key)
            try:
                easy, what = self._field(name, one, place)
            except ValueError as error:
                self.faults.append(self.located.fault((*place, name), f"{error}, got {one!r}"))
                continue
            if easy in plain:
                self.faults.append(self.located.fault((*place, name), f"{easy!r} is said already"))
                continue
            plain[easy] = what
            self.lines[(*place, easy)] = self.located.line((*place, name))
        return plain

    def _field(self, name: str, value: Any, place: Place) -> tuple[str, Any]:
        section = place[0] if place else ""
        chosen = bool(place) and place[-1] in _FREE and len(place) > 1
        if name in _LENGTHS and place and not chosen:
            return f"{name}_ms", milliseconds(value)
        if place and place[-1] in _BOOSTS and isinstance(value, str):
            return name, milliseconds(value)
        if section == "calendars" and name in _MINUTES:
            return f"{name}_minute", _minute(value)
        if section == "calendars" and name == "weekday" and isinstance(value, str):
            return name, _weekday(value)
        if section == "agents" and name == "started_at":
            return "started_at_ms", _instant(value)
        return name, self.value(value, (*place, name))

    def promises(self, data: dict[str, Any]) -> None:
        """Write out the promises that queues name."""
        known: dict[Any, Any] = {}
        policies, queues = data.get("sla_policies", []), data.get("queues", [])
        for one in policies if isinstance(policies, list) else ():
            if isinstance(one, dict):
                known[str(one.get("id"))] = {k: v for k, v in one.items() if k != "id"}
        for number, queue in enumerate(queues if isinstance(queues, list) else ()):
            named = queue.get("sla") if isinstance(queue, dict) else None
            if not isinstance(named, str):
                continue
            if named in known:
                queue["sla"] = known[named]
                continue
            why = f"no promise of sla_policies is called {named!r}; there are {', '.join(known) or 'none'}"
            self.faults.append(self.located.fault(("queues", number, "sla"), why))
            queue["sla"] = {}


def eased(value: Any, place: Place = ()) -> Any:
    """The API's words as a person writes them: what `plain` reads back as the same."""
    if isinstance(value, list):
        return [eased(one, (*place, number)) for number, one in enumerate(value)]
    if isinstance(value, dict):
        return dict(_eased_fields(value, place))
    return value


def _eased_fields(value: dict[str, Any], place: Place) -> Iterator[tuple[str, Any]]:
    in_calendar = bool(place) and place[0] == "calendars"
    for name, one in value.items():
        short = name.removesuffix("_ms")
        if place and place[-1] in _FREE and len(place) > 1:
            yield name, length_text(one) if place[-1] in _BOOSTS else one
        elif name == "started_at_ms":
            yield short, datetime.fromtimestamp(one / 1000, UTC).isoformat(timespec="milliseconds")
        elif short != name and short in _LENGTHS and one >= 0:
            yield short, length_text(one)
        elif in_calendar and name in ("start_minute", "end_minute"):
            yield name.removesuffix("_minute"), f"{one // 60:02d}:{one % 60:02d}"
        elif in_calendar and name == "weekday":
            yield name, DAYS[one]
        else:
            yield name, eased(one, (*place, name))


def _minute(value: Any) -> int:
    """Minutes after midnight of `HH:MM`; YAML itself reads 9:30 as a number of minutes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    hours, _, minutes = str(value).partition(":")
    if isinstance(value, str) and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60:
        return int(hours) * 60 + int(minutes)
    raise ValueError('expected a time of day such as "09:30"')


def _weekday(value: str) -> int:
    if value.lower()[:3] not in DAYS:
        raise ValueError(f"expected a weekday: {', '.join(DAYS)}")
    return DAYS.index(value.lower()[:3])


def _instant(value: Any) -> int:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        raise ValueError("expected a date such as 2026-01-05")
    return round(moment.timestamp() * 1000)
