"""What routing tells of waits and hours for the customer to hear, and what comes back as a wish for a call."""

from typing import Any

from libs.contracts import CallBackRequested, CustomerIdentified
from services.routing import waits
from services.routing.adapters.known_directories import KnownDirectories
from tests.service.routing.scenes import Scene, scene

CLOSED = {
    "id": "mondays",
    "zone": "Europe/Rome",
    "weekly": [{"weekday": 0, "start_minute": 540, "end_minute": 1080}],
    "specials": {},
}


async def edit(s: Scene, **relief: Any) -> None:
    """The queue of billing gets this relief."""
    async with s.service.client("supervisor", "boss") as boss:
        answer = await boss.get("/v1/directory")
        directory = answer.json()["directory"]
        directory["calendars"].append(CLOSED)
        queue = next(q for q in directory["queues"] if q["team"] == "billing")
        queue["relief"] = {**queue["relief"], **relief}
        headers = {"If-Match": answer.headers["ETag"]}
        put = await s.do(boss.put("/v1/directory", json=directory, headers=headers))
    assert put.status_code == 200, put.text


async def test_who_has_just_come_is_not_told_and_who_wants_a_call_is_told_no_more() -> None:
    async with scene() as s:
        await edit(s, call_back=True)
        await s.open("c1")
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default", 15) == 0
        await s.pass_time(15_000)
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default", 15) == 1
        assert (await s.service.events("WaitPredicted"))[0].call_back_offered
        wish = CallBackRequested(conversation_id="c1", episode=1, message_seq=2, requested_at_ms=1)
        await s.service.publish(wish, wish)
        await s.service.settle()
        assert (await s.get("/v1/conversations/c1"))["call_back"] is True
        await s.open("c2")
        await s.pass_time(15_000)
        assert await waits.tell(s.service.database, KnownDirectories("default"), "default", 15) == 1, (
            "c2 alone"
        )
        audit = await s.get("/v1/audit?about=c1", "boss", "supervisor")
        assert {(one["by"], one["action"]) for one in audit["items"]} == {("customer", "call-back")}


async def test_the_hours_are_told_with_their_zone_and_the_alarm_is_listed() -> None:
    async with scene() as s:
        await edit(s, hours="mondays")
        await s.open("c1")
        [closed] = await s.service.events("OutOfHours")
        assert (closed.conversation_id, closed.zone) == ("c1", "Europe/Rome")
        assert closed.opens_at_ms > 0
        notices = await s.get("/v1/notices?kind=unserved", "boss", "supervisor")
        assert [one["about"] for one in notices["items"]] == ["billing"], "nobody is in the directory"
        assert (await s.get("/v1/notices?kind=pool", "boss", "supervisor"))["items"] == []
        first = await s.get("/v1/notices?limit=1", "boss", "supervisor")
        assert len(first["items"]) == 1


async def test_an_agents_screen_names_the_customer_the_queue_the_promises_and_the_reason() -> None:
    async with scene() as s:
        await s.hire("ada")
        await s.service.publish(CustomerIdentified(customer_id="customer", display_name="Tom"))
        await s.open("c1")
        [offer] = await s.get("/v1/offers")
        assert offer["customer"] == {"customer_id": "customer", "name": "Tom"}
        assert offer["queue_name"]
        assert offer["team_name"]
        assert {clock["metric"] for clock in offer["clocks"]} >= {"first_response", "resolution"}
        assert offer["why"]["rule"] == "least_flexible"
        assert offer["why"]["text"].startswith("Of those with room")
        accepted = await s.post(f"/v1/offers/{offer['offer_id']}/accept")
        assert accepted.status_code == 200
        [held] = await s.get("/v1/assignments")
        assert (held["customer"]["name"], held["queue_name"]) == ("Tom", offer["queue_name"])
        ticket = await s.post("/v1/feed/tickets")
        assert ticket.status_code == 201
        assert ticket.json()["ticket"]
