"""Delays, the cap and quiet hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.survey.domain.policy import Policy, QuietHours
from services.survey.settings import SurveySettings

DAY = 86_400_000


def at(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-06-01T20:59:59", "2026-06-01T20:59:59"),
        ("2026-06-01T21:00", "2026-06-02T08:00"),
        ("2026-06-01T23:30", "2026-06-02T08:00"),
        ("2026-06-02T00:00", "2026-06-02T08:00"),
        ("2026-06-02T07:59:59", "2026-06-02T08:00"),
        ("2026-06-02T08:00", "2026-06-02T08:00"),
        ("2026-03-28T22:00", "2026-03-29T08:00"),
        ("2026-10-24T22:00", "2026-10-25T08:00"),
    ],
)
def test_quiet_hours_over_midnight_end_in_the_morning_by_the_wall_clock(now: str, then: str) -> None:
    quiet = QuietHours(21 * 60, 8 * 60, "Europe/Rome")
    assert quiet.next_ms(at(now, "Europe/Rome")) == at(then, "Europe/Rome")


def test_quiet_hours_inside_a_day() -> None:
    quiet = QuietHours(12 * 60, 14 * 60, "UTC")
    assert quiet.next_ms(at("2026-06-01T13:00", "UTC")) == at("2026-06-01T14:00", "UTC")
    assert quiet.next_ms(at("2026-06-01T14:00", "UTC")) == at("2026-06-01T14:00", "UTC")


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.integers(0, 1439),
    st.integers(1, 1439),
    st.sampled_from(
        ["UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
    ),
)
def test_what_is_put_off_waits_at_most_a_day_and_is_then_not_quiet(
    when: datetime, start: int, length: int, zone: str
) -> None:
    quiet = QuietHours(start, (start + length) % 1440, zone)
    now = round(when.replace(tzinfo=UTC).timestamp() * 1000)
    then = quiet.next_ms(now)
    assert now <= then <= now + DAY + 3_600_000
    assert then - now <= (length * 60_000) + 3_600_000
    if then > now:
        local = datetime.fromtimestamp(then / 1000, UTC).astimezone(ZoneInfo(zone))
        skipped = local.replace(tzinfo=None) - timedelta(minutes=(start + length) % 1440)
        assert (skipped.hour, skipped.minute) in {(0, 0), (1, 0), (0, 30)}, (
            "the end, or a gap in the clocks over it"
        )


def test_the_cap_counts_from_the_last_invitation_and_zero_is_no_cap() -> None:
    policy = Policy({"web": 0}, cap_ms=7 * DAY, window_ms=14 * DAY)
    assert not policy.capped(0, 5)
    assert policy.capped(DAY, DAY)
    assert policy.capped(DAY, 8 * DAY - 1)
    assert not policy.capped(DAY, 8 * DAY)
    assert policy.capped(10 * DAY, 9 * DAY), "another sender's clock is ahead"
    assert not Policy({"web": 0}, cap_ms=0, window_ms=1).capped(DAY, DAY)


def test_delays_by_channel_and_one_for_all() -> None:
    policy = SurveySettings().policy()
    assert [policy.delay_ms(c) // 1000 for c in ("chat", "web", "api", "mail", "fax")] == [
        600,
        600,
        600,
        86_400,
        600,
    ]
    assert set(SurveySettings(delay_seconds=1.5).policy().delays_ms.values()) == {1500}
    assert policy.quiet is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": "21:00"},
        {"quiet_from": "08:00", "quiet_until": "08:00"},
        {"quiet_from": "25:00", "quiet_until": "08:00"},
        {"quiet_zone": "Mars/Base"},
        {"quiet_zone": "../etc"},
        {"cap_days": -1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        SurveySettings(**wrong)  # type: ignore[arg-type]  # wrong on purpose
