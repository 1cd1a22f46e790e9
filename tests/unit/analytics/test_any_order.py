"""Whatever the order between topics, an episode ends with the same outcome; and these tests can fail."""

import itertools
import json
from collections.abc import Callable, Collection

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.analytics.domain.facts import Facts, from_json
from services.analytics.domain.outcome import Outcome, ended_episodes, outcome_of
from services.analytics.domain.revisions import revision_cause
from tests.unit.analytics.histories import INGEST, Change, History, histories, interleave, orders

WINDOW = 100_000
LATER = 10**12


def _outcomes(facts: Facts, now: int = LATER) -> dict[int, Outcome]:
    return {episode: outcome_of("c", facts, episode, now, WINDOW) for episode in ended_episodes(facts)}


def _after(order: list[Change]) -> Facts:
    facts = Facts()
    for change in order:
        facts = change(facts)
    return facts


View = Callable[[History, list[int]], object]


def check_any_order(view: View, phases: Collection[Phase] = tuple(Phase)) -> None:
    """Fails with an AssertionError when two orders of arrival of one history look different."""

    @given(histories(), orders(), orders())
    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def same(history: History, one: list[int], other: list[int]) -> None:
        assert view(history, one) == view(history, other)

    same()


def _in_the_end(history: History, choices: list[int]) -> object:
    return _outcomes(_after(interleave(history, choices)))


def test_any_order_of_arrival_gives_the_same_outcomes() -> None:
    check_any_order(_in_the_end)


@given(histories(), orders(), st.lists(st.booleans(), max_size=120))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whenever_it_is_looked_at_the_last_revision_is_the_whole_truth(
    history: History, choices: list[int], looks: list[bool]
) -> None:
    facts, published = Facts(), dict[int, list[Outcome]]()

    def look(now: int) -> None:
        for episode, outcome in _outcomes(facts, now).items():
            revisions = published.setdefault(episode, [])
            cause = revision_cause(revisions[-1] if revisions else None, outcome)
            assert (cause == "resolved") == (not revisions)
            if cause is not None:
                revisions.append(outcome)

    for number, change in enumerate(interleave(history, choices)):
        facts = change(facts)
        if number < len(looks) and looks[number]:
            look(0)
    look(0)
    look(LATER)
    assert {episode: revisions[-1] for episode, revisions in published.items()} == _outcomes(facts)
    for revisions in published.values():
        assert all(a != b for a, b in itertools.pairwise(revisions))


@given(histories(), orders())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_counted_message_belongs_to_at_most_one_episode(history: History, choices: list[int]) -> None:
    facts = _after(interleave(history, choices))
    counted = sum(1 for message in facts.messages if message.counted)
    assert sum(outcome.customer_messages for outcome in _outcomes(facts).values()) <= counted


@given(histories(), orders())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_facts_survive_being_stored(history: History, choices: list[int]) -> None:
    facts = _after(interleave(history, choices))
    assert from_json(json.loads(json.dumps(facts))) == facts


def _counted_at_arrival(history: History, choices: list[int]) -> object:
    """The planted bug: a message is counted for the episode that seems right at the moment it arrives."""
    ingest = set(map(id, history.topics[INGEST]))
    facts, counts = Facts(), dict[int, int]()
    for change in interleave(history, choices):
        before, facts = facts, change(facts)
        if id(change) in ingest and len(facts.messages) > len(before.messages):
            episode = before.episode_of(facts.messages[-1].seq)
            counts[episode] = counts.get(episode, 0) + 1
    return counts


def _frozen_at_first_sight(history: History, choices: list[int]) -> object:
    """The planted bug: what was known when an episode ended is taken for the whole truth."""
    facts, first = Facts(), dict[int, Outcome]()
    for change in interleave(history, choices):
        facts = change(facts)
        for episode, outcome in _outcomes(facts).items():
            first.setdefault(episode, outcome)
    return first


@pytest.mark.parametrize("planted", [_counted_at_arrival, _frozen_at_first_sight])
def test_a_rule_that_depends_on_the_order_is_caught(planted: View) -> None:
    with pytest.raises(AssertionError):
        check_any_order(planted, (Phase.generate,))
