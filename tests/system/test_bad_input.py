"""What a real host answers to wrong, hostile, late and doubled requests: a problem that can be acted on, never a 500."""

import json
import time
from typing import Any

import asyncpg
import httpx
import pytest

from libs.contracts.partition import partition_of
from libs.storage.embedded import EmbeddedPostgres
from tests.system.conftest import RunningHost
from tests.system.desk import TEXT, Desk, refused, until
from tests.system.processes import command

MESSAGES = "/ingest/v1/messages"
JSON = {"Content-Type": "application/json"}
LETTERS = "ingest.messages.v1"


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


def test_a_method_that_an_address_does_not_take_is_refused_with_those_it_takes(desk: Desk) -> None:
    for method, path, takes in (
        ("DELETE", "/ingest/v1/messages", "POST"),
        ("POST", "/routing/v1/offers", "GET"),
        ("PATCH", "/analytics/v1/outcomes", "GET"),
    ):
        answer = desk.ask(method, path)
        refused(answer, 405, "method-not-allowed", f"takes {takes}")
        assert answer.headers["allow"] == takes


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
        listed = command(host.data, "dead-letters", "list", "--json")
        assert listed.returncode == 0, listed.stderr
        rows = [json.loads(line) for line in listed.stdout.splitlines() if line.startswith("{")]
        mine = [row for row in rows if (row["topic"], row["number"]) == (LETTERS, str(number))]
        return mine if {row["service"] for row in mine} >= {"triage", "agent"} else None

    for letter in until(letters, 60, what="the dead letters"):
        assert letter["partition"] == str(partition_of(found))
        assert "envelope of 40 bytes" in letter["error"]
    assert desk.client.get("/readyz").status_code == 200
