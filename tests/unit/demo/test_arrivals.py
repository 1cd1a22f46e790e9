"""The curve of a day, compressed."""

import pytest

from services.demo.arrivals import compressed_day, intensity, seconds_for


def test_the_same_seed_draws_the_same_day_and_another_seed_another():
    assert compressed_day(200, 30, seed=7) == compressed_day(200, 30, seed=7)
    assert compressed_day(200, 30, seed=7).arrivals_s != compressed_day(200, 30, seed=8).arrivals_s


def test_every_customer_comes_within_the_day_in_order():
    day = compressed_day(500, 20, seed=1)
    assert len(day.arrivals_s) == 500
    assert list(day.arrivals_s) == sorted(day.arrivals_s)
    assert day.arrivals_s[0] >= 0
    assert day.arrivals_s[-1] <= 20


def test_the_day_has_a_peak_before_noon_and_a_lower_one_in_the_evening():
    day = compressed_day(40_000, 24, seed=3)
    by_hour = [sum(int(day.hour(at)) == hour for at in day.arrivals_s) for hour in range(24)]
    assert by_hour.index(max(by_hour)) in (9, 10, 11)
    assert max(by_hour[18:22]) > by_hour[16]
    assert max(by_hour[18:22]) < max(by_hour[9:12])
    assert sum(by_hour[0:5]) < 0.1 * sum(by_hour)


def test_arrivals_follow_the_intensity():
    day = compressed_day(60_000, 24, seed=5)
    total = sum(intensity((minute + 0.5) / 60) for minute in range(1440))
    for first in (3, 9, 15, 20):
        expected = (
            sum(intensity((minute + 0.5) / 60) for minute in range(first * 60, first * 60 + 60)) / total
        )
        found = sum(first <= day.hour(at) < first + 1 for at in day.arrivals_s) / 60_000
        assert found == pytest.approx(expected, rel=0.12)


def test_the_compression_is_the_day_by_its_real_seconds():
    assert compressed_day(1, 60, seed=1).compression == 1440
    assert seconds_for(300, 5) == 60


@pytest.mark.parametrize(("conversations", "seconds"), [(-1, 10), (5, 0), (5, -3)])
def test_a_day_that_cannot_be_is_refused(conversations, seconds):
    with pytest.raises(ValueError, match="expected"):
        compressed_day(conversations, seconds, seed=1)
    with pytest.raises(ValueError, match="more than 0"):
        seconds_for(10, 0)
