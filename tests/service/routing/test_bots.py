"""A bot begins, people are always near: real events in, real events out."""

from typing import Any

from libs.contracts import Handling, HandoffRequested
from tests.service.routing.scenes import Scene, replied, resolved, scene, triaged

BOT: dict[str, Any] = {"handling": Handling.HANDLING_BOT}


def bots_in_billing(directory: dict[str, Any]) -> None:
    directory["queues"][0]["bot"] = {"answer_ms": 30_000, "idle_ms": 600_000}


async def handling(s: Scene, conversation_id: str) -> list[tuple[str, str]]:
    told = await s.service.events("TeamAssigned")
    return [(e.handling, e.cause) for e in told if e.conversation_id == conversation_id]


async def test_a_bot_has_it_until_it_gives_up_falls_silent_or_a_person_is_wanted() -> None:
    async with scene() as s:
        await s.change_directory(bots_in_billing)
        await s.hire("ada")
        names = ("gives-up", "silent", "answers", "wish", "ended", "read")
        for name in names:
            await s.open(name, **BOT)
        assert await s.offers() == [], "nobody is offered what a bot has"
        shown = await s.get("/v1/conversations/silent")
        assert (shown["state"], shown["agent_id"]) == ("with_bot", None)
        billing = next(q for q in await s.get("/v1/queues") if q["queue_id"] == "billing")
        assert (billing["with_bot"], billing["waiting"]) == (6, 0)
        asked = HandoffRequested(
            conversation_id="gives-up", episode=1, requested_by="bot", reason="failed_turns"
        )
        wish = triaged("wish", first_seq=2, wish_for_person=0.9, **BOT)
        bot = replied("answers", human=False, bot=True)
        await s.service.publish(asked, wish, bot, replied("read"), resolved("ended"))
        await s.service.settle()
        assert await handling(s, "gives-up") == [("bot", "opened"), ("human", "bot-handed-over")]
        assert await handling(s, "wish") == [("bot", "opened"), ("human", "person-wanted")]
        assert await handling(s, "read") == [("bot", "opened"), ("human", "person-replied")]
        assert await handling(s, "ended") == [("bot", "opened")]
        await s.pass_time(31_000)
        assert await handling(s, "silent") == [("bot", "opened"), ("human", "bot-silent")]
        assert await handling(s, "answers") == [("bot", "opened")]
        await s.pass_time(600_000)
        assert (await handling(s, "answers"))[-1] == ("human", "bot-silent")
        [record] = [
            d["record"]
            for d in (await s.get("/v1/conversations/silent/decisions"))["items"]
            if d["kind"] == "handed_off"
        ]
        assert record["why"] == "bot-silent"
        waited = await s.get("/v1/conversations/gives-up")
        assert waited["eligible_at"] == "2026-05-28T20:26:40.000Z", "the age is that of the first message"


async def test_people_get_it_at_once_where_no_bot_serves_or_it_is_too_late_for_one() -> None:
    async with scene() as s:
        await s.change_directory(bots_in_billing)
        early = HandoffRequested(conversation_id="early", episode=1, requested_by="ada", reason="taken_over")
        await s.service.publish(early)
        await s.service.settle()
        await s.open("early", **BOT)
        await s.open("other", topic="delivery", **BOT)
        await s.open("angry", escalate="legal", **BOT)
        for name in ("early", "other", "angry"):
            assert {told for told, _ in await handling(s, name)} == {"human"}, name


async def test_a_rule_escalates_once_with_its_name_and_reason() -> None:
    def helped(directory: dict[str, Any]) -> None:
        directory["queues"][0]["relief"]["escalates_to"] = "general"
        directory["queues"][0]["relief"]["escalation_boost_ms"] = 900_000

    async with scene() as s:
        await s.change_directory(helped)
        await s.open("c1", escalate="legal")
        await s.service.publish(triaged("c1", first_seq=2, escalate="legal"))
        await s.service.settle()
        [told] = await s.service.events("Escalated")
        assert (told.by, told.reason, told.boost_ms) == ("shouting", "legal", 2_700_000)
        assert (told.from_queue_id, told.queue_id, told.team_id) == ("billing", "general", "general")
        decisions = (await s.get("/v1/conversations/c1/decisions"))["items"]
        [record] = [d["record"] for d in decisions if d["kind"] == "escalated-by-rule"]
        assert (record["by"], record["reason"]) == ("shouting", "legal")
        assert told.decision_id == record["decision_id"]
