"""What a real host answers to wrong, hostile, late and doubled requests: a problem that can be acted on, never a 500."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import httpx
import pytest

from libs.contracts.partition import partition_of
from libs.storage.embedded import EmbeddedPostgres
from tests.system.conftest import RunningHost
from tests.system.desk import PROBLEM, TEAM, TEXT, Desk, until

MESSAGES = "/ingest/v1/messages"
JSON = {"Content-Type": "application/json"}
UNEXPECTED = re.compile(r"^centralino_http_unexpected_errors_total(?:\{[^}]*\})? (\S+)$", re.M)
LETTERS = "ingest.messages.v1"


def _unexpected(desk: Desk) -> float:
    return sum(float(value) for value in UNEXPECTED.findall(desk.client.get("/metrics").text))


@pytest.fixture(scope="module")
def whole(host: RunningHost) -> Desk:
    return Desk(host.url, host.data)


@pytest.fixture
def desk(whole: Desk) -> Iterator[Desk]:
    """A client of the host, which must not have met an error nobody foresaw."""
    yield whole
    assert _unexpected(whole) == 0


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


def refused(answer: httpx.Response, status: int, slug: str, said: str = "") -> Any:
    """The problem document of a refusal, checked in all its parts."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["type"] == f"urn:centralino:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert len(problem["detail"].split()) >= 3
    assert problem["detail"] != problem["title"]
    assert said.lower() in problem["detail"].lower()
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return problem


def _message(**change: Any) -> bytes:
    return json.dumps({"channel": "chat", "text": TEXT, **change}).encode()


