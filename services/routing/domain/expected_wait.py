"""How long somebody at a place in a queue will still wait, told with an interval.

Model: conversations of the queue are taken up as a Poisson process whose rate is not known, only that `served` were
taken up in the last `window_ms`. With a Jeffreys prior the rate is Gamma(served + 1/2, window), the time until the k-th
from now is Gamma(k, rate), and so time / window is beta prime (k, served + 1/2): its quantiles are those of a Beta.
The interval is wide when little is known, as it should be. The customer is told the median: the mean of such a ratio
is drawn up by rare long waits, and with one served it does not exist at all.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p
from typing import NamedTuple

LOW, HIGH = 0.1, 0.9
_STEPS = 60
_TINY = 1e-300
_ENOUGH = 1e-12


class Expectation(NamedTuple):
    """Milliseconds: the median, and the interval that holds in eight of ten cases."""

    expected_ms: int
    low_ms: int
    high_ms: int


def expectation(position: int, served: int, window_ms: int) -> Expectation | None:
    """For the `position`-th of the queue (1 = next); None while nothing was served in the window."""
    if position < 1 or served < 1 or window_ms < 1:
        return None
    low, middle, high = (_beta_prime(q, position, served + 0.5) for q in (LOW, 0.5, HIGH))
    return Expectation(round(middle * window_ms), round(low * window_ms), round(high * window_ms))


def _beta_prime(share: float, a: float, b: float) -> float:
    """The quantile of the beta prime distribution, by bisection of the incomplete beta function."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return low / (1 - low)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), 0 <= x <= 1: Lentz's evaluation of the continued fraction
    of DLMF 8.17.22, on the side where it converges fast."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    def safe(value: float) -> float:
        return value if abs(value) > _TINY else _TINY

    c, d = 1.0, 1 / safe(1 - (a + b) * x / (a + 1))
    total = d
    m = 1
    while m < 10_000:
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / safe(1 + factor * d)
            c = safe(1 + factor / c)
            total *= d * c
        if abs(d * c - 1) < _ENOUGH:
            break
        m += 1
    return total
