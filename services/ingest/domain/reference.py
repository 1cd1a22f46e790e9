"""The case reference: short, easy to say on the phone, and wrong as soon as one character is wrong.

Eight symbols of Crockford's base32 (no I, L, O, U), written `CQ7-X2M4K`. Seven carry a number below 2^35, spread so that
neighbours look different; the last is a check symbol. Symbols are elements of GF(32), and the check makes the sum of
symbol * a^place zero, a being a generator of the field: places have different weights, so every wrong symbol and every
swap of two symbols is seen.
"""

import re
from typing import Final

SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBERS: Final = 2**35
_VALUES: Final = {symbol: value for value, symbol in enumerate(SYMBOLS)} | {"O": 0, "I": 1, "L": 1}
_DATA: Final = 7
_MASK: Final = NUMBERS - 1
# Odd multipliers and a shift by at least half the width are one-to-one on 35 bits.
_MULTIPLIERS: Final = (0x2545F4915, 0x1F123BB5B)
_SHIFT: Final = 18
_POLYNOMIAL: Final = 0b100101
_IN_TEXT: Final = re.compile(r"(?<![0-9A-Za-z-])([0-9A-Za-z]{3})-?([0-9A-Za-z]{5})(?![0-9A-Za-z-])", re.ASCII)


def _times(value: int, other: int) -> int:
    product = 0
    while other:
        if other & 1:
            product ^= value
        value <<= 1
        if value & 0b100000:
            value ^= _POLYNOMIAL
        other >>= 1
    return product


def _weights(count: int) -> tuple[int, ...]:
    weights = [1]
    for _ in range(count - 1):
        weights.append(_times(weights[-1], 2))
    return tuple(weights)


_WEIGHED: Final = tuple(
    tuple(_times(value, weight) for value in range(32)) for weight in _weights(_DATA + 1)[1:]
)
"""What a symbol's value counts in each place of the data."""


def _check(values: list[int]) -> int:
    """The weighted sum of data symbols; the check symbol has weight 1, so it is the sum itself."""
    total = 0
    for value, weighed in zip(values, _WEIGHED, strict=True):
        total ^= weighed[value]
    return total


def _spread(number: int) -> int:
    for multiplier in _MULTIPLIERS:
        number = number * multiplier & _MASK
        number ^= number >> _SHIFT
    return number


def reference_of(number: int) -> str:
    """The reference of a number; different numbers below 2^35 have different ones. Raises ValueError beyond."""
    if not 0 <= number < NUMBERS:
        raise ValueError(f"case numbers are 0 to {NUMBERS - 1}: got {number}")
    spread = _spread(number)
    values = [spread >> 5 * place & 31 for place in reversed(range(_DATA))]
    text = "".join(SYMBOLS[value] for value in (*values, _check(values)))
    return f"{text[:3]}-{text[3:]}"


def read_reference(text: str) -> str | None:
    """What a person said or typed, in its one written form; None when it is no reference or one symbol is wrong.

    Small letters, a missing dash and spaces are fine; O is read as 0, I and L as 1.
    """
    symbols = re.sub(r"[\s-]", "", text).upper()
    if len(symbols) != _DATA + 1 or any(symbol not in _VALUES for symbol in symbols):
        return None
    values = [_VALUES[symbol] for symbol in symbols]
    if _check(values[:-1]) != values[-1]:
        return None
    written = "".join(SYMBOLS[value] for value in values)
    return f"{written[:3]}-{written[3:]}"


def find_references(text: str) -> list[str]:
    """References inside a longer text such as a mail's subject, each once, in order."""
    found = (read_reference(first + second) for first, second in _IN_TEXT.findall(text))
    return list(dict.fromkeys(reference for reference in found if reference is not None))
