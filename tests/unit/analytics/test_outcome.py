"""What an outcome says of particular facts."""

from services.analytics.domain import learning
from services.analytics.domain.facts import Clock, Facts, Message, Signals
from services.analytics.domain.outcome import Outcome, clock_state, final_at, outcome_of, survey_delivered
from services.analytics.domain.revisions import revision_cause

WINDOW = 1000


def _opened(facts: Facts, episode: int = 1, at_ms: int = 100, first_seq: int = 1) -> Facts:
    return learning.opened(
        facts, episode, at_ms, first_seq, customer_id="k", channel="mail", language="", case_reference=""
    )


def _resolved(facts: Facts, episode: int = 1, at_ms: int = 500, through_seq: int = 1) -> Facts:
    return learning.resolved(facts, episode, at_ms, through_seq, "anna", "solved")


def _outcome(facts: Facts, episode: int = 1, now_ms: int = 0) -> Outcome:
    return outcome_of("c", facts, episode, now_ms, WINDOW)


def _messages(*seqs: int) -> Facts:
    return Facts(messages=tuple(Message(seq, seq * 10, True) for seq in seqs))


def test_a_message_that_crosses_the_resolution_belongs_to_the_next_episode() -> None:
    facts = _resolved(_opened(_messages(1, 2, 3)), through_seq=2)
    facts = _resolved(_opened(facts, 2, 600, 3), 2, 700, through_seq=3)
    assert [_outcome(facts, episode).customer_messages for episode in (1, 2)] == [2, 1]


def test_thanks_that_trail_after_a_resolution_are_counted_nowhere() -> None:
    facts = _resolved(_opened(_messages(1, 2, 3)), through_seq=1)
    facts = _resolved(_opened(facts, 2, 600, 3), 2, 700, through_seq=3)
    assert [_outcome(facts, episode).customer_messages for episode in (1, 2)] == [1, 1]


def test_an_automatic_reply_is_no_first_response() -> None:
    facts = _opened(_messages(1))
    facts = learning.replied(facts, 1, 110, human=False)
    facts = _resolved(learning.replied(facts, 1, 300, human=True))
    outcome = _outcome(facts)
    assert (outcome.first_reply_at_ms, outcome.agent_replies, outcome.first_response_ms) == (300, 1, 290)


def test_without_a_reply_or_an_assignment_there_is_no_time() -> None:
    outcome = _outcome(_resolved(_opened(_messages(1))))
    assert (outcome.wait_ms, outcome.first_response_ms, outcome.resolution_ms) == (None, None, 490)


def test_waiting_for_others_is_told_apart() -> None:
    facts = _opened(_messages(1))
    for status, at_ms in (("pending_customer", 200), ("open", 230), ("on_hold", 300)):
        facts = learning.status_changed(facts, 1, status, at_ms)
    outcome = _outcome(_resolved(facts, at_ms=350))
    assert (outcome.pending_ms, outcome.on_hold_ms) == (30, 50)


def test_the_topic_is_the_first_known_one_and_a_person_overrules_it() -> None:
    facts = _messages(1, 2)
    for signals in (Signals(1, "unknown", 1, 0.5, "und"), Signals(2, "refund", 3, 0.25, "it")):
        facts = learning.triaged(facts, signals)
    facts = _resolved(_opened(facts), through_seq=2)
    outcome = _outcome(facts)
    assert (outcome.topic, outcome.language, outcome.urgency, outcome.anger) == ("refund", "it", "high", 0.5)
    assert _outcome(learning.topic_corrected(facts, "invoice")).topic == "invoice"


def test_a_second_resolution_changes_nothing() -> None:
    facts = _resolved(_opened(_messages(1)))
    assert _resolved(facts, at_ms=900) is facts


def test_a_clock_ends_met_breached_or_cancelled() -> None:
    assert clock_state(Clock("first_response", 1, due_ms=50)) == "running"
    assert clock_state(Clock("first_response", 1, due_ms=50, met_at_ms=40)) == "met"
    assert clock_state(Clock("first_response", 1, due_ms=50, breached_due_ms=50, met_at_ms=60)) == "breached"
    assert clock_state(Clock("first_response", 1, due_ms=50, breached_due_ms=50)) == "breached"
    assert clock_state(Clock("first_response", 1, due_ms=50, cancelled=True)) == "cancelled"


def test_a_breach_noticed_before_a_reply_in_time_was_heard_of_is_none() -> None:
    assert clock_state(Clock("first_response", 1, due_ms=50, breached_due_ms=50, met_at_ms=49)) == "met"


def test_a_clock_that_goes_on_after_a_reopen_is_breached_without_a_second_event() -> None:
    assert clock_state(Clock("resolution", 1, due_ms=50, met_at_ms=60)) == "breached"
    assert clock_state(Clock("resolution", 1, due_ms=50, paused=True, met_at_ms=60)) == "met"


def test_a_later_answer_replaces_an_earlier_one_and_an_expiry_does_not() -> None:
    facts = learning.survey_requested(_resolved(_opened(_messages(1))), 1, "i", 600, 5000)
    facts = learning.survey_answered(facts, 1, 2, 1, 700)
    facts = learning.survey_answered(facts, 1, 5, 2, 800)
    facts = learning.survey_expired(learning.survey_answered(facts, 1, 2, 1, 700), 1)
    outcome = _outcome(facts)
    assert (outcome.survey, outcome.csat_score, outcome.csat_answered_at_ms) == ("answered", 5, 800)
    assert final_at(facts, 1, WINDOW) == 5000


def test_an_outcome_is_final_when_the_survey_is_closed_and_the_window_is_past() -> None:
    facts = _resolved(_opened(_messages(1)))
    assert final_at(facts, 1, WINDOW) is None
    facts = learning.survey_cancelled(facts, 1, "capped")
    assert final_at(facts, 1, WINDOW) == 1500
    assert not _outcome(facts, now_ms=1499).final
    assert _outcome(facts, now_ms=1500).final


def test_a_bounced_invitation_was_not_delivered() -> None:
    facts = learning.survey_requested(_resolved(_opened(_messages(1))), 1, "i", 600, 5000)
    assert survey_delivered(facts, 1)
    assert not survey_delivered(learning.delivery_failed(facts, "i"), 1)


def test_revisions_say_what_made_them() -> None:
    facts = _resolved(_opened(_messages(1)))
    first = _outcome(facts)
    answered = _outcome(learning.survey_answered(facts, 1, 4, 1, 600))
    expired = _outcome(learning.survey_expired(facts, 1))
    cancelled_facts = learning.survey_cancelled(facts, 1, "reopened")
    reopened = _outcome(_opened(facts, 2, 700, 2))
    assert revision_cause(None, first) == "resolved"
    assert revision_cause(first, first) is None
    assert revision_cause(first, answered) == "answered"
    assert revision_cause(first, expired) == "expired"
    assert revision_cause(first, _outcome(cancelled_facts)) == "cancelled"
    assert revision_cause(first, reopened) == "reopened"
    assert revision_cause(first, _outcome(learning.transfer_requested(facts, 1))) == "corrected"
    closed = _outcome(cancelled_facts, now_ms=9999)
    assert revision_cause(_outcome(cancelled_facts), closed) == "final"
    assert revision_cause(closed, answered) is None