@pytest.mark.parametrize(
    ("body", "status", "slug", "said"),
    [
        pytest.param(_message(colour="red"), 422, "invalid-request", "#/colour", id="unknown field"),
        pytest.param(_message(text=7), 422, "invalid-request", "#/text: Input should be", id="wrong type"),
        pytest.param(_message(channel="fax"), 422, "invalid-request", "'web', 'chat'", id="no such channel"),
        pytest.param(_message(account="other"), 422, "unknown-account", "'other'", id="no such account"),
        pytest.param(b'{"channel": "chat"}', 422, "invalid-request", "#/text", id="missing field"),
        pytest.param(_message(text=""), 422, "invalid-request", "#/text", id="empty"),
        pytest.param(_message(text=" \n\t\u3000"), 422, "empty-text", "empty", id="white space"),
        pytest.param(_message(text="a" * 70_000), 413, "too-large", "65536 bytes", id="long text"),
        pytest.param(_message(text="a" * 2**20), 413, "too-large", "524288 bytes", id="one megabyte"),
        pytest.param(_message(text="@").replace(b"@", b"\xc3\x28"), 400, "not-utf8", "UTF-8", id="no UTF-8"),
        pytest.param(_message(text="@").replace(b"@", b"a\0b"), 400, "not-utf8", "NUL", id="raw NUL"),
        pytest.param(_message(text="a\0b"), 422, "unstorable-text", "NUL", id="escaped NUL"),
        pytest.param(_message(text="\ud800"), 422, "unstorable-text", "surrogate", id="high half"),
        pytest.param(_message(text="a\udfffb"), 422, "unstorable-text", "surrogate", id="low half"),
        pytest.param(
            _message(sender={"name": "\udc00"}), 422, "unstorable-text", "surrogate", id="half name"
        ),
        pytest.param(b'{"channel": "chat", ', 400, "malformed-json", "not JSON", id="cut off"),
        pytest.param(b"", 400, "malformed-json", "not JSON", id="no body"),
        pytest.param(b"[" * 100_000, 400, "malformed-json", "not JSON", id="deep"),
        pytest.param(b"[]", 422, "invalid-request", "object", id="a list"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(
    desk: Desk, body: bytes, status: int, slug: str, said: str
) -> None:
    refused(desk.client.post(MESSAGES, content=body, headers=JSON), status, slug, said)


@pytest.mark.parametrize(
    "text", ["\u202eabc\u202c \u200fשלום\u200e", "مرحبا\u061c 1", "e\u0301\U0001f469\u200d\U0001f4bb\ufeff"]
)
def test_marks_of_direction_and_joined_signs_are_kept_as_they_came(desk: Desk, text: str) -> None:
    state = desk.write(text)
    path = f"/ingest/v1/conversations/{state['conversation_id']}/messages"
    kept = desk.client.get(path, headers={"Authorization": f"Bearer {state['visitor_token']}"}).json()
    assert kept["items"][0]["text"] == text
    assert desk.reads(state["conversation_id"])["messages"]["items"][0]["text"] == text


def test_bodies_of_another_type_or_over_the_limit_are_refused_everywhere(desk: Desk) -> None:
    text = {"Content-Type": "text/plain"}
    refused(
        desk.client.post(MESSAGES, content=_message(), headers=text), 415, "unsupported-media-type", "Send"
    )
    for method, path in (("POST", "/triage/v1/classify"), ("PUT", "/routing/v1/presence")):
        refused(desk.ask(method, path, content=b"{}", headers=text), 415, "unsupported-media-type", "Send")
        large = b'{"text": "' + b"a" * 2**20 + b'"}'
        refused(desk.ask(method, path, content=large, headers=JSON), 413, "too-large", "bytes are taken")
    packed = {**JSON, "Content-Encoding": "gzip"}
    refused(
        desk.client.post(MESSAGES, content=b"..", headers=packed), 415, "unsupported-media-type", "Encoding"
    )


GUARDED = (
    ("GET", "/ingest/v1/conversations/x"),
    ("GET", "/triage/v1/taxonomy"),
    ("GET", "/routing/v1/offers"),
    ("GET", "/agent/v1/conversations"),
    ("GET", "/survey/v1/invitations"),
    ("GET", "/analytics/v1/outcomes"),
)


@pytest.mark.parametrize(("method", "path"), GUARDED, ids=[path.split("/")[1] for _, path in GUARDED])
def test_every_service_wants_a_good_token_of_the_right_role(desk: Desk, method: str, path: str) -> None:
    good = desk.token("agent")
    head, claims, _ = good.split(".")
    _, _, other_signature = desk.token("admin").split(".")

    def ask(value: str) -> httpx.Response:
        return desk.client.request(method, path, headers={"Authorization": value})

    missing = desk.client.request(method, path)
    refused(missing, 401, "unauthorized", "Authorization: Bearer")
    assert missing.headers["www-authenticate"].startswith("Bearer")
    refused(ask(f"Bearer {head}.{claims}.{other_signature}"), 401, "token-invalid", "not one of ours")
    refused(ask("Bearer eyJhbGciOiJub25lIn0.e30."), 401, "token-invalid", "not one of ours")
    refused(ask(f"Basic {good}"), 401, "token-invalid", "Bearer <token>")
    refused(ask(f"Bearer {desk.token('agent', seconds=-1)}"), 401, "token-expired", "expired")
    refused(ask(f"Bearer {desk.token('customer')}"), 403, "forbidden", "the token has customer")


UNKNOWN = (
    ("GET", "/ingest/v1/conversations/none", None),
    ("GET", "/ingest/v1/messages/none", None),
    ("GET", "/triage/v1/conversations/none", None),
    ("GET", "/routing/v1/conversations/none", None),
    ("GET", "/routing/v1/agents/none", None),
    ("POST", "/routing/v1/offers/none/accept", None),
    ("GET", "/agent/v1/conversations/none", None),
    ("POST", "/agent/v1/conversations/none/notes", {"text": "hm"}),
    ("POST", "/agent/v1/conversations/none/resolve", {"through_seq": 1}),
    ("GET", "/survey/v1/invitations/none", None),
    ("GET", "/survey/v1/invitations/none/link", None),
    ("POST", "/survey/v1/s/none", {"score": 5}),
    ("GET", "/analytics/v1/outcomes/none:1", None),
    ("GET", "/analytics/v1/nothing/here", None),
    ("GET", "/nothing", None),
)


@pytest.mark.parametrize(("method", "path", "body"), UNKNOWN, ids=[f"{m} {p}" for m, p, _ in UNKNOWN])
def test_what_is_not_there_is_said_to_be_not_there(desk: Desk, method: str, path: str, body: Any) -> None:
    answer = desk.ask(method, path, json=body, headers={"If-Match": '"0"'})
    refused(answer, 404, answer.json()["type"].rpartition(":")[2])


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
    name, found, _ = case
    key = {"Idempotency-Key": f"key-{found}"}
    first = desk.client.post(MESSAGES, content=_message(), headers={**JSON, **key})
    again = desk.client.post(MESSAGES, content=_message(), headers={**JSON, **key})
    assert first.json()["message_id"] == again.json()["message_id"]
    other = desk.client.post(MESSAGES, content=_message(text="another"), headers={**JSON, **key})
    refused(other, 422, "idempotency-mismatch", "new")
    desk.reads(found)
    assert desk.act(name, found, "notes", {"text": "one"}, None, **key).status_code == 201
    refused(
        desk.act(name, found, "notes", {"text": "two"}, None, **key), 422, "idempotency-mismatch", "new key"
    )
    assert [note["text"] for note in desk.reads(found)["notes"]] == ["one"]


def test_of_two_accepts_at_once_one_is_told_that_the_offer_is_gone(
    desk: Desk, case: tuple[str, str, str]
) -> None:
    name, found, offer = case
    refused(desk.accept("somebody-else", offer), 403, "not-yours", "somebody else")
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


async def _tear(url: str, conversation: str) -> int:
    """Puts a copy of the conversation's message on the log and cuts it off in its envelope; its number."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            topic = await connection.fetchval("SELECT id FROM log.topics WHERE name = $1", LETTERS)
            partition = partition_of(conversation)
            number: int = await connection.fetchval(
                "SELECT number FROM log.append(ARRAY[$1::smallint], ARRAY[$2::int],"
                " ARRAY[(SELECT data FROM log.events WHERE topic = $1 AND partition = $2"
                " ORDER BY number DESC LIMIT 1)], $3)",
                topic,
                partition,
                int(time.time() * 1000),
            )
            await connection.execute(
                "UPDATE log.events SET data = substring(data FROM 1 FOR 40)"
                " WHERE topic = $1 AND partition = $2 AND number = $3",
                topic,
                partition,
                number,
            )
        return number
    finally:
        await connection.close()


async def test_a_corrupt_row_dies_alone_and_the_line_goes_on(desk: Desk, host: RunningHost) -> None:
    state = desk.write()
    found = state["conversation_id"]
    number = await _tear(EmbeddedPostgres(host.data).url, found)
    desk.write("Is anybody there?", visitor=state["visitor_token"])
    assert desk.reads(found, 2)["messages"]["items"][0]["text"] == "Is anybody there?"

    def letters() -> Any:
        listed = subprocess.run(
            [sys.executable, "-m", "services.cli", "dead-letters", "list", "--json"],
            env={**os.environ, "CENTRALINO_DATA": str(host.data)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        rows = [json.loads(line) for line in listed.stdout.splitlines() if line.startswith("{")]
        mine = [row for row in rows if (row["topic"], row["number"]) == (LETTERS, str(number))]
        return mine if {row["service"] for row in mine} >= {"triage", "agent"} else None

    for letter in until(letters, what="the dead letters"):
        assert letter["partition"] == str(partition_of(found))
        assert "envelope of 40 bytes" in letter["error"]
    assert desk.client.get("/readyz").status_code == 200
