"""Numbers and dates as people write them, and check sums."""

import re
from datetime import date
from typing import Final

NUMERIC_DATE: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})(?:\2(\d{2,4}))?\.?")


def valid_iban(value: str) -> bool:
    """Whether letters and digits without spaces have the check sum of ISO 13616 (mod 97)."""
    if not value.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1


def valid_card(digits: str) -> bool:
    """Whether digits 0-9 have the check digit of ISO/IEC 7812 (Luhn); one digit repeated has not."""
    total = 0
    for index, c in enumerate(reversed(digits)):
        value = int(c) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


def plain_number(written: str) -> str:
    """`1.234,50`, `1,234.50`, `1 234,5` and `1'234.5` as `1234.50`, ...; a last group of three is thousands."""
    bare = re.sub(r"[ '’]", "", written)
    last = max(bare.rfind("."), bare.rfind(","))
    if last >= 0 and len(bare) - last - 1 != 3:
        return re.sub(r"[.,]", "", bare[:last]) + "." + bare[last + 1 :]
    if last >= 0 and bare[last] != bare[:last].strip("0123456789")[:1] and re.search(r"[.,]", bare[:last]):
        return re.sub(r"[.,]", "", bare[:last]) + "." + bare[last + 1 :]
    return re.sub(r"[.,]", "", bare)


def numeric_date(match: re.Match[str]) -> str | None:
    """The day that a match of NUMERIC_DATE names, as `day_of` gives it, or None."""
    first, sign, second, third = match.groups()
    if len(first) == 4:
        return day_of(int(first), int(second), int(third)) if third and len(third) <= 2 else None
    if third is None:
        if sign == "-" or (sign == "." and not match.group().endswith(".")):
            return None
        return day_of(2000, int(second), int(first), yearless=True)
    year = int(third) + (2000 if len(third) == 2 else 0)
    # Day first, as seven of the eight languages write it; 12/25/2026 can only be the other way.
    return day_of(year, int(second), int(first)) or day_of(year, int(first), int(second))


def day_of(year: int, month: int, day: int, *, yearless: bool = False) -> str | None:
    """`2026-03-05`, or `03-05` without a year; None when there is no such day between 1900 and 2100."""
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    if not 1900 <= year <= 2100:
        return None
    return found.strftime("%m-%d") if yearless else found.isoformat()
