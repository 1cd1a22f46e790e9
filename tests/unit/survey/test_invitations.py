"""The life of an invitation."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.survey.domain.invitations import Invitation, Postponed, State, answer, expire, reopen, send
from services.survey.domain.policy import Policy, QuietHours

POLICY = Policy({"web": 0}, cap_ms=1000, window_ms=5000)
NOW = 10_000
PLANNED = Invitation("i1", "c1", 1, "p1", "web", "en", "csat", State.SCHEDULED, "solved", 1, 2)


def asked(now_ms: int = NOW) -> Invitation:
    outcome = send(PLANNED, POLICY, 0, now_ms)
    assert isinstance(outcome, Invitation)
    return outcome


def test_what_is_due_is_requested_with_a_window() -> None:
    assert asked() == replace(PLANNED, state=State.REQUESTED, requested_at_ms=NOW, expires_at_ms=NOW + 5000)
    assert asked().open_at(NOW + 4999)
    assert not asked().open_at(NOW + 5000)


def test_the_cap_and_the_reason_of_the_resolution_cancel() -> None:
    capped = send(PLANNED, POLICY, NOW - 999, NOW)
    spam = send(replace(PLANNED, resolve_reason="spam"), POLICY, NOW - 999, NOW)
    assert isinstance(capped, Invitation)
    assert isinstance(spam, Invitation)
    assert (capped.state, capped.cancel_reason) == (State.CANCELLED, "capped")
    assert (spam.state, spam.cancel_reason) == (State.CANCELLED, "spam")
    assert not capped.open_at(NOW)


def test_quiet_hours_put_off_and_do_not_use_the_cap_up() -> None:
    policy = replace(POLICY, quiet=QuietHours(0, 60, "UTC"))
    assert send(PLANNED, policy, 0, NOW) == Postponed(3_600_000)


@pytest.mark.parametrize("state", [s for s in State if s is not State.SCHEDULED])
def test_what_is_settled_is_neither_sent_nor_cancelled(state: State) -> None:
    settled = replace(PLANNED, state=state)
    assert send(settled, POLICY, 0, NOW) is None
    assert reopen(settled, NOW) is None


@pytest.mark.parametrize("state", [s for s in State if s is not State.REQUESTED])
def test_only_what_was_asked_and_not_answered_expires(state: State) -> None:
    assert expire(replace(PLANNED, state=state)) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["", "a", "b"])), min_size=1))
def test_revisions_count_changes_without_a_gap(given_answers: list[tuple[int, str]]) -> None:
    invitation, seen = asked(), list[tuple[int, str]]()
    for n, (score, comment) in enumerate(given_answers):
        before = invitation
        answered = answer(before, score, comment, "en", NOW + n)
        assert answered is not None
        invitation = answered
        if seen and seen[-1] == (score, comment):
            assert invitation is before
        else:
            seen.append((score, comment))
        assert invitation.revision == len(seen)
        assert (invitation.score, invitation.comment, invitation.state) == (score, comment, State.ANSWERED)


def test_a_late_answer_leaves_the_state_and_is_the_last() -> None:
    for invitation in (asked(), replace(asked(), state=State.EXPIRED)):
        end = invitation.expires_at_ms
        assert not invitation.open_late_at(end - 1, 100)
        assert invitation.open_late_at(end + 99, 100)
        assert not invitation.open_late_at(end + 100, 100)
        late = answer(invitation, 2, "", "en", end)
        assert late is not None
        assert (late.late, late.state, late.score, late.revision) == (True, invitation.state, 2, 1)
        assert answer(late, 2, "", "en", end + 1) is late
        assert answer(late, 3, "", "en", end + 1) is None


@pytest.mark.parametrize("state", [State.SCHEDULED, State.ANSWERED, State.CANCELLED])
def test_what_was_answered_or_never_asked_takes_no_late_answer(state: State) -> None:
    settled = replace(asked(), state=state)
    assert not settled.open_late_at(settled.expires_at_ms, 100)
