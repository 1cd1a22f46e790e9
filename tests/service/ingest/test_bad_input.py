"""What must not be taken is refused with a reason that helps; what only looks strange is taken as it is."""

from typing import Any

import httpx
import pytest

from libs.storage import fetch_all
from tests.service.ingest.conftest import bearer, converse
from tests.support.harness import ServiceUnderTest

GOOD: dict[str, Any] = {"channel": "web", "text": "Hello"}


def slug(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    assert document["detail"]
    return str(document["type"]).removeprefix("urn:centralino:problem:")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({**GOOD, "priority": 1}, 422, "#/priority"),
        ({**GOOD, "text": 7}, 422, "#/text"),
        ({**GOOD, "text": None}, 422, "#/text"),
        ({**GOOD, "text": ""}, 422, "#/text"),
        ({**GOOD, "text": " \n\t "}, 422, "#/text"),
        ({"channel": "web"}, 422, "#/text"),
        ({**GOOD, "channel": "fax"}, 422, "#/channel"),
        ({**GOOD, "channel": "mail"}, 422, "#/channel"),
        ({**GOOD, "sender": {"name": "x" * 201}}, 422, "#/sender/name"),
        ({**GOOD, "sender": {"email": "not an address"}}, 422, "#/sender/email"),
        ({**GOOD, "sender": {"language": "english"}}, 422, "#/sender/language"),
        ({**GOOD, "sender": {"age": 7}}, 422, "#/sender/age"),
        ({**GOOD, "sender": []}, 422, "#/sender"),
        ({**GOOD, "account": "No Such"}, 422, "#/account"),
        ([GOOD], 422, "#"),
    ],
)
async def test_what_makes_no_sense_is_named(
    stranger: httpx.AsyncClient, body: object, status: int, pointer: str
) -> None:
    answer = await stranger.post("/v1/messages", json=body)
    assert answer.status_code == status, answer.text
    assert pointer in [error.get("pointer") for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"channel": "web", "text": "\xff\xfe"}', 400),
        (b'{"channel": "web", "text": "a\\u0000b"}', 422),
        (b'{"channel": "web", "text": "a\\ud800b"}', 422),
        (b'{"channel": "web", "text": "\x00"}', 400),
        (b'{"channel": "web", ', 400),
        (b"", 400),
        (b'"' + b"x" * 100 + b'"', 422),
        (b"[" * 100_000, 400),
    ],
)
async def test_bytes_that_are_no_message_are_refused(
    shared: ServiceUnderTest, stranger: httpx.AsyncClient, content: bytes, status: int
) -> None:
    async with shared.database.read() as connection:
        [(before,)] = await fetch_all(connection, "SELECT count(*) FROM ingest.raw_messages")
    answer = await stranger.post(
        "/v1/messages", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    slug(answer)
    async with shared.database.read() as connection:
        rows = await fetch_all(connection, "SELECT count(*) FROM ingest.raw_messages")
    assert rows == [(before,)]


@pytest.mark.parametrize("size", [65_537, 400_000, 1_048_576])
async def test_a_text_over_the_limit_is_too_large(stranger: httpx.AsyncClient, size: int) -> None:
    answer = await stranger.post("/v1/messages", json={**GOOD, "text": "x" * size})
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"]


async def test_the_limit_counts_bytes_not_characters(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    assert (await visitor.post("/v1/messages", json={**GOOD, "text": "x" * 65_536})).status_code == 202
    assert (await visitor.post("/v1/messages", json={**GOOD, "text": "è" * 32_768})).status_code == 202
    assert (await visitor.post("/v1/messages", json={**GOOD, "text": "è" * 32_769})).status_code == 413
    await ingest.settle()
    assert sorted(len(event.text) for event in await ingest.events("MessageReceived")) == [32_768, 65_536]


@pytest.mark.parametrize("text", ["‏مرحبا‎ world‮", "a\u200db", "👩‍👩‍👧", "e\u0301", "\ufeffx", "\u0007bell"])
async def test_strange_texts_arrive_unchanged(
    shared: ServiceUnderTest, stranger: httpx.AsyncClient, text: str
) -> None:
    answer = await stranger.post("/v1/messages", json={**GOOD, "text": text})
    assert answer.status_code == 202
    await shared.settle()
    assert text in [event.text for event in await shared.events("MessageReceived")]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", ""])
async def test_another_content_type_is_refused(stranger: httpx.AsyncClient, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await stranger.post("/v1/messages", content=b'{"channel":"web","text":"x"}', headers=headers)
    assert answer.status_code == 415, answer.text


async def test_an_account_that_is_not_configured_is_named(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.post("/v1/messages", json={**GOOD, "account": "nowhere"})
    assert (answer.status_code, slug(answer)) == (422, "unknown-account")


async def test_channel_api_needs_a_service(ingest: ServiceUnderTest, visitor: httpx.AsyncClient) -> None:
    body = {"channel": "api", "text": "Hello"}
    assert (await visitor.post("/v1/messages", json=body)).status_code == 401
    state = await converse(ingest, visitor)
    headers = bearer(state["visitor_token"])
    assert (await visitor.post("/v1/messages", json=body, headers=headers)).status_code == 403
    async with ingest.client("agent") as agent:
        assert (await agent.post("/v1/messages", json=GOOD)).status_code == 403


async def test_bad_tokens_are_not_taken_for_none(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    good = ingest.token("service")
    expired = ingest.tokens.issue("shop", "service", -10)
    head, body, seal = good.split(".")
    for token in ("rubbish", f"{head}.{body}.{seal[::-1]}", f"{head}.{body}.", expired, "a.b.c"):
        answer = await visitor.post("/v1/messages", json=GOOD, headers=bearer(token))
        assert answer.status_code == 401, token
        assert answer.headers["www-authenticate"].startswith("Bearer")
    basic = await visitor.post("/v1/messages", json=GOOD, headers={"Authorization": "Basic x"})
    assert basic.status_code == 401


async def test_a_service_has_to_send_a_key(backend: httpx.AsyncClient) -> None:
    answer = await backend.post("/v1/messages", json=GOOD)
    assert (answer.status_code, slug(answer)) == (400, "idempotency-key-required")
    for key in ("", "with space", "x" * 256):
        answer = await backend.post("/v1/messages", json=GOOD, headers={"Idempotency-Key": key})
        assert answer.status_code == 400, key


async def test_a_conversation_that_does_not_exist_cannot_go_on(
    visitor: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    body = {**GOOD, "conversation_id": "0198-nothing"}
    known = await backend.post("/v1/messages", json=body, headers={"Idempotency-Key": "1"})
    assert (known.status_code, slug(known)) == (404, "unknown-conversation")
    assert (await visitor.post("/v1/messages", json=body)).status_code == 403


async def test_a_message_is_shown_to_who_has_its_receipt(
    visitor: httpx.AsyncClient, backend: httpx.AsyncClient, ingest: ServiceUnderTest
) -> None:
    one = (await visitor.post("/v1/messages", json=GOOD)).json()
    two = (await visitor.post("/v1/messages", json=GOOD)).json()
    path = f"/v1/messages/{one['message_id']}"
    assert (await visitor.get(path)).status_code == 401
    assert (await visitor.get(path, headers={"X-Receipt": two["receipt"]})).status_code == 403
    assert (await visitor.get(path, headers=[(b"X-Receipt", "é".encode())])).status_code == 403
    assert (await visitor.get(path, headers={"X-Receipt": one["receipt"]})).status_code == 200
    assert (await backend.get(path)).status_code == 200
    async with ingest.client("agent") as agent:
        assert (await agent.get(path)).status_code == 403
    assert (await backend.get("/v1/messages/nothing")).status_code == 404


async def test_batches_are_for_services(visitor: httpx.AsyncClient, ingest: ServiceUnderTest) -> None:
    body = {"messages": [{**GOOD, "idempotency_key": "1"}]}
    assert (await visitor.post("/v1/messages/batch", json=body)).status_code == 401
    async with ingest.client("agent") as agent:
        assert (await agent.post("/v1/messages/batch", json=body)).status_code == 403
