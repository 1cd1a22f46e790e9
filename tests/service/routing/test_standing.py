"""What is heard of a customer moves their conversations: tier from ingest, debt from surveys, reopens and breaches."""

from typing import Any

from libs.contracts import ConversationResolved, CustomerIdentified, SurveyAnswered, SurveyRequested
from tests.service.routing.scenes import Scene, opened, resolved, scene, triaged
from tests.support.harness import START_MS

MINUTE = 60_000


def by_standing(directory: dict[str, Any]) -> None:
    billing = directory["queues"][0]
    billing |= {"tier_boosts": {"gold": 30 * MINUTE}, "debt_boost_ms": 24 * MINUTE}
    billing["sla"] |= {"resolution_ms": 60 * MINUTE, "first_response_ms": 90 * MINUTE}


async def parts(s: Scene) -> dict[str, dict[str, int]]:
    rows = (await s.get("/v1/queues/billing/conversations"))["items"]
    return {row["conversation_id"]: row["boost_parts"] for row in rows}


def answered(score: int, revision: int) -> SurveyAnswered:
    return SurveyAnswered(
        invitation_id="i",
        conversation_id="old",
        episode=1,
        score=score,
        scale_max=5,
        revision=revision,
        answered_at_ms=START_MS,
    )


async def test_tier_and_debt_reach_what_waits_and_what_comes() -> None:
    async with scene() as s:
        await s.change_directory(by_standing)
        await s.open("c1")
        assert await parts(s) == {"c1": {}}
        await s.service.publish(CustomerIdentified(customer_id="customer", tier="gold"))
        await s.service.settle()
        await s.open("c2")
        assert await parts(s) == {"c1": {"tier": 30 * MINUTE}, "c2": {"tier": 30 * MINUTE}}
        # The answer comes before the episode that it is about.
        asked = SurveyRequested(invitation_id="i", conversation_id="old", episode=1, customer_id="customer")
        await s.service.publish(asked, answered(1, 1))
        await s.service.settle()
        both = {"tier": 30 * MINUTE, "recovery": 12 * MINUTE}
        assert await parts(s) == {"c1": both, "c2": both}
        await s.service.publish(answered(5, 2))
        await s.service.settle()
        assert await parts(s) == {"c1": {"tier": 30 * MINUTE}, "c2": {"tier": 30 * MINUTE}}


def ended(conversation_id: str, by: str) -> ConversationResolved:
    end = resolved(conversation_id)
    end.resolved_by, end.customer_id = by, "customer"
    return end


def rated(conversation_id: str, score: int, revision: int) -> SurveyAnswered:
    answer = answered(score, revision)
    answer.conversation_id = conversation_id
    return answer


async def test_a_new_matter_goes_to_whom_the_customer_knows_and_never_first_to_whom_they_rated_bad() -> None:
    async with scene() as s:
        for name in ("ada", "bo"):
            await s.hire(name)
        await s.open("c1")
        await s.service.publish(ended("c1", "bo"))
        await s.service.settle()
        await s.open("c2")
        assert [len(await s.offers(name)) for name in ("ada", "bo")] == [0, 1]
        await s.service.publish(ended("c2", "bo"), rated("c1", 1, 1))
        await s.service.settle()
        await s.open("c3")
        assert [len(await s.offers(name)) for name in ("ada", "bo")] == [1, 0]
        await s.service.publish(ended("c3", "bo"), rated("c1", 5, 2))
        await s.service.settle()
        await s.open("c4")
        assert [len(await s.offers(name)) for name in ("ada", "bo")] == [0, 1]
        decisions = await s.get("/v1/conversations/c4/decisions", "boss", "supervisor")
        assert [d["record"]["affinity"] for d in decisions["items"] if "affinity" in d["record"]] == ["bo"]


async def test_a_breach_and_a_second_reopen_are_debts() -> None:
    async with scene() as s:
        await s.change_directory(by_standing)
        await s.open("late")
        await s.pass_time(61 * MINUTE)
        await s.pass_time(1_000)
        assert (await parts(s))["late"]["recovery"] == 12 * MINUTE
        await s.service.publish(resolved("late"))
        for episode in (2, 3):
            before = resolved("late", episode=episode)
            before.through_seq = episode
            await s.service.publish(
                opened("late", episode=episode, first_seq=episode),
                triaged("late", first_seq=episode, received_at_ms=s.service.clock.now_ms()),
            )
            await s.service.settle()
            if episode == 2:
                await s.service.publish(before)
                await s.service.settle()
        assert (await parts(s))["late"]["recovery"] == 24 * MINUTE
