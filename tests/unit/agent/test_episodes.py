"""The episode rule by examples."""

import pytest

from services.agent.domain.episodes import Kind, effective_kind, episode_id, episode_of, is_opening


@pytest.mark.parametrize(
    ("seq", "resolutions", "episode"),
    [
        (1, [], 1),
        (7, [], 1),
        (3, [3], 1),
        (4, [3], 2),
        (2, [3], 1),
        (4, [3, 5], 2),
        (6, [3, 5], 3),
        (6, [5, 3], 3),
    ],
)
def test_a_message_belongs_after_the_resolutions_that_end_below_it(
    seq: int, resolutions: list[int], episode: int
) -> None:
    assert episode_of(seq, resolutions) == episode


@pytest.mark.parametrize("kind", [Kind.REQUEST, Kind.UNSURE])
@pytest.mark.parametrize("seq", [1, 2, 9])
def test_requests_and_doubtful_messages_open(seq: int, kind: Kind) -> None:
    assert is_opening(seq, kind)


@pytest.mark.parametrize("kind", [Kind.THANKS, Kind.AUTOMATIC, Kind.SPAM, Kind.SURVEY_ANSWER])
def test_nothing_else_opens_a_later_episode(kind: Kind) -> None:
    assert not is_opening(2, kind)


def test_a_first_message_opens_even_when_it_only_thanks() -> None:
    assert is_opening(1, Kind.THANKS)


@pytest.mark.parametrize("kind", [Kind.AUTOMATIC, Kind.SPAM, Kind.SURVEY_ANSWER])
def test_a_first_message_that_nobody_wrote_for_help_opens_nothing(kind: Kind) -> None:
    assert not is_opening(1, kind)


def test_headers_that_say_automatic_outweigh_the_text() -> None:
    assert effective_kind(Kind.REQUEST, automatic=True, survey_answer=False) is Kind.AUTOMATIC
    assert effective_kind(Kind.SPAM, automatic=True, survey_answer=False) is Kind.SPAM
    assert effective_kind(Kind.REQUEST, automatic=False, survey_answer=False) is Kind.REQUEST


def test_an_answer_to_a_survey_is_nothing_else() -> None:
    assert effective_kind(Kind.REQUEST, automatic=False, survey_answer=True) is Kind.SURVEY_ANSWER


def test_an_episode_is_named_after_its_conversation() -> None:
    assert episode_id("c1", 2) == "c1:2"
