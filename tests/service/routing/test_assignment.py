"""A conversation goes through the pool: offered, taken, handed over, ended. Real database, real log, real HTTP."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

from google.protobuf.message import Message

from libs.contracts import TransferRequested
from services.routing.adapters import screens
from tests.service.routing.scenes import (
    opened,
    replied,
    resolved,
    scene,
    triaged,
    waiting_for_customer,
)
from tests.support.harness import START_MS

HOUR = 3_600_000


async def test_an_understood_conversation_is_offered_and_accepted() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer] = await s.get("/v1/offers")
        assert offer["conversation_id"] == "c1"
        assert offer["case_reference"] == "CQ7-X2M4K"
        assert offer["expires_at"] == "2026-05-28T20:27:10.000Z"
        accepted = await s.post(f"/v1/offers/{offer['offer_id']}/accept")
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["agent_id"] == "ada"
        assert [a["conversation_id"] for a in await s.get("/v1/assignments")] == ["c1"]
        [team] = await s.service.events("TeamAssigned")
        [assigned] = await s.service.events("AgentAssigned")
        assert (team.team_id, team.handling) == ("billing", "human")
        assert (assigned.agent_id, assigned.epoch, assigned.queue_id) == ("ada", 1, "billing")
        [closed] = await s.service.events("OfferClosed")
        assert closed.offer_id == offer["offer_id"]


async def test_any_order_of_arrival_gives_the_same_result() -> None:
    """Each order on a conversation of its own, all in one pool."""
    makers: list[Callable[[str], Message]] = [opened, triaged, replied, waiting_for_customer]
    orders = list(permutations(makers))
    async with scene() as s:
        for place in range(4):
            for number, order in enumerate(orders):
                await s.service.publish(order[place](f"c{number}"))
            await s.service.settle()
        for number, order in enumerate(orders):
            conversation = await s.get(f"/v1/conversations/c{number}")
            clocks = {c["metric"]: c["state"] for c in conversation["clocks"]}
            told = (conversation["state"], clocks)
            expected = ("waiting", {"first_response": "met", "resolution": "paused"})
            assert told == expected, [getattr(e, "__name__", "") for e in order]


async def test_a_conversation_resolved_before_it_was_understood_never_waits() -> None:
    async with scene() as s:
        await s.service.publish(opened("c1"), resolved("c1"))
        await s.service.settle()
        await s.service.publish(triaged("c1"))
        await s.service.settle()
        assert await s.service.events("TeamAssigned") == []


async def test_a_late_accept_is_told_what_happened() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        await s.pass_time(31_000)
        late = await s.post(f"/v1/offers/{offer_id}/accept")
        assert late.status_code == 409
        problem = late.json()
        assert problem["type"] == "urn:centralino:problem:offer-gone"
        assert problem["state"] == "expired"
        assert problem["expires_at"] == "2026-05-28T20:27:10.000Z"


async def test_of_two_accepts_at_once_one_wins() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        first = await s.post(f"/v1/offers/{offer_id}/accept")
        second = await s.post(f"/v1/offers/{offer_id}/accept")
        assert (first.status_code, second.status_code) == (200, 409)
        assert second.json()["agent_id"] == "ada"


async def test_the_same_key_gives_the_same_answer_and_runs_once() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        headers = {"Idempotency-Key": "press-1"}
        first = await s.post(f"/v1/offers/{offer_id}/accept", headers=headers)
        again = await s.post(f"/v1/offers/{offer_id}/accept", headers=headers)
        assert first.status_code == 200
        assert again.json() == first.json()
        assert len(await s.service.events("AgentAssigned")) == 1


async def test_a_key_with_another_body_is_refused() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        headers = {"Idempotency-Key": "press-1"}
        path = f"/v1/offers/{offer_id}/decline"
        assert (await s.post(path, headers=headers, json={"reason": "a"})).status_code == 200
        other = await s.post(path, headers=headers, json={"reason": "b"})
        assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-mismatch")


async def test_a_missed_offer_goes_to_the_next_agent() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        await s.hire("bo")
        await s.pass_time(31_000)
        assert await s.offers("ada") == []
        assert len(await s.offers("bo")) == 1


async def test_a_transfer_to_another_team_keeps_the_age_and_tells_both() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.hire("oz", team="orders")
        await s.open("c1", received_at_ms=START_MS - HOUR)
        [offer_id] = await s.offers()
        await s.post(f"/v1/offers/{offer_id}/accept")
        moved = await s.post("/v1/conversations/c1/transfer", json={"team_id": "orders"})
        assert moved.status_code == 200, moved.text
        [offer] = await s.get("/v1/offers", "oz")
        assert offer["eligible_at"] == "2026-05-28T19:26:40.000Z"
        [released] = await s.service.events("Released")
        assert (released.agent_id, released.reason) == ("ada", "transferred")


async def test_a_transfer_asked_for_in_the_conversation_is_done_or_refused_by_the_feed() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        await s.post(f"/v1/offers/{offer_id}/accept")
        asked: dict[str, Any] = {"conversation_id": "c1", "episode": 1, "requested_by": "ada"}
        await s.service.publish(TransferRequested(**asked, agent_id="nobody"))
        await s.service.settle()
        async with s.service.database.read() as connection:
            [lines] = await screens.lines_after(connection, [("ada", 0)], 50)
        [refused] = [line.payload for line in lines if line.kind == "transfer_refused"]
        assert (refused["slug"], refused["to_agent"]) == ("not-found", "nobody")
        await s.service.publish(TransferRequested(**asked, team_id="orders"))
        await s.service.settle()
        assert (await s.get("/v1/conversations/c1"))["queue_id"] == "orders"


async def test_somebody_else_may_not_release() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        await s.post(f"/v1/offers/{offer_id}/accept")
        assert (await s.post("/v1/conversations/c1/release", "bo")).status_code == 409
        by_boss = await s.post("/v1/conversations/c1/release", "boss", "supervisor")
        assert by_boss.status_code == 200
        assert by_boss.json()["state"] == "waiting"


async def test_clocks_warn_breach_and_are_met() -> None:
    async with scene() as s:
        await s.open("c1")
        await s.pass_time(HOUR + 1)
        [warned] = await s.service.events("SlaWarned")
        [breached] = await s.service.events("SlaBreached")
        assert (warned.percent, breached.due_at_ms) == (75, START_MS + HOUR)
        await s.service.publish(replied("c1", at_ms=START_MS + 2 * HOUR), resolved("c1"))
        await s.service.settle()
        met = await s.service.events("SlaMet")
        assert len(met) == 2
        assert (await s.get("/v1/conversations/c1"))["state"] == "closed"


async def test_a_reopened_conversation_is_found_again_after_it_was_forgotten() -> None:
    async with scene() as s:
        await s.open("c1")
        await s.service.publish(replied("c1"), resolved("c1"))
        await s.service.settle()
        await s.pass_time(HOUR)
        await s.open("other")
        later = START_MS + 2 * HOUR
        await s.service.publish(
            opened("c1", episode=2, first_seq=2), triaged("c1", first_seq=2, received_at_ms=later)
        )
        await s.service.settle()
        conversation = await s.get("/v1/conversations/c1")
        assert (conversation["state"], conversation["episode"]) == ("waiting", 2)
        clocks = {c["metric"]: c["state"] for c in conversation["clocks"]}
        assert clocks == {"first_response": "met", "next_response": "running", "resolution": "running"}


async def test_every_decision_can_be_explained() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        await s.post(f"/v1/offers/{offer_id}/decline")
        page = await s.get("/v1/conversations/c1/decisions")
        assert [d["kind"] for d in page["items"]] == ["wait", "offer"]
        record = page["items"][1]["record"]
        assert (record["filter"], record["chosen"]["agent_id"]) == (5, "ada")
        assert page["items"][0]["record"]["agents"] == {"free": 1, "excluded": 1}
        [team] = await s.service.events("TeamAssigned")
        assert team.decision_id == record["decision_id"]
        first = await s.get("/v1/conversations/c1/decisions?limit=1")
        second = await s.get(f"/v1/conversations/c1/decisions?limit=1&cursor={first['next_cursor']}")
        assert [d["kind"] for d in second["items"]] == ["offer"]


async def test_the_pool_is_the_same_after_its_owner_lost_its_memory() -> None:
    async with scene() as s:
        await s.hire("ada")
        for number in range(5):
            await s.open(f"c{number}")
        [first, *missed] = await s.get("/v1/offers")
        await s.post(f"/v1/offers/{first['offer_id']}/accept")
        before = await s.get("/v1/queues")
        [engine] = [p for p in s.service.assembled.processors if p.group == "routing-engine"]
        engine.claims.forget()
        await s.pass_time(31_000)
        await s.hire("bo")
        after = await s.get("/v1/queues")
        billing = next(q for q in after if q["queue_id"] == "billing")
        assert sum(q["waiting"] + q["offered"] + q["assigned"] for q in before) == 5
        assert billing["waiting"] + billing["offered"] + billing["assigned"] == 5
        given = {o["conversation_id"] for o in await s.get("/v1/offers", "bo")}
        assert given == {o["conversation_id"] for o in missed}
