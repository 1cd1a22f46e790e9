"""Several pools in one deployment: who comes where, hand-overs between them, processes that share and take over."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from libs.contracts import PARTITIONS, TransferRequested, partition_of
from libs.streams import dead_letters
from services.routing.adapters.contracts import pool_command
from services.routing.config.platform import PlatformDirectory
from services.routing.domain.orders import Drain
from services.routing.service import definition
from services.routing.settings import RoutingSettings
from tests.service.routing.scenes import Scene, opened, read_feed, replied, resolved, scene, triaged
from tests.support.harness import ServiceUnderTest, second

BOSS = ("boss", "supervisor")
SALES: dict[str, Any] = {
    "teams": [{"id": "sellers", "name": "Sellers"}],
    "queues": [{"id": "sales", "team": "sellers", "name": "Sales", "sla": {"first_response_ms": 60_000}}],
    "filters": [{"queue": "sales"}],
    "capacities": [
        {
            "id": "default",
            "budget": 100,
            "interruptible_budget": 0,
            "channels": [{"channel": "chat", "weight": 50, "max_count": 2}],
        }
    ],
}


async def make_sales(s: Scene, **takes: Any) -> None:
    async with s.service.client("supervisor", "boss") as boss:
        known = await boss.get("/v1/pools")
        made = await boss.put(
            "/v1/pools/sales-pool",
            json={"takes": takes or {"topics": ["product"]}, "directory": SALES, "reason": "apart"},
            headers={"If-Match": known.headers["ETag"]},
        )
    assert made.status_code == 201, made.text


async def test_screens_name_the_queues_of_their_pool_and_see_a_change_at_once() -> None:
    async with scene() as s:
        await make_sales(s)
        await s.hire("ada")
        await s.hire("sam", team="sellers")
        await s.open("c1")
        await s.open("p1", topic="product.price")
        [billed], [sold] = await s.get("/v1/offers", "ada"), await s.get("/v1/offers", "sam")
        assert (billed["queue_id"], sold["queue_id"]) == ("billing", "sales")
        assert (sold["queue_name"], sold["team_name"]) == ("Sales", "Sellers")
        assert billed["team_name"] not in ("", "Sellers")

        async with s.service.client("supervisor", "boss") as boss:
            known = await boss.get("/v1/directory?pool=sales-pool")
            changed = {**known.json()["directory"], "teams": [{"id": "sellers", "name": "Shop"}]}
            put = boss.put(
                "/v1/directory?pool=sales-pool", json=changed, headers={"If-Match": known.headers["ETag"]}
            )
            assert (await s.do(put)).status_code == 200
        [sold] = await s.get("/v1/offers", "sam")
        [same] = await s.get("/v1/offers", "ada")
        assert (sold["team_name"], same["team_name"]) == ("Shop", billed["team_name"])

        lines = await read_feed(s, "sam", 9, last_event_id=1)
        shown = [line["data"] for line in lines if line["event"] == "offer"]
        assert [(one["queue_name"], one["team_name"]) for one in shown] == [("Sales", "Shop")]
        notices = await s.get("/v1/notices?pool=sales-pool", *BOSS)
        assert notices["items"] == []


async def test_pools_share_what_comes_and_hand_over_between_them_with_age_clocks_and_the_next_epoch() -> None:
    async with scene() as s:
        await make_sales(s)
        await s.hire("ada")
        await s.hire("sam", team="sellers")
        await s.open("c1")
        await s.open("p1", topic="product.price")
        assert (await s.get("/v1/offers", "sam"))[0]["queue_id"] == "sales"
        for agent in ("ada", "sam"):
            [offer_id] = await s.offers(agent)
            assert (await s.post(f"/v1/offers/{offer_id}/accept", agent)).status_code == 200
        assert [q["queue_id"] for q in await s.get("/v1/queues?pool=sales-pool")] == ["sales"]

        before = await s.get("/v1/conversations/c1")
        moved = await s.post(
            "/v1/conversations/c1/transfer", json={"queue_id": "sales", "reason": "wants a quote"}
        )
        assert (moved.status_code, moved.json()["state"]) == (200, "moved"), moved.text
        # What comes for it meanwhile goes to the pool that it left, and is passed on.
        await s.service.publish(replied("c1"), triaged("c1", first_seq=2))
        await s.service.settle()
        after = await s.get("/v1/conversations/c1")
        assert (after["queue_id"], after["team_id"], after["state"]) == ("sales", "sellers", "offered")
        assert after["eligible_at"] == before["eligible_at"]
        assert after["epoch"] >= before["epoch"] + 2, "one for the crossing, one for the offer"
        clocks = {c["metric"]: c["state"] for c in after["clocks"]}
        assert clocks["first_response"] == "met", "the reply was heard of in the new pool"
        [offer_id] = await s.offers("sam")
        assert (await s.post(f"/v1/offers/{offer_id}/accept", "sam")).status_code == 200
        async with s.service.client("supervisor", "boss") as client:
            seen = (await PlatformDirectory(client).read("sales-pool")).configuration
            rest = (await PlatformDirectory(client).read()).configuration
        assert (seen.pool_id, sorted(seen.agents or {})) == ("sales-pool", ["sam"])
        assert (rest.pool_id, sorted(rest.agents or {})) == ("default", ["ada"])
        kinds = [d["kind"] for d in (await s.get("/v1/conversations/c1/decisions"))["items"]]
        assert {"left-pool", "adopted"} <= set(kinds)

        back = TransferRequested(conversation_id="c1", episode=1, requested_by="sam", agent_id="ada")
        await s.service.publish(back)
        await s.service.settle()
        again = await s.get("/v1/conversations/c1")
        assert (again["queue_id"], again["epoch"] > after["epoch"]) == ("billing", True)
        await s.service.publish(resolved("c1"))
        await s.service.settle()
        assert (await s.get("/v1/conversations/c1"))["state"] == "closed"
        await s.service.publish(opened("c1", episode=2, first_seq=3), triaged("c1", first_seq=3))
        await s.service.settle()
        assert (await s.get("/v1/conversations/c1"))["queue_id"] == "billing"
        epochs = [e.epoch for e in await s.service.events("AgentAssigned") if e.conversation_id == "c1"]
        assert epochs == sorted(set(epochs))


async def test_what_makes_no_sense_of_pools_is_refused() -> None:
    async with scene() as s:
        await make_sales(s)
        async with s.service.client("supervisor", "boss") as boss:
            known = (await boss.get("/v1/pools")).headers["ETag"]
            match = {"If-Match": known}
            first = await boss.put("/v1/pools/default", json={}, headers=match)
            assert first.status_code == 422
            unknown = await boss.put("/v1/pools/other", json={}, headers=match)
            assert unknown.status_code == 404
            twice = await boss.put("/v1/pools/other", json={"directory": SALES}, headers=match)
            assert "'sales' is in the pool 'sales-pool'" in twice.text
            stale = await boss.put("/v1/pools/sales-pool", json={}, headers={"If-Match": '"99"'})
            assert stale.status_code == 412
            changed = await boss.put(
                "/v1/pools/sales-pool", json={"takes": {"languages": ["it"]}}, headers=match
            )
            assert changed.json()["pools"] == [
                {
                    "id": "sales-pool",
                    "takes": {"topics": [], "languages": ["it"], "channels": [], "queue_hints": []},
                },
                {"id": "default", "takes": None},
            ]
            audit = (await boss.get("/v1/audit?pool=sales-pool")).json()["items"]
            assert [a["action"] for a in audit] == ["change-pool", "make-pool"]
            for refused in (
                await boss.put("/v1/pools/nowhere/drain", json={"on": True}),
                await boss.delete("/v1/shadow?pool=nowhere"),
            ):
                assert refused.status_code == 404
                assert "no such pool" in refused.json()["detail"]


async def test_a_command_for_a_pool_that_is_not_there_holds_nobody_up() -> None:
    async with scene() as s:
        lost = Drain(command_id="lost", by="boss", reason="", agent_id="", on=True, give_back=False)
        await s.service.publish(pool_command("nowhere", lost))
        await s.service.publish(opened("c1"), triaged("c1", topic="invoice"))
        await s.service.settle()
        assert (await s.get("/v1/conversations/c1"))["state"] in ("offered", "waiting")
        async with s.service.database.read() as connection:
            [letter] = await dead_letters.page(connection, "routing")
        assert "no pool is called 'nowhere'" in letter.error


async def _run(*services: ServiceUnderTest) -> None:
    """Both processes, turn by turn, until neither has anything to do."""
    quiet = 0
    while quiet < 4:
        handled = 0
        for service in services:
            await service.log.refresh()
            for processor in service.assembled.processors:
                handled += await processor.round()
        quiet = 0 if handled else quiet + 1
        await asyncio.sleep(0.02 if quiet else 0)


def owned(service: ServiceUnderTest) -> frozenset[int]:
    """The partitions, and with them the pools, whose engine this process is."""
    [engine] = [p for p in service.assembled.processors if p.group == "routing-engine"]
    return engine.claims.partitions


async def test_two_processes_share_the_pools_and_one_takes_over_when_the_other_dies() -> None:
    async with scene() as s, AsyncExitStack() as stack:
        await make_sales(s)
        assert partition_of("sales-pool") != partition_of("default")
        await s.hire("ada")
        await s.hire("sam", team="sellers")
        other = await stack.enter_async_context(
            second(s.service, definition, RoutingSettings(answer_seconds=30.0))
        )
        async with asyncio.timeout(30):
            while not all(owned(one) for one in (s.service, other)) or owned(s.service) & owned(other):
                await _run(s.service, other)
                await asyncio.sleep(0.2)
        homes = {partition_of("sales-pool"), partition_of("default")}
        assert homes <= owned(s.service) | owned(other)
        await s.service.publish(opened("c1"), triaged("c1"), opened("p1"), triaged("p1", topic="product"))
        await _run(s.service, other)
        held = [await s.offers("ada"), await s.offers("sam")]
        assert [len(offers) for offers in held] == [1, 1]
        # The first process is gone without a word: nothing drives it any more. Its leases end, the other has all.
        survivor = Scene(other)
        async with asyncio.timeout(30):
            while len(owned(other)) < PARTITIONS:
                await _run(other)
                await asyncio.sleep(0.2)
        await s.service.publish(opened("c2"), triaged("c2"), opened("p2"), triaged("p2", topic="product"))
        await survivor.service.settle()
        assert (await survivor.post(f"/v1/offers/{held[0][0]}/accept", "ada")).status_code == 200
        assert (await survivor.post(f"/v1/offers/{held[1][0]}/accept", "sam")).status_code == 200
        assert len(await survivor.offers("ada")) == len(await survivor.offers("sam")) == 1
        told = await other.events("AgentOffered")
        assert sorted(e.conversation_id for e in told) == ["c1", "c2", "p1", "p2"], "each was decided once"
