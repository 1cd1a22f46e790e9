import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from ipaddress import ip_address
from typing import Any

import httpx
import pytest
from structlog.contextvars import bound_contextvars

from libs.telemetry import start_trace
from libs.telemetry.tracing import set_current_trace
from libs.web import (
    GuardedClient,
    Host,
    HttpFailure,
    OutgoingFailed,
    OutgoingRefused,
    check_target,
    http_client,
    in_process,
)
from libs.web.addresses import is_public, parse_networks
from libs.web.client import RetryTransport

LOOPBACK = parse_networks(["127.0.0.0/8"])


class Script(httpx.AsyncBaseTransport):
    """Answers as told, one entry per request; an exception is raised."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


def client_over(script: Script, retries: int = 2) -> httpx.AsyncClient:
    transport = RetryTransport(script, retries=retries, first_pause_s=0.001)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


async def test_a_repeatable_request_is_tried_again_and_an_unrepeatable_one_is_not() -> None:
    script = Script(503, httpx.ReadTimeout("slow"), 200)
    assert (await client_over(script).get("/")).status_code == 200
    script = Script(503, 200)
    assert (await client_over(script).post("/", json={})).status_code == 503
    script = Script(503, 200)
    answer = await client_over(script).post("/", json={}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    script = Script(httpx.ReadTimeout("slow"), 200)
    with pytest.raises(HttpFailure):
        await client_over(script).post("/", json={})
    script = Script(httpx.ConnectError("refused"), 200)
    assert (await client_over(script).post("/", json={})).status_code == 200


async def test_the_last_answer_is_given_back_when_all_attempts_fail() -> None:
    script = Script(503, 503, 502)
    assert (await client_over(script).get("/")).status_code == 502
    assert len(script.requests) == 3
    script = Script(500, 200)
    assert (await client_over(script).get("/")).status_code == 500


async def test_a_body_that_is_made_on_the_way_is_sent_once() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"

    script = Script(503, 200)
    assert (await client_over(script).put("/", content=parts())).status_code == 503


async def test_the_request_id_and_the_trace_go_along(host: Host) -> None:
    script = Script(200)
    trace = start_trace()
    set_current_trace(trace)
    try:
        with bound_contextvars(request_id="req-12345678"):
            await client_over(script).get("/")
            async with http_client("http://platform", transport=in_process(host)) as client:
                answer = await client.get("/shop/livez")
    finally:
        set_current_trace(None)
    assert script.requests[0].headers["x-request-id"] == "req-12345678"
    assert script.requests[0].headers["traceparent"] == trace.header
    assert answer.headers["x-request-id"] == "req-12345678"


async def test_a_bug_in_a_service_of_this_process_is_an_answer_and_no_exception(host: Host) -> None:
    async with http_client("http://platform", transport=in_process(host)) as client:
        assert (await client.get("/shop/v1/bug")).status_code == 500


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1", "fd12::1",
        "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2600::1%1",
    ],
)  # fmt: skip
def test_an_address_of_the_inside_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.0.1.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1",
     "::ffff:8.8.8.8", "64:ff9b::808:808"],
)  # fmt: skip
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


def resolving(*addresses: str) -> Callable[[str, int], Any]:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolver


@contextlib.asynccontextmanager
async def target(
    answer: bytes, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[str]]]:
    """A bare server on loopback that answers every request with `answer` and keeps the heads it saw."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        if answer.endswith(b"hang"):
            await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"


async def test_the_connection_goes_to_the_judged_address_with_the_name_in_host() -> None:
    asked: list[str] = []

    async def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with target(OK) as (port, heads):
        client = GuardedClient(allowed=LOOPBACK, resolver=resolver)
        answer = await client.request(
            "POST", f"http://hook.example:{port}/a?b=c", content=b"{}", headers={"X-Y": "z"}
        )
    assert (answer.status, answer.headers["x-a"], answer.body) == (200, "b", b"ok")
    assert asked == ["hook.example"]
    assert heads[0].startswith("POST /a?b=c HTTP/1.1\r\n")
    assert f"host: hook.example:{port}" in heads[0].lower()
    assert "x-y: z" in heads[0].lower()


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ()), ("[::1]", ()), ("[::ffff:127.0.0.1]", ()), ("169.254.169.254", ()),
        ("localhost", ("127.0.0.1",)), ("mixed.example", ("8.8.8.8", "10.0.0.1")),
        ("mixed.example", ("2606:4700::1111", "::1")), ("nat.example", ("64:ff9b::a9fe:a9fe",)),
        ("2130706433", ("127.0.0.1",)), ("0x7f.1", ("127.0.0.1",)), ("0177.0.0.1", ("127.0.0.1",)),
    ],
)  # fmt: skip
async def test_a_name_with_one_inner_address_is_refused(host: str, addresses: tuple[str, ...]) -> None:
    with pytest.raises(OutgoingRefused):
        await GuardedClient(resolver=resolving(*addresses)).request("GET", f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "//example.org", "http://", "http://u:p@example.org/", "x",
     "gopher://example.org", "http://[fe80::1%25eth0]/", "http://exa mple.org", "http://[::1", "javascript:1"],
)  # fmt: skip
def test_an_address_that_could_never_be_called_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(OutgoingRefused):
        check_target(url)


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with target(moved) as (port, heads):
        answer = await GuardedClient(allowed=LOOPBACK, resolver=resolving("127.0.0.1")).request(
            "GET", f"http://a.example:{port}/"
        )
    assert answer.status == 302
    assert len(heads) == 1


async def test_slow_large_missing_and_broken_answers_fail_in_bounded_time() -> None:
    client = GuardedClient(allowed=LOOPBACK, resolver=resolving("127.0.0.1"), deadline_s=0.5, most_bytes=1000)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhang", large, b"nonsense\r\n\r\n"):
        async with target(answer) as (port, _):
            with pytest.raises(OutgoingFailed):
                await client.request("GET", f"http://a.example:{port}/")
    with pytest.raises(OutgoingFailed):
        await client.request("GET", "http://a.example:1/")

    async def nobody(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(OutgoingFailed):
        await GuardedClient(resolver=nobody).request("GET", "http://a.example/")


async def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    async with target(OK) as (port, _):
        client = GuardedClient(allowed=LOOPBACK, resolver=resolving("127.0.0.9", "127.0.0.1"))
        answer = await client.request("GET", f"http://a.example:{port}/")
    assert answer.status == 200
