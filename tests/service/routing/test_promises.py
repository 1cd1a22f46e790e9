"""Promises through the service: a directory with calendars and ladders, what time does, what is published and shown."""

from typing import Any

from libs.contracts import ReplySent, SlaMetric
from tests.service.routing.scenes import scene, triaged
from tests.support.harness import START_MS

MINUTE = 60_000
SLA = {
    "first_response_ms": 20 * MINUTE,
    "next_response_ms": 10 * MINUTE,
    "update_ms": 60 * MINUTE,
    "ladder": [
        {"action": "notify", "percent": 50, "person": "boss"},
        {"action": "boost", "percent": 100, "boost_ms": MINUTE},
    ],
}


async def test_a_ladder_is_climbed_on_the_log_and_a_message_after_the_reply_has_a_clock_of_its_own() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as boss:
        read = await boss.get("/v1/directory")
        shape = read.json()["directory"]
        for queue in shape["queues"]:
            queue["sla"] = SLA
        put = await s.do(boss.put("/v1/directory", json=shape, headers={"If-Match": read.headers["ETag"]}))
        assert put.status_code == 200, put.text
        await s.open("c1")
        # Nobody looks for half an hour, as when the process is down.
        await s.pass_time(30 * MINUTE)
        escalated = await s.service.events("SlaEscalated")
        assert [(e.step, e.outcome, list(e.people)) for e in escalated] == [
            ("50% notify boss", "told", ["boss"]),
            ("100% boost", "boosted", []),
        ]
        [breached] = await s.service.events("SlaBreached")
        assert breached.due_at_ms == START_MS + 20 * MINUTE
        assert (breached.team_id, breached.queue_id, breached.urgency) == ("billing", "billing", "normal")

        await s.service.publish(
            ReplySent(
                reply_id="r",
                conversation_id="c1",
                episode=1,
                agent_id="ada",
                after_seq=1,
                sent_at_ms=START_MS + 31 * MINUTE,
                human=True,
                human_version=1,
            ),
            triaged("c1", first_seq=2, received_at_ms=START_MS + 32 * MINUTE),
        )
        await s.service.settle()
        [met] = await s.service.events("SlaMet")
        assert (met.metric, met.in_time, met.due_at_ms) == (
            SlaMetric.SLA_METRIC_FIRST_RESPONSE,
            False,
            START_MS + 20 * MINUTE,
        )
        shown = await s.get("/v1/conversations/c1")
        assert {c["metric"]: c["state"] for c in shown["clocks"]} == {
            "first_response": "met",
            "next_response": "running",
            "update": "running",
        }
        records = (await s.get("/v1/conversations/c1/decisions"))["items"]
        steps = [r["record"]["step"] for r in records if r["kind"] == "sla_step"]
        assert steps == ["100% boost", "50% notify boss"]


async def test_calendars_keep_public_holidays_and_special_days_and_impossible_ones_are_refused() -> None:
    office: dict[str, Any] = {
        "id": "office",
        "zone": "Europe/Berlin",
        "weekly": [{"weekday": d, "start_minute": 540, "end_minute": 1020} for d in range(5)],
        "holidays": ["2026-12-31"],
        "specials": {"2026-12-24": [{"start_minute": 540, "end_minute": 720}], "2026-12-28": []},
        "regions": ["DE-BY"],
    }
    async with scene() as s, s.service.client("supervisor", "boss") as boss:
        read = await boss.get("/v1/directory")
        shape = read.json()["directory"]
        headers = {"If-Match": read.headers["ETag"]}

        async def refused(shown: dict[str, Any], **sla: Any) -> str:
            queues = [{**q, "sla": {**q["sla"], **sla}} for q in shape["queues"]]
            answer = await boss.put(
                "/v1/directory", json={**shape, "calendars": [shown], "queues": queues}, headers=headers
            )
            assert answer.status_code == 422, answer.text
            return answer.text

        closed = [{"weekday": 0, "start_minute": 600, "end_minute": 600}]
        assert "has no open time" in await refused({**office, "weekly": closed})
        assert "unknown zone" in await refused({**office, "zone": "Europe/Atlantis"})
        assert "2026-12-24" in await refused({**office, "holidays": ["24-12-2026"]})
        assert "there are BB, BE, BW, BY" in await refused({**office, "regions": ["DE-XX"]})
        assert "no public holidays are known of" in await refused({**office, "regions": ["QQ"]})
        assert "first_response_ms" in await refused(office, first_response_ms=0)
        assert "unknown calendar" in await refused(office, calendar="nowhere")

        shape["calendars"] = [office]
        shape["queues"][0]["sla"] = {"first_response_ms": 60 * MINUTE, "calendar": "office"}
        put = await s.do(boss.put("/v1/directory", json=shape, headers=headers))
        assert put.status_code == 200, put.text
        again = (await boss.get("/v1/directory")).json()["directory"]
        assert again["calendars"] == [
            {
                **office,
                "specials": {
                    "2026-12-24": [{"weekday": 0, **office["specials"]["2026-12-24"][0]}],
                    "2026-12-28": [],
                },
            }
        ]
        assert again["queues"][0]["sla"]["resolution_ms"] is None
