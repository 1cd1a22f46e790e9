"""What a text names: numbers of orders, addresses, amounts, dates, products; and which of it is personal.

By written rules, in time linear in the text: candidates are found by expressions whose every repetition is bounded, and
each is judged by its own characters and at most `_BEFORE` and `_AFTER` characters around it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from services.triage.domain.entity_words import CURRENCIES, CURRENCY_SIGNS, MONTHS, ORDER_WORDS, PHONE_WORDS
from services.triage.domain.products import Catalogue
from services.triage.domain.text import WORD, fold
from services.triage.domain.written_numbers import (
    NUMERIC_DATE,
    day_of,
    numeric_date,
    plain_number,
    valid_card,
    valid_iban,
)

Kind = Literal["order_number", "email", "phone", "iban", "card", "amount", "date", "product"]
KINDS: Final[tuple[Kind, ...]] = (
    "order_number", "email", "phone", "iban", "card", "amount", "date", "product",
)  # fmt: skip
PERSONAL: Final = frozenset(("email", "phone", "iban", "card"))
RULES_VERSION: Final = "entities-1"
READ_CHARS: Final = 100_000
MOST: Final = 100
"""Entities given of one text, the first ones."""

_JUDGED: Final = 2_000
"""Candidates of a kind that are looked at in one text: more are an attack or a table, not a message."""
_BEFORE: Final = 40
_AFTER: Final = 24
_DIGITS: Final = {
    **{ord(digit): str(i % 10) for i, digit in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")},
    **{ord(written): plain for written, plain in zip("٫٬\u00a0\u202f＋", ".,  +", strict=True)},
}
_DIGIT: Final = re.compile(r"\d")
_LOCAL: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}\Z")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}")
_RUN: Final = re.compile(r"\+?\(?\d(?:(?:[ .,/:'-]|\) ?| ?\(| [-/] )?\d){0,39}")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_CODE: Final = re.compile(r"(?<![\w@./-])#?[A-Za-z]{1,6}[-/]?\d{3,12}(?:-\d{1,8})?(?![\w@/-])")
_MODEL: Final = re.compile(r"(?<![\w@./-])[A-Za-z]{1,12}-?\d{1,4}[A-Za-z]{0,3}(?![\w@-])")
_DAY_MONTH: Final = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th|er|º|°)?\s{1,2}(?:de |di |of |din )?([^\W\d_]{3,12})\.?"
    r"(?:,?\s{1,2}(?:de |del )?(\d{4}))?(?!\w)"
)
_MONTH_DAY: Final = re.compile(
    r"(?<![^\W_])([^\W\d_]{3,12})\.? (\d{1,2})(?:st|nd|rd|th)?(?!\w)(?:,? (\d{4})(?!\w))?"
)
_MONEY_NUMBER: Final = re.compile(r"\d{1,3}(?:[ .,'’]\d{3}){1,4}(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that a text names, and where."""

    kind: Kind
    value: str
    """In one spelling: digits 0-9, `1234.50 EUR`, `2026-03-05` or `03-05` without a year, a product's key."""
    start: int
    end: int
    """Half-open, in characters of the text that was given."""
    confidence: float
    """By the rule: .99 with a valid check sum, .9 by a word beside it, less by its form alone. Not fitted."""
    rule: str
    """Which rule found it, such as `luhn`, `word:bestellung`, `form`."""

    @property
    def personal(self) -> bool:
        """Whether it says who somebody is or how to pay as them."""
        return self.kind in PERSONAL


