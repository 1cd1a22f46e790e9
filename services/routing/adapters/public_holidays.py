"""Public holidays of countries and their parts, from the library `holidays`, as plain dates.

They are looked up when a directory is edited and kept in it: the same commands decide the same whatever the library
says later. A region is an ISO 3166 code, `DE`, or one with a part, `DE-BY`.
"""

import re
from functools import lru_cache
from typing import Final

import holidays

FIRST_YEAR, LAST_YEAR = 2024, 2040
"""The years whose holidays a directory knows; an edit with a later release takes what that one says."""
_COUNTRY: Final = re.compile("[A-Z]{2}")


class UnknownRegion(ValueError):
    """The library has no such country or part; the text names what was seen and what there is."""


def check_region(region: str) -> str:
    """The region as it was given. Raises UnknownRegion."""
    public_holidays(region)
    return region


@lru_cache(maxsize=512)
def public_holidays(region: str) -> frozenset[str]:
    """The closed days of a region as ISO dates, FIRST_YEAR to LAST_YEAR. Raises UnknownRegion."""
    country, _, part = region.partition("-")
    if not _COUNTRY.fullmatch(country):
        raise UnknownRegion(f"{region!r} is no region; write DE, or DE-BY for a part")
    try:
        parts = holidays.country_holidays(country).subdivisions
    except NotImplementedError:
        raise UnknownRegion(f"{region!r}: no public holidays are known of {country}") from None
    if part and part not in parts:
        known = ", ".join(parts) or "none"
        raise UnknownRegion(
            f"{region!r}: {country} has no part {part!r} with holidays of its own; there are {known}"
        )
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    found = holidays.country_holidays(country, subdiv=part or None, years=years)
    return frozenset(day.isoformat() for day in found)
