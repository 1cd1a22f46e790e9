"""A second policy looks on: it is put over HTTP, decides beside the live one, survives a restart and never acts."""

from tests.service.routing.scenes import scene

BOSS = ("boss", "supervisor")


async def test_differences_of_a_second_policy_are_listed_and_counted_and_nobody_acts_on_them() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.hire("bo")
        async with s.service.client("supervisor", "boss") as boss:
            live = (await boss.get("/v1/directory")).json()["directory"]
            assert (await boss.get("/v1/shadow")).status_code == 404
            same = await s.do(boss.put("/v1/shadow", json={"name": "same", "directory": live}))
            assert same.json() == {"name": "same", "on": True}, same.text
            await s.open("c1")
            assert (await boss.get("/v1/shadow/differences")).json()["items"] == []
            other = {**live, "filters": [{"queue": "general"}]}
            other["queues"] = [{**q, "skills": {"certified": 1}} for q in live["queues"]]
            refused = await boss.put("/v1/shadow", json={"name": "x", "directory": {**other, "filters": []}})
            assert refused.status_code == 422
            await s.do(boss.put("/v1/shadow", json={"name": "strict", "directory": other}))
        for processor in s.service.assembled.processors:
            processor.claims.forget()
        await s.open("c2")
        await s.open("c3")
        assert len(await s.offers("ada")) + len(await s.offers("bo")) == 3, "the live policy acts"
        first = await s.get("/v1/shadow/differences?limit=1&policy=strict", *BOSS)
        second = await s.get(f"/v1/shadow/differences?policy=strict&cursor={first['next_cursor']}", *BOSS)
        found = [*first["items"], *second["items"]]
        kinds = {(d["kind"], d["conversation_id"]) for d in found}
        assert kinds == {("queue", "c2"), ("agent", "c2"), ("queue", "c3"), ("agent", "c3")}
        by_agent = next(d for d in found if d["kind"] == "agent")
        assert by_agent["live"] in ("ada", "bo")
        assert by_agent["shadow"] is None, "nobody is certified"
        assert by_agent["policy"] == "strict"
        shown = await s.get("/v1/shadow", *BOSS)
        assert (shown["name"], shown["by"]) == ("strict", "boss")
        async with s.service.client("supervisor", "boss") as boss:
            ended = await s.do(boss.delete("/v1/shadow"))
            assert ended.json()["on"] is False
            assert (await boss.get("/v1/shadow")).status_code == 404
