"""A supervisor's day over HTTP: what they see, what they order, and the audit of it."""

import asyncio
from typing import Any

from services.routing import waits
from services.routing.adapters.known_directories import KnownDirectories
from tests.service.routing.scenes import Scene, scene

BOSS = ("boss", "supervisor")


async def order(
    s: Scene, method: str, path: str, body: dict[str, Any], etag: str = "*", **headers: str
) -> Any:
    async with s.service.client("supervisor", "boss") as client:
        sent = {"If-Match": etag, **headers}
        return await s.do(client.request(method, path, json=body, headers=sent))


async def etag(s: Scene, conversation_id: str) -> str:
    async with s.service.client("supervisor", "boss") as client:
        found = await client.get(f"/v1/conversations/{conversation_id}")
        return found.headers["ETag"]


async def queue(s: Scene, queue_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(q for q in await s.get("/v1/queues") if q["queue_id"] == queue_id)
    return found


async def test_a_supervisor_pins_boosts_and_moves_and_everybody_can_read_why() -> None:
    async with scene() as s:
        for number in range(4):
            await s.open(f"c{number}")
        seen = await etag(s, "c2")
        pinned = await order(s, "PUT", "/v1/conversations/c2/pin", {"reason": "the mayor"}, seen)
        assert pinned.status_code == 200, pinned.text
        stale = await order(s, "PUT", "/v1/conversations/c2/boost", {"boost_ms": 1000}, seen)
        assert (stale.status_code, stale.json()["current"]) == (412, pinned.headers["ETag"])
        bare = await s.post("/v1/conversations/c2/move", *BOSS, json={"queue_id": "orders"})
        assert bare.status_code == 428
        boost = {"boost_ms": 7_200_000, "reason": "waited twice"}
        boosted = await order(s, "PUT", "/v1/conversations/c1/boost", boost, await etag(s, "c1"))
        assert boosted.status_code == 200
        first = await s.get("/v1/queues/billing/conversations?limit=2")
        second = await s.get(f"/v1/queues/billing/conversations?limit=2&cursor={first['next_cursor']}")
        rows = [*first["items"], *second["items"]]
        assert [r["conversation_id"] for r in rows] == ["c2", "c1", "c0", "c3"]
        assert rows[0]["pinned_at"]
        assert rows[1]["boost_parts"] == {"by_hand": 7_200_000}
        [decision] = [
            d for d in (await s.get("/v1/conversations/c2/decisions"))["items"] if d["kind"] == "pinned"
        ]
        assert (decision["record"]["by"], decision["record"]["reason"]) == ("boss", "the mayor")

        key = {"Idempotency-Key": "move-c3"}
        body = {"team_id": "orders", "reason": "wrong shop"}
        moved = await order(s, "POST", "/v1/conversations/c3/move", body, **key)
        again = await order(s, "POST", "/v1/conversations/c3/move", body, **key)
        assert (moved.status_code, again.json(), moved.json()["hops"]) == (200, moved.json(), 0)
        assert moved.json()["queue_id"] == "orders"
        audit = (await s.get("/v1/audit", *BOSS))["items"]
        told = [(o["action"], o["about"], o["reason"], o["outcome"]) for o in audit]
        assert told == [
            ("move", "c3", "wrong shop", "ok"),
            ("boost", "c1", "waited twice", "ok"),
            ("pin", "c2", "the mayor", "ok"),
        ]
        page = await s.get("/v1/audit?limit=2", *BOSS)
        rest = await s.get(f"/v1/audit?limit=2&cursor={page['next_cursor']}", *BOSS)
        assert [o["action"] for o in rest["items"]] == ["pin"]
        assert len((await s.get("/v1/audit?about=c3", *BOSS))["items"]) == 1
        assert (await s.post("/v1/conversations/c1/move", "ada", json=body)).status_code == 403


async def test_a_drained_agent_finishes_and_gets_nothing_more_and_the_roster_says_so() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        await s.post(f"/v1/offers/{offer_id}/accept")
        await s.open("c2")
        drained = await order(s, "PUT", "/v1/agents/ada/drain", {"on": True, "reason": "training"})
        assert drained.json() == {"agent_id": "ada", "pool_id": None, "draining": True, "changed": True}
        assert await s.offers() == []
        assert [a["conversation_id"] for a in await s.get("/v1/assignments")] == ["c1"]
        [row] = (await s.get("/v1/roster?presence=online", *BOSS))["items"]
        assert (row["draining"], row["assigned"], row["offered"]) == (True, {"chat": 1}, {})
        assert (await s.get("/v1/roster?presence=away", *BOSS))["items"] == []
        billing = await queue(s, "billing")
        assert billing["unserved"]["reason"] == "everybody who could take it drains"
        [alarm] = await s.service.events("QueueUnserved")
        assert (alarm.conversation_id, alarm.team_id) == ("c2", "billing")

        # The alarm and the drain are rows: a new owner of the pool knows them.
        [engine] = [p for p in s.service.assembled.processors if p.group == "routing-engine"]
        engine.claims.forget()
        undone = await order(s, "PUT", "/v1/agents/ada/drain", {"on": False})
        assert undone.json()["changed"]
        assert len(await s.offers()) == 1
        assert (await queue(s, "billing"))["unserved"] is None
        assert (await order(s, "PUT", "/v1/agents/nobody/drain", {"on": True})).status_code == 404
        everybody = await order(s, "PUT", "/v1/pools/default/drain", {"on": True, "give_back": True})
        assert everybody.json()["pool_id"] == "default"
        assert (await s.get("/v1/conversations/c1"))["state"] == "waiting"


async def test_a_closed_queue_takes_nothing_new_and_says_who_closed_it() -> None:
    async with scene() as s:
        await s.open("c1")
        closing = {"on": True, "move_waiting": True, "reason": "flood in the office"}
        closed = await order(s, "PUT", "/v1/queues/billing/closed", closing)
        assert closed.json() == {"queue_id": "billing", "closed": True, "changed": True, "moved": 1}
        await s.open("c2")
        for conversation_id in ("c1", "c2"):
            assert (await s.get(f"/v1/conversations/{conversation_id}"))["queue_id"] == "general"
        seen = (await queue(s, "billing"))["closed"]
        assert (seen["by"], seen["reason"]) == ("boss", "flood in the office")
        refused = await order(s, "POST", "/v1/conversations/c1/move", {"queue_id": "billing"})
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "queue-closed")
        await order(s, "PUT", "/v1/queues/billing/closed", {"on": False})
        await s.open("c3")
        assert (await s.get("/v1/conversations/c3"))["queue_id"] == "billing"


