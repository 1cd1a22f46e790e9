"""Lengths of time as people write them: `90s`, `5m`, `1h 30m`, `2d`."""

from __future__ import annotations

import re

_UNITS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*")
_MOST = 1e12
EXPECTED = "expected a length of time such as 90s, 5m or 1h 30m"


def milliseconds(value: object) -> int:
    """Whole milliseconds of a length of time; a bare number is seconds. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not -_MOST < value < _MOST:
            raise ValueError(EXPECTED)
        return round(value * 1_000)
    if isinstance(value, str):
        parts = _PART.findall(value)
        if parts and not _PART.sub("", value).strip():
            return round(min(_MOST * 1_000, sum(float(number) * _UNITS[unit] for number, unit in parts)))
    raise ValueError(EXPECTED)


def length_text(milliseconds_: int) -> str:
    """The text of a length of time that is not negative: `milliseconds` gives the same number back."""
    parts, left = [], milliseconds_
    for unit in ("d", "h", "m", "s", "ms"):
        number, left = divmod(left, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"
