"""A case reference is short, said in one way, and wrong as soon as one symbol is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.reference import NUMBERS, SYMBOLS, find_references, read_reference, reference_of

numbers = st.integers(0, NUMBERS - 1)


@given(numbers)
def test_a_reference_is_read_back_as_it_was_written(number: int) -> None:
    reference = reference_of(number)
    assert len(reference) == 9
    assert reference[3] == "-"
    assert read_reference(reference) == reference


@given(numbers, numbers)
def test_different_cases_have_different_references(one: int, other: int) -> None:
    assert (reference_of(one) == reference_of(other)) == (one == other)


def test_neighbours_do_not_look_alike() -> None:
    references = [reference_of(number) for number in range(1000)]
    assert len(set(references)) == 1000
    assert len({reference[:3] for reference in references}) > 900


@given(numbers, st.integers(0, 7), st.integers(1, 31))
def test_every_wrong_symbol_is_seen(number: int, place: int, change: int) -> None:
    symbols = list(reference_of(number).replace("-", ""))
    symbols[place] = SYMBOLS[(SYMBOLS.index(symbols[place]) + change) % 32]
    assert read_reference("".join(symbols)) is None


@given(numbers, st.integers(0, 7), st.integers(0, 7))
def test_every_swap_of_two_symbols_is_seen(number: int, one: int, other: int) -> None:
    symbols = list(reference_of(number).replace("-", ""))
    symbols[one], symbols[other] = symbols[other], symbols[one]
    swapped = "".join(symbols)
    same = swapped == reference_of(number).replace("-", "")
    assert (read_reference(swapped) is None) == (not same)


@given(numbers)
def test_it_may_be_said_and_typed_carelessly(number: int) -> None:
    reference = reference_of(number)
    spoken = reference.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert read_reference(f" {spoken} ") == reference


@given(st.text(max_size=30))
def test_anything_else_is_no_reference_or_a_valid_one(text: str) -> None:
    found = read_reference(text)
    assert found is None or read_reference(found) == found


@given(numbers, st.sampled_from(["Re: {}", "[{}] parcel", "about {}, please", "{}"]))
def test_it_is_found_in_a_subject(number: int, frame: str) -> None:
    reference = reference_of(number)
    assert find_references(frame.format(reference)) == [reference]
    assert find_references(frame.format(reference.lower().replace("-", ""))) == [reference]


def test_it_is_not_found_inside_longer_words() -> None:
    reference = reference_of(77)
    assert find_references(f"x{reference} {reference}x -{reference} order-{reference}-7") == []


@pytest.mark.parametrize("number", [-1, NUMBERS])
def test_numbers_beyond_the_range_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="case numbers"):
        reference_of(number)
