import json
from collections.abc import AsyncIterator

import httpx
import pytest

from libs.telemetry import configure_logging
from libs.web import Problem, Unavailable
from libs.web.problems import PROBLEM_MEDIA_TYPE
from tests.conformance.web.conftest import Checks

JSON = {"Content-Type": "application/json"}


def slug_of(response: httpx.Response) -> str:
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    document = response.json()
    assert document["status"] == response.status_code
    assert document["request_id"] == response.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    return str(document["type"]).removeprefix("urn:centralino:problem:")


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'{"text": "a", "colour": 1}', 422, "invalid-request"),
        (b'{"text": 5}', 422, "invalid-request"),
        (b"", 422, "invalid-request"),
        (b"[]", 422, "invalid-request"),
        (b'{"text": "a"', 400, "malformed-json"),
        (b'{"text": "\xff"}', 400, "not-utf8"),
        ('{"text": "a"}'.encode("utf-16"), 400, "not-utf8"),
        ('{"text": "a"}'.encode("utf-16-le"), 400, "not-utf8"),
        (b'{"text": "a\\u0000b"}', 422, "unstorable-text"),
        (b'{"text": "a\x00b"}', 400, "not-utf8"),
        (b'{"text": "\\ud800"}', 422, "unstorable-text"),
        (b'{"text": "\\udE00\\uD83D"}', 422, "unstorable-text"),
        (b'{"text": "a", "extra": {"x": ["\\u0000"]}}', 422, "unstorable-text"),
        (b'{"text": "a", "extra": {"\\u0000": 1}}', 422, "unstorable-text"),
        (b'{"text": "a", "extra": {"x": NaN}}', 422, "number-not-finite"),
        (b'{"text": "a", "extra": {"x": 1e999}}', 422, "number-not-finite"),
        (b"[" * 100_000, 400, "unreadable-body"),
        (b'{"text": "a", "count": ' + b"9" * 5_000 + b"}", 400, "unreadable-body"),
        (b'{"text": "' + b"a" * 2_000_000 + b'"}', 413, "too-large"),
    ],
)
async def test_bad_json_has_its_own_problem_and_never_status_500(
    client: httpx.AsyncClient, body: bytes, status: int, slug: str
) -> None:
    response = await client.post("/shop/v1/things", content=body, headers=JSON)
    assert (response.status_code, slug_of(response)) == (status, slug)


@pytest.mark.parametrize(
    "text", ["ă, ș, ț and 😀", "\u202eright to left\u202c", "\\u0000 spelt out", "a\u200fb", "é" * 5000]
)
@pytest.mark.parametrize("escaped", [True, False])
async def test_every_storable_text_comes_through_unchanged(
    client: httpx.AsyncClient, text: str, escaped: bool
) -> None:
    body = json.dumps({"text": text}, ensure_ascii=escaped).encode()
    response = await client.post("/shop/v1/things", content=body, headers=JSON)
    assert response.status_code == 201
    assert response.json()["text"] == text


async def test_an_invalid_body_is_answered_with_pointers_and_without_what_was_sent(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post("/shop/v1/things", json={"text": ["my secret"], "count": "x-secret"})
    assert slug_of(response) == "invalid-request"
    assert {error["pointer"] for error in response.json()["errors"]} == {"#/text", "#/count"}
    assert "secret" not in response.text


async def test_an_invalid_query_parameter_is_named(client: httpx.AsyncClient) -> None:
    response = await client.get("/shop/v1/things?limit=0")
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["in"], error["parameter"]) == ("query", "limit")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
async def test_json_under_another_content_type_is_415(client: httpx.AsyncClient, media: str) -> None:
    headers = {"Content-Type": media} if media else {}
    response = await client.post("/shop/v1/things", content=b'{"text": "a"}', headers=headers)
    assert (response.status_code, slug_of(response)) == (415, "unsupported-media-type")
    assert response.headers["accept-post"] == "application/json"


async def test_a_form_is_read_and_its_nul_refused_and_json_in_its_place_is_415(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.post("/shop/v1/forms", data={"name": "Ana"})).json() == "Ana"
    nul = await client.post("/shop/v1/forms", data={"name": "A\0"})
    assert (nul.status_code, slug_of(nul)) == (422, "unstorable-text")
    wrong = await client.post("/shop/v1/forms", json={"name": "Ana"})
    assert (wrong.status_code, slug_of(wrong)) == (415, "unsupported-media-type")