def find_entities(text: str, catalogue: Catalogue | None = None) -> tuple[Entity, ...]:
    """All entities of any string, in order, without overlaps; at most MOST, of its first READ_CHARS characters."""
    read = text[:READ_CHARS]
    plain = read if read.isascii() else read.translate(_DIGITS)
    taken = bytearray(len(plain))
    found: list[Entity] = []
    numbered = _DIGIT.search(plain) is not None
    for finder in (_emails, _ibans, _named_dates, _runs, _codes) if numbered else (_emails,):
        for entity in finder(plain):
            if not any(taken[entity.start : entity.end]):
                taken[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
                found.append(entity)
    for entity in (*_products(plain, catalogue), *(_models(plain) if numbered else ())):
        if not any(taken[entity.start : entity.end]):
            taken[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
            found.append(entity)
    return tuple(sorted(found, key=lambda e: e.start)[:MOST])


def masked(entity: Entity) -> str:
    """What may be shown of an entity outside: personal ones keep their last characters or their domain alone."""
    if entity.kind == "email":
        local, _, host = entity.value.partition("@")
        return f"{local[:1]}…@{host}"
    return f"…{entity.value[-4:]}" if entity.personal else entity.value


def _emails(text: str) -> Iterator[Entity]:
    at = text.find("@")
    while at >= 0:
        local = _LOCAL.search(text, max(0, at - 64), at)
        host = _HOST.match(text, at + 1, min(len(text), at + 255))
        if local and host:
            start = local.start() + len(local.group()) - len(local.group().lstrip(".'-"))
            if start < at and text[at - 1] != ".":
                value = text[start : host.end()].lower()
                yield Entity("email", value, start, host.end(), 0.98, "form")
        at = text.find("@", at + 1)


def _ibans(text: str) -> Iterator[Entity]:
    for match in islice(_IBAN.finditer(text), _JUDGED):
        raw = match.group()
        for end in _ends(raw):
            value = raw[:end].replace(" ", "").upper()
            if 15 <= len(value) <= 34 and valid_iban(value):
                yield Entity("iban", value, match.start(), match.start() + end, 0.99, "mod97")
                break


def _ends(raw: str) -> Iterator[int]:
    """Where an IBAN may end: words that follow it look like more of it."""
    yield len(raw)
    for index in range(len(raw) - 1, 14, -1):
        if raw[index] == " ":
            yield index


def _runs(text: str) -> Iterator[Entity]:
    for match in islice(_RUN.finditer(text), _JUDGED):
        start, end = match.span()
        if start and (text[start - 1].isalnum() or text[start - 1] in "@_") and text[start] != "+":
            continue
        if start > 1 and text[start - 1] in "-/" and text[start - 2].isalnum():
            continue
        if end < len(text) and (text[end].isalpha() or text[end] in "@_") and not _unit(text, end):
            continue
        while start < end:
            found = _judge(text, start, end)
            if found is None:
                break
            yield found
            rest = _DIGIT.search(text, found.end, end)
            start = rest.start() if rest else end


def _judge(text: str, start: int, end: int) -> Entity | None:
    raw = text[start:end]
    digits = "".join(c for c in raw if c.isdigit())
    before = fold(text[max(0, start - _BEFORE) : start])
    after = fold(text[end : end + _AFTER])
    plus = raw.startswith(("+", "(+")) or digits.startswith("00")
    if 13 <= len(digits) <= 19 and not plus and valid_card(digits) and digits[0] in "23456":
        return Entity("card", digits, start, end, 0.99, "luhn")
    money = _amount(text, start, end, before, after)
    if money is not None:
        return money
    numeric = NUMERIC_DATE.fullmatch(raw)
    if numeric is not None:
        when = numeric_date(numeric)
        if when is not None:
            return Entity("date", when, start, end, 0.9 if len(when) > 5 else 0.6, "form")
    word = _word_before(before, PHONE_WORDS)
    if 6 <= len(digits) <= 15 and ((plus and len(digits) >= 8) or word):
        value = ("+" if plus else "") + (digits[2:] if digits.startswith("00") else digits)
        return Entity("phone", value, start, end, 0.95 if plus else 0.9, f"word:{word}" if word else "form")
    word = _word_before(before, ORDER_WORDS)
    hashed = start > 0 and text[start - 1] == "#"
    if (word or hashed) and ":" not in raw:
        first = raw.split(" ")[0] if len(raw.split(" ")[0]) >= 3 else raw
        shown = re.sub(r"[^0-9-]", "", first)
        if 3 <= len(shown) <= 18:
            rule = f"word:{word}" if word else "form"
            return Entity("order_number", shown, start, start + len(first), 0.9, rule)
    grouped = sum(raw.count(c) for c in " -/.()") >= 2
    if 9 <= len(digits) <= 12 and (digits[0] == "0" or grouped) and "," not in raw and ":" not in raw:
        return Entity("phone", digits, start, end, 0.6, "form")
    return None


def _word_before(before: str, words: frozenset[str]) -> str:
    """The nearest of the words in the same sentence, with at most two words and a mark between."""
    piece = re.split(r"[\n!?;]|(?<=\w\w\w\w)\. ", before)[-1]
    near = [match.group() for match in WORD.finditer(piece)][-3:]
    for word in reversed(near):
        if word in words:
            return word
        bare = next(
            (word[len(p) :] for p in ("وال", "بال", "ال", "لل", "و", "ب", "ل") if word.startswith(p)), ""
        )
        if bare in words:
            return bare
    return ""


def _amount(text: str, start: int, end: int, before: str, after: str) -> Entity | None:
    number = _MONEY_NUMBER.match(text, start + (text[start] in "+("), end)
    if number is None:
        return None
    head, tail = (
        text[max(0, start - 4) : start].rstrip(" \u00a0"),
        text[number.end() : number.end() + 4].lstrip(" \u00a0"),
    )
    rest = fold(text[number.end() : number.end() + _AFTER]) if number.end() < end else after
    for place, sign in ((head[-1:], head[-2:]), (tail[:1], tail[:2])):
        currency = CURRENCY_SIGNS.get(sign) or CURRENCY_SIGNS.get(place)
        if currency:
            return _money(number, currency, 0.97, "sign")
    following = WORD.match(rest.lstrip())
    if following and following.group() in CURRENCIES:
        return _money(number, CURRENCIES[following.group()], 0.95, f"word:{following.group()}")
    words = [match.group() for match in WORD.finditer(before[-12:])]
    if words and before.rstrip().endswith(words[-1]) and words[-1] in CURRENCIES:
        return _money(number, CURRENCIES[words[-1]], 0.9, f"word:{words[-1]}")
    return None


def _money(number: re.Match[str], currency: str, confidence: float, rule: str) -> Entity:
    return Entity("amount", f"{plain_number(number.group())} {currency}", *number.span(), confidence, rule)


def _unit(text: str, end: int) -> bool:
    word = WORD.match(fold(text[end : end + _AFTER]))
    return word is not None and word.group() in CURRENCIES


def _named_dates(text: str) -> Iterator[Entity]:
    for pattern, day_at, month_at in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        for match in islice(pattern.finditer(text), _JUDGED):
            month = MONTHS.get(fold(match.group(month_at)))
            if month is None or not (match.group(day_at).isdigit() and match.group(day_at).isascii()):
                continue
            before = text[match.start() - 1] if match.start() else " "
            year = match.group(3)
            when = day_of(int(year) if year else 2000, month, int(match.group(day_at)), yearless=not year)
            if when is not None and not before.isalnum():
                yield Entity("date", when, *match.span(), 0.95, "month")


def _codes(text: str) -> Iterator[Entity]:
    for match in islice(_CODE.finditer(text), _JUDGED):
        word = _word_before(fold(text[max(0, match.start() - _BEFORE) : match.start()]), ORDER_WORDS)
        raw = match.group().lstrip("#").upper()
        if word or match.group().startswith("#"):
            yield Entity("order_number", raw, *match.span(), 0.9, f"word:{word}" if word else "form")
        elif sum(c.isdigit() for c in raw) >= 5:
            yield Entity("order_number", raw, *match.span(), 0.6, "form")


def _products(text: str, catalogue: Catalogue | None) -> Iterator[Entity]:
    if catalogue is None or not catalogue.by_first:
        return
    words = [(fold(match.group()), *match.span()) for match in WORD.finditer(text)]
    for index, (word, start, _) in enumerate(words):
        for name, key in catalogue.by_first.get(word, ()):
            if tuple(w for w, _, _ in words[index : index + len(name)]) == name:
                yield Entity("product", key, start, words[index + len(name) - 1][2], 0.95, "catalogue")
                break


def _models(text: str) -> Iterator[Entity]:
    for match in islice(_MODEL.finditer(text), _JUDGED):
        raw = match.group()
        if any(c.isupper() for c in raw) and not raw.isdigit():
            yield Entity("product", raw.upper(), *match.span(), 0.5, "form")
