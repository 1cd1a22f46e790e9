"""What texts name: values in, values out, in eight languages, and in time that grows with the text alone."""

import itertools
import re
import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.domain import entities
from services.triage.domain.entities import MOST, READ_CHARS, find_entities, masked
from services.triage.domain.products import Product, catalogue_of
from services.triage.domain.text import read
from services.triage.domain.written_numbers import plain_number


def _found(text: str) -> dict[str, str]:
    return {entity.kind: entity.value for entity in find_entities(text)}


@pytest.mark.parametrize(
    ("text", "order", "amount", "date"),
    [
        ("Order 88123 of March 5, 2026: £1,234.50 was taken", "88123", "1234.50 GBP", "2026-03-05"),
        ("L'ordine n. 88123 del 5 marzo 2026, 1.234,50 euro", "88123", "1234.50 EUR", "2026-03-05"),
        ("comanda nr 88123 din 5 martie 2026, 1.234,50 lei", "88123", "1234.50 RON", "2026-03-05"),
        ("طلبي رقم ٨٨١٢٣ يوم ٥ مارس ٢٠٢٦ بمبلغ ١٢٣٤٫٥٠ ريال", "88123", "1234.50 SAR", "2026-03-05"),
        ("Ma commande n° 88123 du 5 mars 2026, 1 234,50 €", "88123", "1234.50 EUR", "2026-03-05"),
        ("O pedido 88123 de 5 de março de 2026, R$ 1.234,50", "88123", "1234.50 BRL", "2026-03-05"),
        ("El pedido #88123 del 5 de marzo de 2026, 1.234,50 €", "88123", "1234.50 EUR", "2026-03-05"),
        ("Bestellung Nr. 88123 vom 5. März 2026, 1.234,50 EUR", "88123", "1234.50 EUR", "2026-03-05"),
    ],
    ids=["en", "it", "ro", "ar", "fr", "pt", "es", "de"],
)
def test_orders_amounts_and_dates_are_read_as_each_language_writes_them(
    text: str, order: str, amount: str, date: str
) -> None:
    found = _found(text)
    assert (found["order_number"], found["amount"], found["date"]) == (order, amount, date)


@pytest.mark.parametrize(
    ("text", "kind", "value", "shown"),
    [
        ("write to a.b+c@mail.example.co.uk!", "email", "a.b+c@mail.example.co.uk", "a…@mail.example.co.uk"),
        ("ring me on +49 170 1234567", "phone", "+491701234567", "…4567"),
        ("rappelez au 01 99 00 45 18", "phone", "0199004518", "…4518"),
        ("جوالي ٠٥٠١٢٣٤٥٦٧", "phone", "0501234567", "…4567"),
        ("IBAN DE89 3704 0044 0532 0130 00 bitte", "iban", "DE89370400440532013000", "…3000"),
        ("my card is 4111-1111-1111-1111 ok", "card", "4111111111111111", "…1111"),
        ("ref AB-12345 please", "order_number", "AB-12345", "AB-12345"),
        ("12/25/2026 or 2026-12-25", "date", "2026-12-25", "2026-12-25"),
    ],
)
def test_personal_data_is_found_and_only_its_end_is_shown(
    text: str, kind: str, value: str, shown: str
) -> None:
    entity = next(e for e in find_entities(text) if e.kind == kind)
    assert (entity.value, masked(entity)) == (value, shown)
    assert entity.personal == (kind in ("email", "phone", "iban", "card"))


@pytest.mark.parametrize(
    "text",
    [
        "my card is 4111-1111-1111-1112",
        "IBAN DE88 3704 0044 0532 0130 00",
        "we met at 12:45",
        "version 3.2.1 of 99 things",
        "31/02/2026",
        "a@b",
        "@someone and me@",
        "",
    ],
)
def test_what_only_looks_like_it_is_not_taken_for_personal_data_or_a_date(text: str) -> None:
    assert not {"card", "iban", "email", "phone", "date"} & set(_found(text))


def test_products_of_the_operator_are_found_in_any_spelling() -> None:
    catalogue = catalogue_of([Product("kettle-2", ("Kettle Two", "Bouilloire Été"))])
    found = find_entities("the KETTLE  two leaks, la bouilloire ete aussi", catalogue)
    assert [(e.value, e.start) for e in found] == [("kettle-2", 4), ("kettle-2", 26)]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1 234,5", "1234.5"),
        ("1'234.50", "1234.50"),
        ("1.234", "1234"),
        ("12,50", "12.50"),
        ("1.234.567", "1234567"),
    ],
)
def test_numbers_have_one_spelling(written: str, plain: str) -> None:
    assert plain_number(written) == plain


_PIECES = st.sampled_from(
    ["1", "12 ", "+", "(", "-", "/", "a", "a.", "@", "@a.", "€", "DE89", " ", ".", ",", ":", "#", "X9", "mar ",
     "ORD-", "٣", "\n", "order ", "order 5 march 2026 "]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_places_are_in_the_text_in_order_and_do_not_overlap(text: str) -> None:
    found = find_entities(text)
    assert all(0 <= e.start < e.end <= len(text) for e in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    assert all(0 < e.confidence < 1 for e in found)
    assert all(masked(e) != e.value or len(e.value) <= 5 for e in found if e.personal)


def _steps(text: str) -> int:
    """Lines of Python run, and characters that expressions were given: what grows when something is read again."""
    steps = 0

    def count(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)
    try:
        find_entities(text)
    finally:
        sys.settrace(None)
    return steps


@settings(max_examples=8, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=4).map("".join))
def test_twice_the_hostile_text_takes_at_most_twice_the_steps(unit: str) -> None:
    small = (unit * 500)[:500]
    assert _steps(small * 2) <= 2.3 * _steps(small) + 1_000


@pytest.mark.parametrize("unit", ["a@", "1.", "a-", "9", "€1", "5 mar "])
def test_100_kb_of_one_thing_are_read_and_at_most_so_many_entities_given(unit: str) -> None:
    text = (unit * READ_CHARS)[:READ_CHARS]
    assert len(find_entities(text)) <= MOST
    read(text)


def test_every_repetition_in_the_expressions_is_bounded() -> None:
    """What keeps them linear: no * or + over what could also end the match, anywhere."""
    patterns = [value for value in vars(entities).values() if isinstance(value, re.Pattern)]
    assert len(patterns) > 8
    assert not [p.pattern for p in patterns if re.search(r"(?<!\\)(?<!\[)[*+](?![^\[]*\])", p.pattern)]