async def test_a_compressed_body_is_415(client: httpx.AsyncClient) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    response = await client.post("/shop/v1/things", content=b"\x1f\x8b", headers=headers)
    assert slug_of(response) == "unsupported-media-type"


async def test_the_limit_holds_for_bodies_without_a_length(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"text": "'
        for _ in range(40):
            yield b"a" * 50_000
        yield b'"}'

    response = await client.post("/shop/v1/things", content=parts(), headers=JSON)
    assert (response.status_code, slug_of(response)) == (413, "too-large")
    assert response.json()["limit_bytes"] == 1_048_576


async def test_a_route_may_take_more_or_less(client: httpx.AsyncClient) -> None:
    mail = {"Content-Type": "message/rfc822"}
    big = b"x" * 3_000_000
    assert (await client.post("/shop/v1/mails", content=big, headers=mail)).json() == len(big)
    over = await client.post("/shop/v1/mails", content=big * 2, headers=mail)
    assert slug_of(over) == "too-large"
    assert slug_of(await client.post("/shop/v1/mails", content=b"x")) == "unsupported-media-type"
    assert slug_of(await client.post("/shop/v1/small", json={"text": "a" * 200})) == "too-large"


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    for path in ("/nothing", "/shop/nothing", "/shop", "/shop/v1/things/", "/shop//livez"):
        response = await client.get(path)
        assert (response.status_code, slug_of(response)) == (404, "no-route")
    wrong = await client.delete("/shop/v1/things")
    assert (wrong.status_code, slug_of(wrong)) == (405, "method-not-allowed")
    assert wrong.headers["allow"]


async def test_nul_in_the_address_is_a_problem(client: httpx.AsyncClient) -> None:
    for path in ("/shop/v1/things/a%00b", "/shop/v1/things?cursor=%00"):
        response = await client.get(path)
        assert (response.status_code, slug_of(response)) == (400, "bad-address")


async def test_a_refusal_carries_its_slug_and_extensions(client: httpx.AsyncClient) -> None:
    response = await client.get("/shop/v1/refused")
    assert (response.status_code, slug_of(response)) == (409, "offer-gone")
    assert response.json()["offer_id"] == "o1"


async def test_a_bug_is_500_without_its_inside_and_a_log_line_with_the_request_id(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging()
    try:
        response = await client.get("/shop/v1/bug", headers={"X-Request-Id": "req-12345678"})
        assert (response.status_code, slug_of(response)) == (500, "internal")
        assert "4111" not in response.text
        [line] = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
        assert line["request_id"] == "req-12345678"
        assert line["error"] == "RuntimeError"
        assert line["route"] == "/v1/bug"
        assert any("bug" in frame for frame in line["trace"])
    finally:
        configure_logging("error")


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-12345", True), ("short", False), ("a" * 65, False), ("id with space", False)]
)
async def test_a_sane_request_id_is_kept_and_another_replaced(
    client: httpx.AsyncClient, given: str, kept: bool
) -> None:
    response = await client.get("/shop/livez", headers={"X-Request-Id": given})
    assert (response.headers["x-request-id"] == given) is kept
    assert len(response.headers["x-request-id"]) >= 8


async def test_answers_carry_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/shop/livez", "/shop/nothing", "/shop/v1/bug"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_liveness_asks_nobody_and_readiness_says_what_is_wrong(
    client: httpx.AsyncClient, checks: Checks
) -> None:
    assert (await client.get("/shop/readyz")).json() == {"status": "ok", "checks": {"database": "ok"}}
    checks.states = {"database": "ok", "log": "lag 40000"}
    for path, name in (("/shop/readyz", "log"), ("/readyz", "shop.log")):
        response = await client.get(path)
        assert (response.status_code, slug_of(response)) == (503, "not-ready")
        assert response.json()["checks"][name] == "lag 40000"
        assert response.headers["retry-after"]
    checks.error = RuntimeError("no")
    assert (await client.get("/shop/readyz")).status_code == 503
    assert (await client.get("/shop/livez")).status_code == 200


async def test_requests_are_counted_by_route_template(client: httpx.AsyncClient) -> None:
    await client.put("/shop/v1/things/some-id")
    metrics = (await client.get("/shop/metrics")).text
    assert 'route="/v1/things/{thing_id}",service="shop",status="428"' in metrics
    assert "some-id" not in metrics


def test_extensions_may_not_hide_the_standard_members() -> None:
    with pytest.raises(ValueError, match="status"):
        Problem(400, "x", "X", extensions={"status": 200})
    assert Unavailable(retry_after_s=9).headers == {"Retry-After": "9"}
