"""Presence, leases, the feed and the directory over HTTP."""

import asyncio

from services.routing import workers
from services.routing.settings import RoutingSettings
from tests.service.routing.scenes import read_feed, scene

DATABASE_STEP = 61_000


async def test_a_fresh_installation_has_five_teams_and_tells_them() -> None:
    async with scene() as s:
        body = await s.get("/v1/directory")
        assert [t["id"] for t in body["directory"]["teams"]] == [
            "billing",
            "orders",
            "it-help-desk",
            "product-specialists",
            "general",
        ]
        assert {e.team_id for e in await s.service.events("TeamChanged")} >= {"billing", "general"}


async def test_a_feed_begins_with_the_state_and_goes_on_where_it_was() -> None:
    async with scene() as s:
        await s.hire("ada")
        [state] = await read_feed(s, "ada", 9)
        assert state["event"] == "state"
        assert state["data"]["presence"] == "online"
        await s.open("c1")
        [offer] = await read_feed(s, "ada", 9, last_event_id=state["id"])
        assert (offer["event"], offer["id"]) == ("offer", state["id"] + 1)
        assert offer["data"]["conversation_id"] == "c1"
        assert offer["data"]["expires_at"].endswith("Z")


async def test_a_feed_that_is_too_old_is_told_everything_again() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.open("c1")
        async with s.service.database.begin() as uow:
            await uow.connection.exec_driver_sql("DELETE FROM routing.feed")
            await uow.commit()
        [resync] = await read_feed(s, "ada", 9, last_event_id=1)
        assert resync["event"] == "resync"
        assert [o["conversation_id"] for o in resync["data"]["offers"]] == ["c1"]


async def test_an_agent_without_heartbeats_goes_offline() -> None:
    async with scene() as s:
        await s.hire("ada")
        beat = await s.post("/v1/presence/heartbeat")
        assert beat.status_code == 200
        s.service.clock.advance(DATABASE_STEP)
        assert await workers.end_leases(s.service.database) == 1
        await s.service.settle()
        me = await s.get("/v1/presence")
        assert (me["presence"], me["reason"]) == ("offline", "lease-ended")
        [*_, changed] = await s.service.events("PresenceChanged")
        assert changed.reason == "lease_ended"
        assert (await s.post("/v1/presence/heartbeat")).status_code == 409


async def test_after_a_start_nobody_is_late() -> None:
    async with scene() as s:
        await s.hire("ada")
        s.service.clock.advance(DATABASE_STEP)
        await workers.extend_leases(s.service.database, 60)
        assert await workers.end_leases(s.service.database) == 0


async def test_presence_is_for_people_of_the_directory() -> None:
    async with scene() as s, s.service.client("agent", "nobody") as client:
        response = await client.put("/v1/presence", json={"presence": "online"})
        assert response.status_code == 404
        assert response.json()["type"].endswith("unknown-agent")


async def test_a_slow_engine_is_asked_again_at_the_location() -> None:
    async with scene(answer_seconds=0.05) as s, s.service.client("supervisor", "boss") as client:
        body = {"name": "Ada", "teams": ["billing"], "languages": ["en"]}
        response = await client.put("/v1/agents/ada", json=body)
        assert response.status_code == 202
        path = response.headers["Location"].removeprefix("/routing")
        assert (await client.get(path)).status_code == 202
        await s.service.settle()
        assert (await client.get(path)).json()["agent_id"] == "ada"
        assert (await client.get("/v1/commands/never")).status_code == 404


async def test_the_directory_changes_only_for_those_who_have_read_it() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        read = await client.get("/v1/directory")
        shape = read.json()["directory"]
        shape["missed_limit"] = 5
        assert (await client.put("/v1/directory", json=shape)).status_code == 428
        stale = await client.put("/v1/directory", json=shape, headers={"If-Match": '"99"'})
        assert stale.status_code == 412
        headers = {"If-Match": read.headers["ETag"]}
        changed = await s.do(client.put("/v1/directory", json=shape, headers=headers))
        assert changed.json() == {"version": 2}
        assert (await client.get("/v1/directory")).json()["directory"]["missed_limit"] == 5


async def test_a_faulty_directory_is_refused_with_every_fault() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        read = await client.get("/v1/directory")
        shape = read.json()["directory"]
        shape["filters"] = shape["filters"][:-1]
        shape["queues"][0]["team"] = "nowhere"
        response = await client.put("/v1/directory", json=shape, headers={"If-Match": read.headers["ETag"]})
        assert response.status_code == 422
        assert len(response.json()["problems"]) == 2


async def test_people_are_added_changed_and_removed() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        await s.hire("ada")
        read = await client.get("/v1/agents/ada")
        body = {**read.json()["agent"], "languages": ["en", "it"]}
        assert (await client.put("/v1/agents/ada", json=body)).status_code == 428
        headers = {"If-Match": read.headers["ETag"]}
        changed = await s.do(client.put("/v1/agents/ada", json=body, headers=headers))
        assert changed.json()["agent"]["languages"] == ["en", "it"]
        headers = {"If-Match": changed.headers["ETag"]}
        gone = await s.do(client.delete("/v1/agents/ada", headers=headers))
        assert gone.status_code == 200
        assert (await client.get("/v1/agents/ada")).status_code == 404
        people = await s.service.events("PersonChanged")
        assert [p.removed for p in people] == [False, False, True]
        await s.hire("ada")
        assert (await s.get("/v1/presence"))["feed_seq"] >= 2


async def test_an_agent_of_an_unknown_team_is_refused() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        body = {"name": "X", "teams": ["nowhere"], "languages": []}
        response = await s.do(client.put("/v1/agents/x", json=body))
        assert response.status_code == 422
        assert "unknown team 'nowhere'" in response.json()["problems"][0]


async def test_agents_may_not_change_the_directory() -> None:
    async with scene() as s, s.service.client("agent", "ada") as client:
        assert (await client.put("/v1/agents/x", json={})).status_code == 403


async def test_queues_say_who_waits_since_when() -> None:
    async with scene() as s:
        await s.open("c1")
        await s.open("c2", topic="order")
        counts = {q["queue_id"]: q["waiting"] for q in await s.get("/v1/queues")}
        assert counts == {
            "billing": 1,
            "orders": 1,
            "it-help-desk": 0,
            "product-specialists": 0,
            "general": 0,
        }


async def test_old_rows_go_and_young_ones_stay() -> None:
    async with scene() as s:
        await s.hire("ada")
        stop = asyncio.Event()
        s.service.clock.advance(25 * 3_600_000)
        work = asyncio.create_task(workers.forget_old(s.service.database, RoutingSettings(), stop))
        await asyncio.sleep(0.3)
        stop.set()
        await work
        async with s.service.database.read() as connection:
            feed = (await connection.exec_driver_sql("SELECT count(*) FROM routing.feed")).scalar()
            results = (await connection.exec_driver_sql("SELECT count(*) FROM routing.results")).scalar()
        assert feed == 0
        assert results == 2
