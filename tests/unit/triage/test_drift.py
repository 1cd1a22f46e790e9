"""Drift of what comes in: found when planted, silent when there is none."""

import random
from collections import Counter

import pytest

from services.triage.domain.drift import RARE, Limits, chi_squared_tail, distance, judge

TOPICS = {
    f"t{number}": weight for number, weight in enumerate([15, 12, 10, 9, 8, 8, 7, 6, 5, 5, 4, 4, 3, 2, 1, 1])
}
WEEKEND = {**TOPICS, "t0": 5, "t5": 20}
LIMITS = Limits()


def _day(rng: random.Random, texts: int, mix: dict[str, int]) -> Counter[str]:
    return Counter(rng.choices(list(mix), list(mix.values()), k=texts))


def _baseline(rng: random.Random, texts: int) -> list[Counter[str]]:
    """28 days of unequal size whose weekends have a mix of their own."""
    return [
        _day(rng, int(texts * rng.uniform(0.6, 1.4)), WEEKEND if day % 7 in (5, 6) else TOPICS)
        for day in range(28)
    ]


@pytest.mark.parametrize(("texts", "least_found"), [(200, 0.9), (1_000, 1.0)])
def test_planted_drift_is_found_and_quiet_days_weekends_too_raise_no_alarm(
    texts: int, least_found: float
) -> None:
    false = found = 0
    runs = 50
    for seed in range(runs):
        rng = random.Random(seed)
        days = _baseline(rng, texts)
        quiet = _day(rng, texts, WEEKEND if seed % 7 in (5, 6) else TOPICS)
        false += judge(days, quiet, LIMITS).state == "drifting"
        incident = _day(rng, texts, {**TOPICS, "t1": 42, "t9": 0})
        verdict = judge(days, incident, LIMITS)
        found += verdict.state == "drifting"
        assert "t1" in [move.value for move in verdict.distance.moves[:3]]
    assert false <= 1
    assert found >= least_found * runs


def test_many_texts_make_no_small_change_an_alarm() -> None:
    rng = random.Random(1)
    slightly = {**TOPICS, "t0": 17}
    verdict = judge([_day(rng, 20_000, TOPICS) for _ in range(14)], _day(rng, 20_000, slightly), LIMITS)
    assert verdict.distance.p_value < 0.001
    assert verdict.state == "steady"


def test_nothing_is_said_before_a_week_is_known_or_when_little_came() -> None:
    rng = random.Random(2)
    week = [_day(rng, 100, TOPICS) for _ in range(7)]
    other = Counter({"new": 100})
    assert judge(week[:6], other, LIMITS).state == "learning"
    assert judge(week, Counter({"new": 49}), LIMITS).state == "few"
    assert judge([], Counter(), LIMITS).state == "learning"
    assert judge(week, other, LIMITS).state == "drifting"


def test_an_alarm_ends_only_when_the_change_is_well_over() -> None:
    days = [Counter({"a": 50, "b": 50}) for _ in range(10)]
    nearly = Counter({"a": 250, "b": 140})
    assert judge(days, nearly, LIMITS).state == "steady"
    assert judge(days, nearly, LIMITS, drifting=True).state == "drifting"
    assert judge(days, Counter({"a": 200, "b": 190}), LIMITS, drifting=True).state == "steady"


def test_a_new_value_is_named_and_rare_ones_are_judged_together() -> None:
    before = Counter({"en": 900, "it": 95, "de": 2, "fr": 3})
    found = distance(before, Counter({"en": 60, "it": 6, "ro": 30, "de": 1}))
    assert found.moves[0].value == "ro"
    assert (found.moves[0].before, round(found.moves[0].now, 3)) == (0.0, 0.309)
    assert {move.value for move in found.moves} == {"en", "it", "ro", RARE}
    assert distance(before, Counter()).index == 0


@pytest.mark.parametrize(
    ("value", "degrees", "tail"),
    # Quantiles as any table of the chi-squared law has them.
    [(3.841, 1, 0.05), (11.070, 5, 0.05), (30.578, 15, 0.01), (37.697, 15, 0.001), (0.0, 4, 1.0)],
)
def test_the_tail_of_chi_squared_is_that_of_the_tables(value: float, degrees: int, tail: float) -> None:
    assert chi_squared_tail(value, degrees) == pytest.approx(tail, rel=0.07)
