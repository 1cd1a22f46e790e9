"""What people do, and what customers' messages do to it."""

from collections.abc import Callable

import pytest

from services.agent.domain import acts
from services.agent.domain.arrivals import receive, settle, wake
from services.agent.domain.conversation import Conversation, EpisodeBegan, EpisodeEnded, Status, StatusMoved
from services.agent.domain.episodes import Kind
from services.agent.domain.errors import (
    AlreadyResolved,
    BadTime,
    NoOpenEpisode,
    NotSeen,
    NotTrailing,
    ThroughTooEarly,
)
from tests.unit.agent.values import NOW_MS, after, arrive, decision, message

R, T = Kind.REQUEST, Kind.THANKS


def waiting(status: Status = Status.PENDING_CUSTOMER) -> Conversation:
    until = NOW_MS + 60_000 if status is Status.SNOOZED else 0
    return acts.change_status(after(R), status, until, "anna", NOW_MS)[0]


def resolved(*kinds: Kind, through: int = 1) -> Conversation:
    return acts.resolve(after(*kinds), through, "solved", "anna", NOW_MS, [])[0]


def test_a_reply_raises_the_human_version_and_may_leave_it_with_the_customer() -> None:
    conversation, facts = acts.reply(after(R), 1, Status.PENDING_CUSTOMER, "anna", NOW_MS)
    assert conversation.human_version == 1
    assert conversation.status is Status.PENDING_CUSTOMER
    assert facts == [StatusMoved(1, Status.PENDING_CUSTOMER, Status.OPEN, NOW_MS, "anna")]


def test_a_reply_alone_leaves_the_status() -> None:
    conversation, facts = acts.reply(after(R), 1, None, "anna", NOW_MS)
    assert (conversation.status, facts) == (Status.OPEN, [])


def test_a_request_that_crossed_the_reply_keeps_the_conversation_open() -> None:
    conversation, facts = acts.reply(after(R, R), 1, Status.PENDING_CUSTOMER, "anna", NOW_MS)
    assert (conversation.status, facts) == (Status.OPEN, [])


def test_a_reply_cannot_answer_a_message_that_is_not_here() -> None:
    with pytest.raises(NotSeen):
        acts.reply(after(R), 2, None, "anna", NOW_MS)


@pytest.mark.parametrize("kind", [Kind.REQUEST, Kind.UNSURE, Kind.THANKS])
def test_a_customers_answer_ends_the_wait_for_it(kind: Kind) -> None:
    assert arrive(waiting(), 2, kind).status is Status.OPEN


@pytest.mark.parametrize("kind", [Kind.AUTOMATIC, Kind.SPAM, Kind.SURVEY_ANSWER])
def test_what_nobody_wrote_does_not_end_the_wait(kind: Kind) -> None:
    assert arrive(waiting(), 2, kind).status is Status.PENDING_CUSTOMER


@pytest.mark.parametrize("status", [Status.ON_HOLD, Status.SNOOZED])
def test_thanks_does_not_wake_what_was_put_aside(status: Status) -> None:
    assert arrive(waiting(status), 2, T).status is status
    assert arrive(waiting(status), 2, R).status is Status.OPEN


def test_late_triage_of_a_message_that_was_seen_does_not_wake() -> None:
    conversation = after(R)
    conversation = receive(conversation, message(2))
    conversation = acts.reply(conversation, 2, Status.PENDING_CUSTOMER, "anna", NOW_MS)[0]
    conversation, facts = settle(conversation, decision(2).settled_with(message(2).origin))
    assert (conversation.status, facts) == (Status.PENDING_CUSTOMER, [])


def test_a_snooze_ends_at_its_time_and_not_before() -> None:
    snoozed = waiting(Status.SNOOZED)
    assert wake(snoozed, NOW_MS + 59_999) == (snoozed, [])
    conversation, facts = wake(snoozed, NOW_MS + 60_000)
    assert conversation.status is Status.OPEN
    assert facts == [StatusMoved(1, Status.OPEN, Status.SNOOZED, NOW_MS + 60_000, "system")]


@pytest.mark.parametrize("until", [NOW_MS, NOW_MS - 1, NOW_MS + 367 * 86_400_000])
def test_a_snooze_ends_after_now_and_within_a_year(until: int) -> None:
    with pytest.raises(BadTime):
        acts.change_status(after(R), Status.SNOOZED, until, "anna", NOW_MS)


def test_a_resolution_ends_the_episode_once() -> None:
    conversation, facts = acts.resolve(after(R, R), 2, "solved", "anna", NOW_MS, [])
    assert conversation.status is Status.RESOLVED
    assert facts == [
        EpisodeEnded(1, 2, NOW_MS, "anna", "solved"),
        StatusMoved(1, Status.RESOLVED, Status.OPEN, NOW_MS, "anna"),
    ]
    with pytest.raises(AlreadyResolved):
        acts.resolve(conversation, 2, "solved", "ben", NOW_MS, [])


def test_a_request_above_the_resolution_opens_the_next_episode_in_the_same_step() -> None:
    crossed = decision(2).settled_with(message(2).origin)
    conversation, facts = acts.resolve(after(R, R), 1, "solved", "anna", NOW_MS, [crossed])
    assert (conversation.status, conversation.episode, conversation.first_seq) == (Status.OPEN, 2, 2)
    assert [type(fact) for fact in facts] == [EpisodeEnded, StatusMoved, EpisodeBegan, StatusMoved]


