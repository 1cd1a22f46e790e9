"""Shares with their intervals, and durations that can be added."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.domain.durations import RELATIVE_ERROR, Durations
from services.analytics.domain.intervals import share


@pytest.mark.parametrize(
    ("part", "n", "low", "high"),
    [
        (9, 10, 0.5958, 0.9821),
        (5, 5, 0.5655, 1.0),
        (0, 5, 0.0, 0.4345),
        (4, 5, 0.3755, 0.9638),
        (45, 50, 0.7864, 0.9565),
        (80, 100, 0.7112, 0.8666),
    ],
)
def test_wilson_intervals_are_those_of_the_design(part: int, n: int, low: float, high: float) -> None:
    known = share(part, n)
    assert known.low is not None
    assert known.high is not None
    assert (round(known.low, 4), round(known.high, 4)) == (low, high)


def test_nothing_of_nothing_is_no_data() -> None:
    assert (share(0, 0).rate, share(0, 0).low, share(0, 0).high) == (None, None, None)


@pytest.mark.parametrize(("part", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_a_part_outside_its_whole_is_refused(part: int, n: int) -> None:
    with pytest.raises(ValueError, match="0 <= part <= n"):
        share(part, n)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_rate_and_stays_within_0_and_1(case: tuple[int, int]) -> None:
    known = share(*case)
    assert known.rate is not None
    assert known.low is not None
    assert known.high is not None
    assert 0 <= known.low <= known.rate <= known.high <= 1


def test_the_mean_of_means_is_not_the_mean() -> None:
    many_slow = Durations.of([10] * 100)
    most_fast = Durations.of([2] * 900)
    assert (many_slow + most_fast).mean_ms == 2.8


_times = st.lists(st.integers(0, 10_000_000_000), min_size=1, max_size=200)


@given(_times, _times)
def test_parts_add_up_to_the_whole(one: list[int], other: list[int]) -> None:
    assert Durations.of(one) + Durations.of(other) == Durations.of(one + other)


@given(_times, st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_a_percentile_is_within_the_printed_error(values: list[int], at: float) -> None:
    exact = sorted(values)[max(1, math.ceil(at * len(values))) - 1]
    estimate = Durations.of(values).percentile_ms(at)
    assert estimate is not None
    assert abs(estimate - exact) <= RELATIVE_ERROR * (exact + 1) + 1


def test_no_durations_have_neither_mean_nor_percentile() -> None:
    assert (Durations().mean_ms, Durations().percentile_ms(0.5)) == (None, None)
