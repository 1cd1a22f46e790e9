"""The account finds what is planted: nothing is lost, doubled or changed without being named."""

from dataclasses import replace
from typing import Any

import pytest

from services.demo.account import settle
from services.demo.books import read_books
from services.demo.seen import Seen, SeenConversation, SeenMessage


def lines(*, score: int = 5):
    """Two stories: one with an episode, a reply, a thank-you and an answered survey; one of spam."""
    acts: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("message", "k1", {"story": "s1", "text": "Where is it?\r\n"}, {"message_id": "m1"}),
        ("reply", "k2", {"conversation_id": "c1", "text": "On its way."}, {"message_id": "r1"}),
        ("resolve", "k3", {"conversation_id": "c1", "episode": 1, "through_seq": 1, "agent": "anna"}, {}),
        ("message", "k4", {"story": "s1", "text": "Thanks"}, {"message_id": "m2"}),
        ("survey", "k5", {"story": "s1", "link": "/s/1", "score": score, "comment": "good"}, {}),
        ("message", "k6", {"story": "s2", "text": "Buy now"}, {"message_id": "m3"}),
    ]
    for what, key, facts, answer in acts:
        yield {"what": what, "key": key, **facts}
        yield {"what": f"{what}_answer", "key": key, "status": 202, **answer}


def outcome(revision: int, score: int | None = None, **other):
    return {
        "episode_id": "c1:1", "conversation_id": "c1", "episode": 1, "revision": revision, "through_seq": 1,
        "resolved_by": "anna", "csat_score": score, **other,
    }  # fmt: skip


FIRST = SeenMessage("m1", 1, "Where is it?", 1, "")
REPLY = SeenMessage("r1", 0, "On its way.", None, "")
THANKS = SeenMessage("m2", 2, "Thanks", None, "thanks")
SPAM = SeenMessage("m3", 1, "Buy now", None, "spam")
C1 = SeenConversation("c1", (FIRST, REPLY, THANKS), (1,), ())
C2 = SeenConversation("c2", (SPAM,))
SEEN = Seen(
    {"c1": C1, "c2": C2},
    (outcome(1), outcome(2, 5)),
    {"m2": "thanks", "m3": "spam"},
    invitations=({"conversation_id": "c1", "episode": 1, "score": 5, "comment": "good"},),
)


def account(seen: Seen = SEEN, record=None):
    return settle(read_books(lines() if record is None else record), seen)


def with_messages(*messages: SeenMessage) -> Seen:
    return replace(SEEN, conversations={"c1": replace(C1, messages=messages), "c2": C2})


def found(seen: Seen, record=None) -> list[tuple[str, str]]:
    return [(one.kind, one.what) for one in account(seen, record).differences]


def test_what_is_as_recorded_gives_no_difference():
    result = account()
    assert result.differences == ()
    assert result.line() == "2 conversations, 1 episodes, 1 outcomes: 0 lost, 0 doubled"
    assert result.trailing == {"thanks": 1, "spam": 1}
    assert (result.messages, result.replies, result.surveys) == (3, 1, 1)


def test_a_lost_message_is_named():
    differences = found(with_messages(FIRST, REPLY))
    assert ("lost", "message k4 (m2) is in no conversation") in differences


def test_a_message_that_is_there_twice_is_named():
    differences = found(with_messages(FIRST, REPLY, THANKS, replace(THANKS, seq=3)))
    assert ("doubled", "message k4 is again in conversation c1") in differences


def test_a_message_under_two_ids_is_one_that_nobody_wrote():
    differences = found(with_messages(FIRST, REPLY, THANKS, replace(THANKS, seq=3, message_id="m9")))
    assert ("doubled", "message m9 in c1 was written by nobody") in differences


def test_two_messages_taken_for_one_are_a_loss():
    record = [line | ({"message_id": "m1"} if line.get("message_id") == "m2" else {}) for line in lines()]
    assert any(kind == "lost" and "taken for" in what for kind, what in found(SEEN, record))


def test_a_changed_text_is_named():
    [(kind, what)] = found(with_messages(FIRST, REPLY, replace(THANKS, text="Thank")))
    assert kind == "wrong"
    assert "k4" in what


def test_a_gap_in_the_numbers_is_a_loss_even_when_all_messages_are_there():
    assert ("lost", "conversation c1 has 0 messages 2") in found(
        with_messages(FIRST, REPLY, replace(THANKS, seq=3))
    )


def test_a_message_in_no_episode_that_is_not_listed_is_a_loss():
    [(kind, what)] = found(replace(SEEN, trailing={"m3": "spam"}))
    assert (kind, "in no episode" in what) == ("lost", True)


def test_a_message_in_an_episode_and_listed_is_doubled():
    [(kind, _what)] = found(replace(SEEN, trailing={**SEEN.trailing, "m1": "thanks"}))
    assert kind == "doubled"


def test_a_resolution_without_an_outcome_is_a_loss():
    assert ("lost", "episode c1:1 was resolved and has no outcome") in found(replace(SEEN, outcomes=()))


def test_an_outcome_without_a_resolution_is_doubled():
    more = outcome(1, episode_id="c1:2", episode=2)
    assert found(replace(SEEN, outcomes=(*SEEN.outcomes, more))) == [
        ("doubled", "outcome c1:2 belongs to no resolution on record")
    ]


