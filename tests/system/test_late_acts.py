"""What a real host answers to acts that come late, twice, or on an old version."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system.desk import TEAM, TEXT, Desk, refused, until

MESSAGES = "/ingest/v1/messages"


@pytest.fixture
def case(desk: Desk, request: pytest.FixtureRequest) -> Iterator[tuple[str, str, str]]:
    """An agent of this test alone, a conversation, and the agent's offer of it; all ended afterwards."""
    name = re.sub(r"\W+", "-", request.node.name)[-60:].strip("-")
    desk.agent(name)
    found = desk.write()["conversation_id"]
    yield name, found, desk.offer(name, found)
    desk.presence(name, "offline")
    detail = desk.reads(found)
    if detail["status"] != "resolved":
        body = {"through_seq": detail["last_seq"], "reason": "other"}
        assert desk.act(name, found, "resolve", body, detail["human_version"]).status_code == 200


def test_an_act_names_the_version_it_was_made_on(desk: Desk, case: tuple[str, str, str]) -> None:
    name, found, offer = case
    assert desk.accept(name, offer).status_code == 200
    desk.reads(found)
    reply = {"text": "Hello.", "after_seq": 1}
    refused(desk.act(name, found, "replies", reply, None), 428, "version-required", "If-Match")
    assert desk.act(name, found, "replies", reply, 0).status_code == 201
    stale = refused(desk.act(name, found, "replies", reply, 0), 412, "stale-version", "Read it again")
    assert stale["current"] == '"1"'
    late = refused(desk.act(name, found, "resolve", {"through_seq": 9}, 1), 422, "message-not-here")
    assert "9" in late["detail"]
    path = f"/agent/v1/conversations/{found}/resolve"
    unquoted = desk.ask("POST", path, json={"through_seq": 1}, headers={"If-Match": "1"})
    refused(unquoted, 400, "bad-if-match", "in quotes")
    assert desk.act(name, found, "resolve", {"through_seq": 1}, 1).status_code == 200
    for version in (1, 2):
        refused(desk.act(name, found, "resolve", {"through_seq": 1}, version), 409, "already-resolved")


def test_a_key_is_good_for_one_request(desk: Desk, case: tuple[str, str, str]) -> None:
    name, found, offer = case
    key = {"Idempotency-Key": f"key-{found}"}
    first = desk.client.post(MESSAGES, json={"channel": "chat", "text": TEXT}, headers=key)
    again = desk.client.post(MESSAGES, json={"channel": "chat", "text": TEXT}, headers=key)
    assert first.json()["message_id"] == again.json()["message_id"]
    other = desk.client.post(MESSAGES, json={"channel": "chat", "text": "another"}, headers=key)
    refused(other, 422, "idempotency-mismatch", "new")
    desk.reads(found)
    assert desk.act(name, found, "notes", {"text": "one"}, None, **key).status_code == 201
    refused(
        desk.act(name, found, "notes", {"text": "two"}, None, **key), 422, "idempotency-mismatch", "new key"
    )
    assert [note["text"] for note in desk.reads(found)["notes"]] == ["one"]
    path = f"/routing/v1/offers/{offer}/accept"
    accepts = [desk.ask("POST", path, "agent", name, headers=key) for _ in range(2)]
    assert [one.status_code for one in accepts] == [200, 200]
    assert accepts[0].json() == accepts[1].json()


def test_of_two_accepts_at_once_one_is_told_that_the_offer_is_gone(
    desk: Desk, case: tuple[str, str, str]
) -> None:
    name, found, offer = case
    refused(desk.accept("somebody-else", offer), 403, "not-yours", f"{offer}. GET /routing/v1/offers")
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lambda _: desk.accept(name, offer), range(2)), key=lambda a: a.status_code)
    assert answers[0].status_code == 200
    gone = refused(answers[1], 409, "offer-gone", f"{name} has the conversation")
    assert (gone["state"], gone["agent_id"], gone["conversation_id"]) == ("accepted", name, found)


def test_a_late_accept_is_told_that_the_offer_expired(desk: Desk) -> None:
    read = desk.ask("GET", "/routing/v1/directory")
    usual = read.json()["directory"]
    hasty = json.loads(read.text)["directory"]
    next(q for q in hasty["queues"] if q["id"] == TEAM)["offer_timeout_ms"] = 600
    changed = desk.ask("PUT", "/routing/v1/directory", json=hasty, headers={"If-Match": read.headers["etag"]})
    assert changed.status_code == 200, changed.text
    try:
        desk.agent("slow")
        found = desk.write()["conversation_id"]
        offer = desk.offer("slow", found)
        until(lambda: (not desk.offers("slow")) or None, what="the end of the offer")
        gone = refused(desk.accept("slow", offer), 409, "offer-gone", "expired at")
        assert (gone["state"], gone["agent_id"], gone["conversation_state"]) == ("expired", None, "waiting")
    finally:
        back = {"If-Match": changed.headers["etag"]}
        assert desk.ask("PUT", "/routing/v1/directory", json=usual, headers=back).status_code == 200
        desk.presence("slow", "offline")
    old = {"If-Match": read.headers["etag"]}
    refused(
        desk.ask("PUT", "/routing/v1/directory", json=usual, headers=old),
        412,
        "stale-version",
        "Read it again",
    )
    desk.resolve("slow", found)


def test_a_survey_answered_twice_holds_the_second_answer_once(desk: Desk, case: tuple[str, str, str]) -> None:
    name, found, offer = case
    assert desk.accept(name, offer).status_code == 200
    desk.resolve(name, found)

    def asked() -> Any:
        page = desk.done("GET", "/survey/v1/invitations", params={"conversation_id": found})
        return next((one for one in page["items"] if one["state"] == "requested"), None)

    invitation = until(asked, what="the invitation")["id"]
    link = desk.done("GET", f"/survey/v1/invitations/{invitation}/link", "service")["link"]
    path = link[link.index("/survey/") :]
    for body in ({"score": 0}, {"score": 6}, {"score": "5"}, {"score": 5, "who": "me"}, {}):
        refused(desk.client.post(path, json=body), 422, "invalid-request", "#/")
    for score in (2, 2, 5):
        assert desk.client.post(path, json={"score": score}).status_code == 200
    kept = desk.done("GET", f"/survey/v1/invitations/{invitation}")
    assert (kept["state"], kept["score"], kept["revision"]) == ("answered", 5, 2)
    assert [one["score"] for one in kept["answers"]] == [2, 5]
