import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel
from starlette.types import Message

from libs.telemetry import metrics
from libs.web import (
    Broadcast,
    SseEvent,
    Unavailable,
    WebSettings,
    create_app,
    create_host,
    last_event_id,
    sse_response,
)


class Offer(BaseModel):
    text: str


class Feed:
    """A numbered feed as a service would keep it in a table."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.hub = Broadcast()
        self.closed = 0

    def add(self, text: str) -> None:
        self.rows.append(text)
        self.hub.notify("anna")

    async def after(self, number: int) -> AsyncIterator[SseEvent]:
        try:
            with self.hub.listen("anna") as bell:
                while True:
                    for seq, text in enumerate(self.rows[number:], number + 1):
                        yield SseEvent(Offer(text=text), event="offer", id=seq)
                        number = seq
                        if text == "break":
                            raise RuntimeError("the source failed")
                        if text == "end":
                            return
                    await bell.wait(30)
        finally:
            self.closed += 1


@contextlib.asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=5)
    )
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", server
    finally:
        app.state.stopping.set()
        server.should_exit = True
        await running


def feed_app(feed: Feed, *, keepalive_s: float = 0.2) -> FastAPI:
    router = APIRouter()

    @router.get("/v1/feed")
    async def read_feed(request: Request) -> Response:
        return sse_response(request, feed.after(last_event_id(request) or 0), keepalive_s=keepalive_s)

    async def ready() -> dict[str, str]:
        return {}

    return create_app("feed", "Feed", "1", [router], readiness=ready, settings=WebSettings())


async def read_until(lines: AsyncIterator[str], wanted: str) -> list[str]:
    read: list[str] = []
    async with asyncio.timeout(30):
        async for line in lines:
            read.append(line)
            if wanted in line:
                return read
    raise AssertionError(f"{wanted} did not come: {read}")


def open_streams() -> float:
    return (
        metrics.REGISTRY.get_sample_value("centralino_http_streams", {"service": "feed", "route": "/v1/feed"})
        or 0.0
    )


async def test_events_come_at_once_numbered_and_the_rest_after_a_reconnect() -> None:
    feed = Feed()
    async with serving(feed_app(feed)) as (url, _), httpx.AsyncClient(base_url=url) as client:
        async with client.stream("GET", "/v1/feed") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["x-accel-buffering"] == "no"
            assert "no-cache" in response.headers["cache-control"]
            assert response.headers["x-request-id"]
            lines = response.aiter_lines()
            await read_until(lines, "retry:")
            assert open_streams() == 1
            feed.add("one\ntwo")
            read = await read_until(lines, "data:")
            assert read[-3:] == ["id: 1", "event: offer", 'data: {"text":"one\\ntwo"}']
        feed.add("three")
        async with client.stream("GET", "/v1/feed", headers={"Last-Event-ID": "1"}) as response:
            read = await read_until(response.aiter_lines(), "data:")
            assert "id: 2" in read
            assert "id: 1" not in read
        async with client.stream("GET", "/v1/feed?last_event_id=2") as response:
            read = await read_until(response.aiter_lines(), "keep-alive")
            assert not any(line.startswith("id:") for line in read)
        async with asyncio.timeout(30):
            while feed.closed < 3 or open_streams():
                await asyncio.sleep(0.02)
    assert len(feed.hub) == 0


async def test_a_stream_ends_with_its_source_also_when_the_source_fails() -> None:
    feed = Feed()
    async with serving(feed_app(feed)) as (url, _), httpx.AsyncClient(base_url=url) as client:
        for last in ("end", "break"):
            feed.rows = ["one", last]
            async with asyncio.timeout(30):
                response = await client.get("/v1/feed")
            assert response.status_code == 200
            assert response.text.count("data:") == 2
    assert feed.closed == 2


async def test_open_streams_do_not_hold_up_the_end_of_the_process() -> None:
    feed = Feed()
    app = feed_app(feed, keepalive_s=30)
    async with (
        serving(app) as (url, server),
        httpx.AsyncClient(base_url=url) as client,
        client.stream("GET", "/v1/feed") as response,
    ):
        lines = response.aiter_lines()
        await read_until(lines, "retry:")
        feed.add("one")
        await read_until(lines, "data:")
        app.state.stopping.set()
        server.should_exit = True
        async with asyncio.timeout(1):
            rest = [line async for line in lines]
        assert not any(line.startswith("data:") for line in rest)
    assert feed.closed == 1


class Source:
    """An endless source that tells whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def __aiter__(self) -> "Source":
        return self

    async def __anext__(self) -> SseEvent:
        return SseEvent("more")

    async def aclose(self) -> None:
        self.closed = True


async def test_the_source_is_closed_when_the_client_goes_while_we_write() -> None:
    source = Source()
    app = feed_app(Feed())
    scope = {"type": "http", "app": app, "method": "GET", "path": "/", "headers": []}
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 5:
            raise OSError("the client has gone")

    async with asyncio.timeout(30):
        await sse_response(Request(scope), source)(scope, receive, send)
    assert source.closed
    assert len(sent) == 5


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 30, "²", " 1 1"])
async def test_a_last_event_id_of_elsewhere_is_400(number: str) -> None:
    feed = Feed()
    feed.rows = ["end"]
    transport = httpx.ASGITransport(feed_app(feed))
    async with httpx.AsyncClient(transport=transport, base_url="http://feed") as client:
        response = await client.get("/v1/feed", params={"last_event_id": number})
        assert response.status_code == 400
        assert response.json()["type"].endswith(":bad-last-event-id")


@pytest.mark.parametrize("data", ["a\nb", {"text": "x\r\ny"}, [1, None], 5, "\u2028"])
def test_data_is_always_one_line(data: Any) -> None:
    lines = SseEvent(data, id=1).encode().decode().split("\n")
    assert len([line for line in lines if line]) == 3
    with pytest.raises(ValueError):
        SseEvent(1, event="a\nb").encode()


async def test_what_changes_between_the_read_and_the_wait_rings() -> None:
    hub = Broadcast()
    with hub.listen("a", "b") as bell:
        hub.notify("b")
        assert await bell.wait(1)
        assert not await bell.wait(0.01)
        hub.notify("c")
        assert not await bell.wait(0.01)
        hub.notify_all()
        assert await bell.wait(1)
    hub.notify("a")
    assert len(hub) == 0


async def test_listeners_are_bounded() -> None:
    hub = Broadcast(most_listeners=1)
    with hub.listen("a"), pytest.raises(Unavailable), hub.listen("b"):
        pass
    assert not await hub.wait("a", 0.01)


async def test_the_host_ends_the_streams_of_all_its_services() -> None:
    feeds = {"one": Feed(), "two": Feed()}
    host = create_host({name: feed_app(feed) for name, feed in feeds.items()}, title="All", version="1")
    transport = httpx.ASGITransport(host)
    async with httpx.AsyncClient(transport=transport, base_url="http://all") as client, asyncio.timeout(30):
        open_ones = [asyncio.create_task(client.get(f"/{name}/v1/feed")) for name in feeds]
        await asyncio.sleep(0.1)
        assert not any(one.done() for one in open_ones)
        host.stop_streams()
        assert [one.status_code for one in await asyncio.gather(*open_ones)] == [200, 200]


async def test_the_host_answers_the_start_and_the_end_of_its_server() -> None:
    host = create_host({}, title="All", version="1")
    sent: list[Message] = []
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(received)

    async def send(message: Message) -> None:
        sent.append(message)

    await host({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
