"""Public holidays of countries and their parts, from the library `holidays`, as plain dates.

They are looked up when a directory is edited and kept in it: the same commands decide the same whatever the library
says later. A region is an ISO 3166 code, `DE`, or one with a part, `DE-BY`.
"""

from functools import cache

import holidays

FIRST_YEAR, LAST_YEAR = 2024, 2040
"""The years whose holidays a directory knows; an edit with a later release takes what that one says."""


class UnknownRegion(ValueError):
    """The library has no such country or part; the text names what was seen and what there is."""


def check_region(region: str) -> str:
    """The region as it was given. Raises UnknownRegion."""
    country, _, part = region.partition("-")
    parts = _supported().get(country)
    if parts is None:
        raise UnknownRegion(
            f"{region!r}: no public holidays are known of {country!r}; write DE, or DE-BY for a part"
        )
    if part and part not in parts:
        known = ", ".join(parts) or "none"
        raise UnknownRegion(
            f"{region!r}: {country} has no part {part!r} with holidays of its own; there are {known}"
        )
    return region


@cache
def public_holidays(region: str) -> frozenset[str]:
    """The closed days of a region as ISO dates, FIRST_YEAR to LAST_YEAR. Raises UnknownRegion."""
    country, _, part = check_region(region).partition("-")
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    found = holidays.country_holidays(country, subdiv=part or None, years=years)
    return frozenset(day.isoformat() for day in found)


@cache
def _supported() -> dict[str, tuple[str, ...]]:
    return {country: tuple(parts) for country, parts in holidays.list_supported_countries().items()}
