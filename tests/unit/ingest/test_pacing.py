"""Each account sends at its rate, and rests after its provider did not answer; the others go on."""

import pytest

from services.ingest.domain.budget import AutoReplies, spend
from services.ingest.domain.deliveries import backoff_ms
from services.ingest.domain.pacing import Paces


def test_an_account_sends_a_seconds_worth_at_once_and_then_at_its_rate() -> None:
    paces = Paces[str]()
    assert [paces.wait_ms("sms", 0, 2) for _ in range(3)] == [0, 0, 500]
    assert paces.wait_ms("sms", 500, 2) == 0
    assert paces.wait_ms("other", 500, 0.1) == 0
    assert paces.wait_ms("other", 500, 0.1) == 10_000


def test_five_failures_in_a_row_open_the_circuit_of_that_account_alone_and_an_answer_closes_it() -> None:
    paces, now = Paces[str](), 0
    rests = []
    for number in range(1, 10):
        now += 1_000_000
        assert paces.wait_ms("down", now, 100) == 0
        paces.heard("down", now, answered=False)
        rests.append(paces.wait_ms("down", now, 100))
        assert (rests[-1] > 0) == (number >= 5)
    assert rests[4:] == [15_000, 30_000, 60_000, 120_000, 240_000]
    assert paces.wait_ms("up", now, 100) == 0
    now += 300_000
    assert paces.wait_ms("down", now, 100) == 0
    paces.heard("down", now, answered=True)
    assert paces.wait_ms("down", now, 100) == 0


@pytest.mark.parametrize(
    ("attempts", "least", "most"), [(1, 500, 1000), (2, 1000, 2000), (40, 1_800_000, 3_600_000)]
)
def test_pauses_double_up_to_an_hour_with_jitter(attempts: int, least: int, most: int) -> None:
    assert backoff_ms(attempts, 1000, 0.0) == least
    assert backoff_ms(attempts, 1000, 1.0) == most


def test_a_budget_ends_and_says_why() -> None:
    known, reasons = AutoReplies("mail", "default", "robot@b.example", 20_000, 0), []
    for _ in range(4):
        known, reason = spend(known, 3)
        reasons.append(reason)
    assert (known.count, reasons[:3]) == (3, ["", "", ""])
    assert "RFC 3834" in reasons[3]
