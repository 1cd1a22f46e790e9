"""How long somebody will still wait: against known values, and against queues that are played."""

from __future__ import annotations

import random
from math import comb

import pytest

from services.routing.domain.expected_wait import expectation, incomplete_beta

HOUR = 3_600_000


@pytest.mark.parametrize(("x", "a", "b"), [(0.3, 2, 5), (0.7, 4, 3), (0.05, 1, 9), (0.5, 30, 20)])
def test_the_incomplete_beta_function_is_the_tail_of_the_binomial(x: float, a: int, b: int) -> None:
    n = a + b - 1
    tail = sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert incomplete_beta(x, a, b) == pytest.approx(tail, rel=1e-9)


def test_eight_of_ten_wait_as_long_as_the_interval_says() -> None:
    """Poisson service whose rate is itself drawn (log-uniformly): the interval does not know it either."""
    draw = random.Random(7)
    inside = asked = 0
    while asked < 600:
        rate = 10 ** draw.uniform(0.5, 2.5)
        served, at = -1, 0.0
        while at < 1:
            at += draw.expovariate(rate)
            served += 1
        position = draw.randint(1, 12)
        told = expectation(position, served, HOUR)
        if told is None:
            continue
        asked += 1
        waited = sum(draw.expovariate(rate) for _ in range(position)) * HOUR
        inside += told.low_ms <= waited <= told.high_ms
    assert 0.76 <= inside / asked <= 0.85


def test_a_worse_place_waits_longer_and_more_knowledge_makes_the_interval_narrower() -> None:
    places = [expectation(place, 20, HOUR) for place in (1, 2, 5, 50)]
    assert all(p is not None for p in places)
    assert [p.expected_ms for p in places if p] == sorted(p.expected_ms for p in places if p)
    little, much = expectation(10, 4, HOUR), expectation(100, 400, 10 * HOUR)
    assert little is not None
    assert much is not None
    assert little.low_ms < little.expected_ms < little.high_ms
    assert little.high_ms / little.low_ms > much.high_ms / much.low_ms


def test_nothing_is_promised_while_nobody_is_served() -> None:
    assert expectation(3, 0, HOUR) is None
    assert expectation(0, 9, HOUR) is None