def test_a_resolution_covers_the_message_that_opened_its_episode() -> None:
    reopened = arrive(resolved(R), 2)
    with pytest.raises(ThroughTooEarly):
        acts.resolve(reopened, 1, "solved", "anna", NOW_MS, [])
    with pytest.raises(NotSeen):
        acts.resolve(reopened, 3, "solved", "anna", NOW_MS, [])


def test_thanks_after_the_resolution_opens_nothing() -> None:
    conversation = arrive(resolved(R), 2, T)
    assert (conversation.status, conversation.episode) == (Status.RESOLVED, 1)


def test_a_request_after_the_resolution_opens_the_next_episode() -> None:
    conversation = arrive(arrive(resolved(R), 2, T), 3, R)
    assert (conversation.status, conversation.episode, conversation.first_seq) == (Status.OPEN, 2, 3)
    assert conversation.resolutions == [1]


def test_late_triage_below_the_resolution_opens_nothing() -> None:
    conversation = receive(after(R), message(2))
    conversation = acts.resolve(conversation, 2, "solved", "anna", NOW_MS, [])[0]
    conversation, facts = settle(conversation, decision(2).settled_with(message(2).origin))
    assert (conversation.status, facts) == (Status.RESOLVED, [])


@pytest.mark.parametrize("kind", [Kind.SPAM, Kind.AUTOMATIC])
def test_nothing_can_be_done_before_an_episode_is_open(kind: Kind) -> None:
    with pytest.raises(NoOpenEpisode):
        acts.reply(after(kind), 1, None, "anna", NOW_MS)
    with pytest.raises(NoOpenEpisode):
        acts.resolve(after(kind), 1, "solved", "anna", NOW_MS, [])


def test_only_what_trails_can_be_opened_by_a_person() -> None:
    thanked = arrive(resolved(R), 2, T)
    thanks = decision(2, T).settled_with(message(2).origin)
    conversation, opened, facts = acts.open_trailing(thanked, thanks)
    assert (conversation.episode, conversation.first_seq, conversation.status) == (2, 2, Status.OPEN)
    assert (opened.opens, opened.cause, opened.kind) == (True, "", T)
    assert isinstance(facts[0], EpisodeBegan)
    with pytest.raises(NotTrailing):
        acts.open_trailing(conversation, opened)
    with pytest.raises(NotTrailing):
        acts.open_trailing(arrive(after(R), 2, T), thanks)


def test_a_request_after_spam_opens_the_first_episode() -> None:
    conversation = after(Kind.SPAM, R)
    assert (conversation.episode, conversation.first_seq) == (1, 2)


def test_triage_does_not_overrule_a_corrected_topic() -> None:
    conversation = acts.correct_topic(after(R), "refund", "anna")
    conversation, _ = settle(conversation, decision(2, topic="delivery").settled_with(message(2).origin))
    assert (conversation.topic, conversation.topic_by) == ("refund", "anna")


def test_a_correction_holds_for_its_episode_and_a_known_topic_begins_the_next_one() -> None:
    corrected = acts.correct_topic(after(R), "refund", "anna")
    ended = acts.resolve(corrected, 1, "solved", "anna", NOW_MS, [])[0]
    assert ended.spans[-1].topic == "refund"
    unknown, _ = settle(
        receive(ended, message(2)), decision(2, topic="unknown").settled_with(message(2).origin)
    )
    assert (unknown.topic, unknown.topic_by) == ("refund", "anna")
    known, _ = settle(
        receive(ended, message(2)), decision(2, topic="delivery").settled_with(message(2).origin)
    )
    assert (known.topic, known.topic_by) == ("delivery", "")


def test_a_later_message_fills_an_unknown_topic_and_raises_urgency() -> None:
    first = decision(1, topic="unknown", urgency="low").settled_with(message(1).origin)
    conversation, _ = settle(after(), first)
    second = decision(2, topic="refund", urgency="high").settled_with(message(2).origin)
    conversation, _ = settle(conversation, second)
    third = decision(3, topic="delivery", urgency="low").settled_with(message(3).origin)
    conversation, _ = settle(conversation, third)
    assert (conversation.topic, conversation.urgency) == ("refund", "high")


def test_triage_adds_no_tags_once_a_person_has_set_them() -> None:
    first = decision(1, tags=("vip", "late")).settled_with(message(1).origin)
    conversation, _ = settle(after(), first)
    assert conversation.tags == ("vip", "late")
    conversation = acts.set_tags(conversation, ["late", "late"], "anna")
    conversation, _ = settle(conversation, decision(2, tags=("new",)).settled_with(message(2).origin))
    assert conversation.tags == ("late",)


def test_every_act_that_others_rely_on_raises_the_version() -> None:
    conversation = after(R)
    steps: list[Callable[[Conversation], Conversation]] = [
        lambda c: acts.reply(c, 1, None, "anna", NOW_MS)[0],
        lambda c: acts.change_status(c, Status.ON_HOLD, 0, "anna", NOW_MS)[0],
        lambda c: acts.correct_topic(c, "refund", "anna"),
        lambda c: acts.set_tags(c, ["late"], "anna"),
        acts.hand_over,
        lambda c: acts.resolve(c, 1, "solved", "anna", NOW_MS, [])[0],
    ]
    for number, step in enumerate(steps, 1):
        conversation = step(conversation)
        assert conversation.human_version == number


def test_what_customers_and_timers_do_leaves_the_version() -> None:
    assert after(R, R, T).human_version == 0
    assert wake(waiting(Status.SNOOZED), NOW_MS + 60_000)[0].human_version == 1