@pytest.mark.parametrize(
    ("revisions", "kind"), [((2, 3), "lost"), ((1, 3), "lost"), ((1, 2, 2), "doubled"), ((2, 1), "wrong")]
)
def test_revisions_run_from_one_without_gap_or_repeat(revisions, kind):
    published = tuple(outcome(number, 5) for number in revisions)
    assert kind in [one for one, _what in found(replace(SEEN, outcomes=published))]


def test_an_outcome_that_names_another_resolver_is_wrong():
    published = (outcome(1), outcome(2, 5, resolved_by="somebody"))
    [(kind, what)] = found(replace(SEEN, outcomes=published))
    assert (kind, "anna" in what) == ("wrong", True)


def test_a_wrong_score_is_named_as_the_lost_one_and_the_one_too_many():
    kinds = [kind for kind, what in found(SEEN, list(lines(score=2))) if "score" in what]
    assert sorted(kinds) == ["doubled", "lost"]


def test_a_lost_survey_answer_is_named():
    assert [kind for kind, _what in found(replace(SEEN, outcomes=(outcome(1),)))] == ["lost", "wrong"]


def test_a_changed_comment_is_named():
    changed = ({**SEEN.invitations[0], "comment": "goo"},)
    assert [kind for kind, what in found(replace(SEEN, invitations=changed)) if "comment" in what] == [
        "lost",
        "doubled",
    ]


def test_a_second_survey_of_an_episode_is_doubled():
    twice = (*SEEN.invitations, {**SEEN.invitations[0], "comment": None})
    assert found(replace(SEEN, invitations=twice)) == [("doubled", "episode c1:1 has 2 surveys")]


def test_a_score_that_the_outcome_does_not_have_is_wrong():
    other = ({**SEEN.invitations[0], "score": 4},)
    [(kind, what)] = found(replace(SEEN, invitations=other))
    assert (kind, "score 4" in what) == ("wrong", True)


def test_a_mail_may_lose_what_it_quotes_and_nothing_else():
    def mailed(shown: str) -> list[tuple[str, str]]:
        record = [
            {**line, "channel": "mail", "text": "Yes\nplease\n\nOn Monday Bo wrote:\n> really?"}
            if line["key"] == "k4" and line["what"] == "message"
            else line
            for line in lines()
        ]
        return found(with_messages(FIRST, REPLY, replace(THANKS, text=shown)), record)

    assert mailed("Yes\nplease") == []
    assert [kind for kind, _what in mailed("Yes pleas")] == ["wrong"]
    assert [kind for kind, _what in mailed("")] == ["wrong"]


def test_a_lost_and_a_doubled_reply_are_named():
    assert found(with_messages(FIRST, THANKS)) == [("lost", "reply k2 (r1) is in no conversation")]
    assert found(with_messages(FIRST, REPLY, REPLY, THANKS)) == [("doubled", "reply k2 is there 2 times")]


def test_a_notice_is_no_reply_and_is_said_once_between_two_messages():
    notice = SeenMessage("n1", 0, "It may take longer.", None, "", automatic=True)
    again = replace(notice, message_id="n2")
    assert found(with_messages(FIRST, notice, REPLY, THANKS, again)) == []
    assert found(with_messages(FIRST, notice, again, REPLY, THANKS)) == [
        ("doubled", "notice n2 was said twice: 'It may take longer.'")
    ]
    assert found(with_messages(FIRST, REPLY, replace(again, automatic=False), THANKS)) == [
        ("doubled", "reply n2 was written by nobody")
    ]


def test_a_conversation_nobody_began_is_named_on_a_platform_of_our_own_only():
    stranger = SeenConversation("c9", (SeenMessage("m9", 1, "hello", 1, ""),))
    seen = replace(SEEN, conversations={**SEEN.conversations, "c9": stranger})
    assert ("doubled", "conversation c9 was begun by nobody") in found(seen)
    assert found(replace(seen, alone=False)) == []


def test_an_episode_that_was_never_resolved_is_named():
    seen = replace(SEEN, conversations={"c1": replace(C1, open_episodes=(2,)), "c2": C2})
    assert found(seen) == [("wrong", "episode c1:2 was never resolved")]


def test_one_thread_spread_over_two_conversations_is_named():
    moved = {
        "c1": replace(C1, messages=(FIRST, REPLY)),
        "c2": C2,
        "c3": SeenConversation("c3", (replace(THANKS, seq=1),)),
    }
    assert ("wrong", "story s1 is spread over 2 conversations: ['c1', 'c3']") in found(
        replace(SEEN, conversations=moved)
    )


def test_an_act_without_an_answer_is_named():
    record = [*lines(), {"what": "message", "key": "k7", "story": "s3", "text": "x"}]
    assert found(SEEN, record) == [("wrong", "never answered: message k7")]


def test_a_refused_message_is_named():
    record = [*lines(), {"what": "message", "key": "k7", "story": "s3", "text": "x"}]
    record.append({"what": "message_answer", "key": "k7", "status": 422})
    assert found(SEEN, record) == [("wrong", "message k7 was refused: status 422")]


def test_a_refused_resolve_is_no_episode():
    acts = {"conversation_id": "c1", "episode": 1, "through_seq": 2, "agent": "bo"}
    record = [*lines(), {"what": "resolve", "key": "k8", **acts}]
    record.append({"what": "resolve_answer", "key": "k8", "status": 409})
    assert found(SEEN, record) == []


def test_on_a_shared_platform_the_outcomes_of_others_are_left_alone():
    others = outcome(1, 3, episode_id="c9:1", conversation_id="c9")
    assert found(replace(SEEN, alone=False, outcomes=(*SEEN.outcomes, others))) == []
