"""Facts become outcomes: revisions, causes, finality, and the rows behind them."""

import random
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict

from libs.contracts import ConversationOutcome, DeliveryFailed, SurveyCancelled, SurveyExpired
from libs.storage import fetch_all
from services.analytics.service import definition
from tests.service.analytics.events import MINUTE, Life
from tests.support.harness import START_MS, ServiceUnderTest, running

DAY = 86_400_000
AT = START_MS - 60 * MINUTE


async def _outcomes(service: ServiceUnderTest, pause_ms: int = 600) -> list[ConversationOutcome]:
    await service.settle()
    service.clock.advance(pause_ms)
    await service.settle()
    found = await service.events("ConversationOutcome")
    return sorted(found, key=lambda one: (one.episode_id, one.revision))


def _causes(outcomes: Sequence[ConversationOutcome]) -> list[tuple[int, str]]:
    return [(one.revision, one.revision_cause) for one in outcomes]


async def test_a_resolved_episode_has_one_outcome_with_everything_in_it() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.until_resolved())
        (outcome,) = await _outcomes(service)
    assert outcome.episode_id == "c1:1"
    assert (outcome.revision, outcome.revision_cause, outcome.final) == (1, "resolved", False)
    assert (outcome.team_id, outcome.topic, outcome.channel, outcome.language) == (
        "billing",
        "refund",
        "chat",
        "en",
    )
    assert (outcome.wait_ms, outcome.first_response_ms, outcome.resolution_ms) == (
        2 * MINUTE,
        5 * MINUTE,
        30 * MINUTE,
    )
    assert (outcome.customer_messages, outcome.agent_replies) == (1, 1)
    assert (outcome.offers, outcome.offers_missed, list(outcome.agent_ids)) == (2, 1, ["anna"])
    assert [(clock.metric, clock.state) for clock in outcome.clocks] == [("first_response", "met")]
    assert outcome.case_reference == "CQ7-X2M4K"
    assert outcome.urgency == "high"


async def test_nothing_is_published_before_the_facts_have_settled() -> None:
    async with running(definition) as service:
        await service.publish(*Life("c1", AT).until_resolved())
        assert await _outcomes(service, pause_ms=499) == []
        assert len(await _outcomes(service, pause_ms=501)) == 1


async def test_facts_that_come_within_the_pause_are_one_revision() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.until_resolved())
        await service.settle()
        await service.publish(life.invitation(), life.answer(5))
        outcomes = await _outcomes(service)
    assert _causes(outcomes) == [(1, "resolved")]
    assert outcomes[0].csat_score == 5


async def test_an_answer_makes_a_revision_and_an_invitation_alone_does_not() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.until_resolved())
        await _outcomes(service)
        await service.publish(life.invitation())
        assert len(await _outcomes(service)) == 1
        await service.publish(life.answer(4))
        outcomes = await _outcomes(service)
        assert _causes(outcomes) == [(1, "resolved"), (2, "answered")]
        await service.publish(life.answer(2, revision=2))
        outcomes = await _outcomes(service)
    assert _causes(outcomes)[-1] == (3, "answered")
    assert [one.csat_score for one in outcomes] == [0, 4, 2]


async def test_an_expired_survey_closes_the_outcome_after_the_reopen_window() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.until_resolved(), life.invitation())
        await _outcomes(service)
        await service.publish(
            SurveyExpired(conversation_id="c1", episode=1, invitation_id="i", expired_at_ms=AT)
        )
        outcomes = await _outcomes(service)
        assert _causes(outcomes) == [(1, "resolved"), (2, "expired")]
        outcomes = await _outcomes(service, pause_ms=6 * DAY)
        assert len(outcomes) == 2
        outcomes = await _outcomes(service, pause_ms=DAY)
    assert _causes(outcomes)[-1] == (3, "final")
    assert outcomes[-1].final


async def test_an_answered_survey_is_final_only_when_it_cannot_be_answered_again() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.until_resolved(), life.invitation(), life.answer(5))
        await _outcomes(service)
        assert len(await _outcomes(service, pause_ms=8 * DAY)) == 1
        outcomes = await _outcomes(service, pause_ms=7 * DAY)
    assert _causes(outcomes) == [(1, "resolved"), (2, "final")]