async def test_what_is_late_or_soon_due_is_seen_in_the_queue_and_one_by_one() -> None:
    async with scene() as s:
        await s.open("late")
        await s.pass_time(50 * 60_000)
        await s.open("young", received_at_ms=s.service.clock.now_ms())
        billing = await queue(s, "billing")
        assert (billing["breached"], billing["due_soon"], billing["waiting"]) == (0, 1, 2)
        await s.pass_time(15 * 60_000)
        assert (await queue(s, "billing"))["breached"] == 1
        assert [c["conversation_id"] for c in (await s.get("/v1/at-risk"))["items"]] == ["late"]
        both = await s.get("/v1/at-risk?within_seconds=7200&limit=1")
        rest = await s.get(f"/v1/at-risk?within_seconds=7200&cursor={both['next_cursor']}")
        assert [c["conversation_id"] for c in (*both["items"], *rest["items"])] == ["late", "young"]


async def test_the_overview_is_followed_as_a_stream() -> None:
    async with scene() as s:
        await s.open("c1")
        app = s.service.assembled.app
        app.state.stopping.clear()
        async with s.service.client("supervisor", "boss") as boss:
            request = boss.get("/v1/overview/stream")

            async def change_and_stop() -> None:
                await asyncio.sleep(0.3)
                await s.open("c2")
                await asyncio.sleep(1.2)
                app.state.stopping.set()

            response, _ = await asyncio.gather(request, change_and_stop())
        app.state.stopping.clear()
        seen = [line for line in response.text.split("\n") if line.startswith("data: ")]
        assert '"waiting":1' in seen[0].replace(" ", "")
        assert '"waiting":2' in seen[-1].replace(" ", "")


