"""Any order of arrival gives the same episodes; and the property fails on a planted bug."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.agent.domain.episodes import Kind
from tests.unit.agent.interleavings import (
    DECISION,
    MESSAGE,
    RESOLVE,
    Line,
    Step,
    Story,
    merged,
    play,
    stories,
)
from tests.unit.agent.planted import PLANTED


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_order_of_arrival_gives_the_same_episodes(data: st.DataObject) -> None:
    story = data.draw(stories())
    order = data.draw(merged(story))
    played = play(story, order, Line())
    assert played.episodes() == story.truth()
    assert [(span.episode, span.first_seq) for span in played.conversation.spans] == story.truth()
    assert played.conversation.resolutions == list(story.resolutions)
    assert played.conversation.live == (len(story.truth()) > len(story.resolutions))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_even_a_shuffled_log_opens_the_same_episodes(data: st.DataObject) -> None:
    story = data.draw(stories())
    arrivals = data.draw(st.permutations([step for step in story.steps if step[0] != RESOLVE]))
    order = [*arrivals, *((RESOLVE, through) for through in story.resolutions)]
    played = play(story, order, Line())
    assert [episode for episode, _ in played.episodes()] == [episode for episode, _ in story.truth()]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_message_or_decision_first_gives_the_same_conversation_and_facts(data: st.DataObject) -> None:
    story = data.draw(stories(resolved=False))
    in_order = play(story, story.steps, Line())
    otherwise = play(story, data.draw(merged(story)), Line())
    assert otherwise.conversation == in_order.conversation
    assert otherwise.facts == in_order.facts


@pytest.mark.parametrize("planted", PLANTED, ids=[line.__name__ for line in PLANTED])
def test_the_property_finds_a_planted_bug(planted: type[Line]) -> None:
    source = random.Random(7)
    for _ in range(2000):
        story = Story(*_random_story(source))
        played = play(story, _random_order(source, story), planted())
        if played.episodes() != story.truth():
            return
    pytest.fail(f"{planted.__name__} gives the same episodes in every order")


def _random_story(source: random.Random) -> tuple[tuple[Kind, ...], tuple[int, ...]]:
    kinds = tuple(source.choice(list(Kind)) for _ in range(source.randint(1, 6)))
    resolutions: list[int] = []
    through = 0
    openings = Story(kinds, ()).openings()
    while (left := [seq for seq in openings if seq > through]) and source.random() < 0.6:
        through = source.randint(left[0], len(kinds))
        resolutions.append(through)
    return kinds, tuple(resolutions)


def _random_order(source: random.Random, story: Story) -> list[Step]:
    queues = [[step for step in story.steps if step[0] == what] for what in (MESSAGE, DECISION, RESOLVE)]
    order: list[Step] = []
    while any(queues):
        order.append(source.choice([queue for queue in queues if queue]).pop(0))
    return order