async def test_a_reopened_conversation_has_two_outcomes_and_the_first_says_so() -> None:
    first = Life("c1", AT)
    second = Life("c1", AT + 40 * MINUTE, episode=2, seq=2, wait_min=1, reply_min=2, resolve_min=3)
    async with running(definition) as service:
        await service.publish(*first.until_resolved())
        await _outcomes(service)
        cancelled = SurveyCancelled(conversation_id="c1", episode=1, reason="reopened")
        await service.publish(*second.messages(), *second.signals(), cancelled, second.opening())
        await _outcomes(service)
        await service.publish(*second.assignments(), *second.replies(), second.resolution())
        outcomes = await _outcomes(service)
    assert [(one.episode_id, one.revision) for one in outcomes] == [("c1:1", 1), ("c1:1", 2), ("c1:2", 1)]
    assert outcomes[1].reopened
    assert outcomes[1].survey_cancel_reason == "reopened"
    assert (outcomes[2].wait_ms, outcomes[2].customer_messages) == (MINUTE, 1)


async def test_a_late_fact_that_changes_nothing_published_makes_no_revision() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.until_resolved(), life.invitation())
        await _outcomes(service)
        failed = DeliveryFailed(conversation_id="c1", source_id="i-c1-1", failed_at_ms=AT)
        await service.publish(failed)
        assert len(await _outcomes(service)) == 1
        async with service.database.read() as connection:
            rows = await fetch_all(connection, "SELECT survey_delivered, revision FROM analytics.episodes")
    assert rows == [(False, 1)]


async def test_a_late_fact_that_changes_the_record_is_a_corrected_revision() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await service.publish(*life.messages(), *life.signals(), life.opening(), life.resolution())
        await _outcomes(service)
        await service.publish(*life.assignments())
        outcomes = await _outcomes(service)
    assert _causes(outcomes) == [(1, "resolved"), (2, "corrected")]
    assert outcomes[1].team_id == "billing"


async def test_a_first_outcome_waits_a_little_for_a_clock_that_still_runs() -> None:
    life = Life("c1", AT)
    *before, met = life.assignments()
    async with running(definition) as service:
        await service.publish(*life.messages(), *life.signals(), life.opening(), *before, *life.replies())
        await service.publish(life.resolution())
        assert await _outcomes(service, pause_ms=1000) == []
        await service.publish(met)
        outcomes = await _outcomes(service)
    assert _causes(outcomes) == [(1, "resolved")]
    assert [clock.state for clock in outcomes[0].clocks] == ["met"]


async def test_a_clock_that_never_ends_holds_no_outcome_up() -> None:
    life = Life("c1", AT)
    *before, _met = life.assignments()
    async with running(definition) as service:
        await service.publish(*life.messages(), *life.signals(), life.opening(), *before, life.resolution())
        for _ in range(12):
            outcomes = await _outcomes(service)
    assert _causes(outcomes) == [(1, "resolved")]


async def test_any_order_of_the_topics_ends_in_the_same_outcome() -> None:
    contents = []
    for seed in range(3):
        life = Life("c1", AT)
        topics: list[list[Any]] = [
            life.messages(),
            life.signals(),
            [life.opening(), *life.replies(), life.resolution()],
            life.assignments(),
            [life.invitation(), life.answer(3)],
        ]
        dice = random.Random(seed)
        async with running(definition) as service:
            while any(topics):
                topic = dice.choice([one for one in topics if one])
                await service.publish(topic.pop(0))
                await service.settle()
                service.clock.advance(dice.choice((0, 700)))
            outcomes = await _outcomes(service)
        assert [one.revision for one in outcomes] == list(range(1, len(outcomes) + 1))
        content = MessageToDict(outcomes[-1])
        for name in ("revision", "revisionCause", "publishedAtMs"):
            content.pop(name)
        contents.append(content)
    assert all(content == contents[0] for content in contents)


async def test_an_event_without_an_episode_is_a_dead_letter_and_the_others_go_on() -> None:
    life = Life("c1", AT)
    bad = Life("c1", AT, episode=0)
    async with running(definition) as service:
        await service.publish(*bad.replies())
        await service.publish(*life.until_resolved())
        assert len(await _outcomes(service)) == 1
        async with service.database.read() as connection:
            dead = await fetch_all(connection, "SELECT error FROM analytics.dead_letters")
    assert len(dead) == 2
    assert "episode is 0" in dead[0][0]