async def test_an_agent_asks_for_somebody_else_and_too_many_transfers_are_refused() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        [offer_id] = await s.offers()
        await s.post(f"/v1/offers/{offer_id}/accept")
        directory = (await s.get("/v1/directory"))["directory"]
        relief = {"escalates_to": "general", "escalation_boost_ms": 600_000}
        directory["queues"][0]["relief"] = {**directory["queues"][0]["relief"], **relief}
        changed = await order(s, "PUT", "/v1/directory?reason=leads", directory)
        assert changed.status_code == 200, changed.text
        asked = await s.post("/v1/conversations/c1/escalate", json={"reason": "wants the manager"})
        assert asked.status_code == 200, asked.text
        assert (asked.json()["queue_id"], asked.json()["state"]) == ("general", "waiting")
        assert (await s.get("/v1/conversations/c1"))["boost_parts"] == {"escalation": 600_000}
        for team in ("orders", "it-help-desk", "orders"):
            assert (await s.post("/v1/conversations/c1/transfer", *BOSS, json={"team_id": team})).is_success
        often = await s.post("/v1/conversations/c1/transfer", *BOSS, json={"team_id": "general"})
        assert (often.status_code, often.json()["type"].rpartition(":")[2]) == (409, "too-many-hops")
        by_hand = await order(s, "POST", "/v1/conversations/c1/move", {"team_id": "general"})
        assert (by_hand.status_code, by_hand.json()["hops"]) == (200, 3)


async def test_who_waits_is_told_the_place_and_the_time_once_and_again_when_it_changes() -> None:
    async with scene() as s:
        directory = (await s.get("/v1/directory"))["directory"]
        directory["queues"][0]["relief"] |= {"overflow": "general", "overflow_expected_ms": 60_000}
        assert (await order(s, "PUT", "/v1/directory", directory)).status_code == 200
        await s.hire("bo", team="general")
        await s.hire("ada")
        async with s.service.client("agent", "ada") as ada:
            await s.do(ada.put("/v1/presence", json={"presence": "away"}))
        await s.open("c1")
        await s.open("c2")
        await s.open("mail", channel="mail")
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default") == 2
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default") == 0
        first = {
            e.conversation_id: (e.position, e.expected_ms) for e in await s.service.events("WaitPredicted")
        }
        assert first == {"c1": (1, 0), "c2": (2, 0)}
        async with s.service.client("agent", "ada") as ada:
            await s.do(ada.put("/v1/presence", json={"presence": "no_new"}))
            await s.do(ada.put("/v1/presence", json={"presence": "online"}))
        offers = {o["conversation_id"]: o["offer_id"] for o in await s.get("/v1/offers")}
        await s.post(f"/v1/offers/{offers['c1']}/accept")
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default") == 1
        [again] = [e for e in await s.service.events("WaitPredicted") if e.expected_ms]
        assert (again.conversation_id, again.position) == ("c2", 1)
        assert 0 < again.low_ms < again.expected_ms < again.high_ms
        shown = await s.get("/v1/conversations/c2/wait")
        assert (shown["position"], shown["expected_ms"]) == (1, again.expected_ms)
        async with s.service.client("agent", "ada") as ada:
            assert (await ada.get("/v1/conversations/c1/wait")).status_code == 404

        # A median of minutes is more than billing lets anybody wait; offered already, it stays.
        await s.service.settle()
        assert (await s.get("/v1/conversations/c2"))["queue_id"] == "billing"
        async with s.service.client("agent", "ada") as ada:
            await s.do(ada.put("/v1/presence", json={"presence": "away"}))
        await s.open("c3")
        await s.open("c4")
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default") >= 1
        await s.service.settle()
        assert (await s.get("/v1/conversations/c4"))["queue_id"] == "general"
