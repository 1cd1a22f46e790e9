"""The customer reads their own thread, as a list and as a stream that goes on where it was."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from libs.contracts import ConversationResolved, EpisodeOpened, ReplySent
from tests.service.ingest.conftest import bearer, converse
from tests.support.harness import ServiceUnderTest

DAY_MS = 86_400_000


def reply(conversation_id: str, number: int = 1, **fields: Any) -> ReplySent:
    values = {
        "reply_id": f"reply-{number}",
        "conversation_id": conversation_id,
        "episode": 1,
        "agent_id": "anna",
        "text": f"Answer {number}",
        "after_seq": 1,
        "sent_at_ms": 1_780_000_001_000,
        "human": True,
    }
    return ReplySent(**{**values, **fields})


def resolution(
    state: dict[str, Any], at_ms: int, episode: int = 1, through_seq: int = 1
) -> ConversationResolved:
    return ConversationResolved(
        conversation_id=state["conversation_id"],
        episode=episode,
        through_seq=through_seq,
        resolved_by="anna",
        resolved_at_ms=at_ms,
    )


async def test_a_reply_stands_in_the_thread_and_is_said_to_be_delivered(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    conversation_id = state["conversation_id"]
    await ingest.publish(reply(conversation_id))
    await ingest.settle()
    answer = await visitor.get(
        f"/v1/conversations/{conversation_id}/messages", headers=bearer(state["visitor_token"])
    )
    entries = answer.json()["items"]
    assert [(e["entry_seq"], e["kind"], e["text"]) for e in entries] == [
        (1, "customer", "Where is my order?"),
        (2, "reply", "Answer 1"),
    ]
    assert entries[1]["at"] == "2026-05-28T20:26:41.000Z"
    [delivered] = await ingest.events("MessageDelivered")
    assert (delivered.source_id, delivered.conversation_id) == ("reply-1", conversation_id)
    assert delivered.delivered_at_ms >= 1_780_000_001_000


async def test_the_thread_is_paged(ingest: ServiceUnderTest, visitor: httpx.AsyncClient) -> None:
    state = await converse(ingest, visitor)
    await ingest.publish(*[reply(state["conversation_id"], number) for number in range(1, 8)])
    await ingest.settle()
    path, seen = f"/v1/conversations/{state['conversation_id']}/messages", []
    query: dict[str, Any] = {"limit": 3}
    for _ in range(3):
        page = (await visitor.get(path, params=query, headers=bearer(state["visitor_token"]))).json()
        seen += [entry["entry_seq"] for entry in page["items"]]
        query["cursor"] = page["next_cursor"]
    assert seen == list(range(1, 9))
    assert query["cursor"] is None


async def test_a_conversation_shows_its_status(ingest: ServiceUnderTest, visitor: httpx.AsyncClient) -> None:
    state = await converse(ingest, visitor, subject="Parcel")
    path, headers = f"/v1/conversations/{state['conversation_id']}", bearer(state["visitor_token"])
    shown = (await visitor.get(path, headers=headers)).json()
    assert (shown["status"], shown["subject"], shown["case_reference"]) == (
        "open",
        "Parcel",
        state["case_reference"],
    )
    await ingest.publish(resolution(state, ingest.clock.now_ms()))
    await ingest.settle()
    shown = (await visitor.get(path, headers=headers)).json()
    assert (shown["status"], shown["entry_seq"]) == ("resolved", 2)
    assert shown["resolved_at"]


async def test_nobody_reads_anothers_thread(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient, backend: httpx.AsyncClient
) -> None:
    mine, theirs = await converse(ingest, visitor), await converse(ingest, visitor)
    for suffix in ("", "/messages", "/events"):
        path = f"/v1/conversations/{theirs['conversation_id']}{suffix}"
        assert (await visitor.get(path)).status_code == 401
        assert (await visitor.get(path, headers=bearer(mine["visitor_token"]))).status_code == 403
        async with ingest.client("agent") as agent:
            assert (await agent.get(path)).status_code == 403
    path = f"/v1/conversations/{theirs['conversation_id']}"
    assert (await backend.get(path)).status_code == 200
    for suffix in ("", "/messages", "/events"):
        assert (await backend.get(f"/v1/conversations/nothing{suffix}")).status_code == 404


async def test_a_message_after_a_resolution_goes_on_in_the_conversation(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    await ingest.publish(resolution(state, ingest.clock.now_ms()))
    await ingest.settle()
    ingest.clock.advance(7 * DAY_MS)
    again = await converse(ingest, visitor, headers=bearer(state["visitor_token"]))
    assert again["conversation_id"] == state["conversation_id"]
    assert again["message_seq"] == 2
    assert await ingest.events("ConversationContinued") == []


async def test_after_the_reopen_window_a_linked_conversation_begins(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    await ingest.publish(resolution(state, ingest.clock.now_ms()))
    await ingest.settle()
    ingest.clock.advance(7 * DAY_MS + 1)
    later = await converse(ingest, visitor, headers=bearer(state["visitor_token"]))
    assert later["conversation_id"] != state["conversation_id"]
    assert later["message_seq"] == 1
    [continued] = await ingest.events("ConversationContinued")
    assert continued.conversation_id == state["conversation_id"]
    assert continued.continued_as_conversation_id == later["conversation_id"]
    first, second = sorted(await ingest.events("MessageReceived"), key=lambda event: event.received_at_ms)
    assert second.continues_conversation_id == state["conversation_id"]
    assert second.customer_id == first.customer_id
    # With the old token the customer goes on in the new conversation.
    third = await converse(ingest, visitor, headers=bearer(state["visitor_token"]))
    assert (third["conversation_id"], third["message_seq"]) == (later["conversation_id"], 2)


@pytest.mark.parametrize("reopened_first", [True, False])
async def test_a_reopened_conversation_is_open_whatever_is_heard_first(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient, reopened_first: bool
) -> None:
    state = await converse(ingest, visitor)
    resolved = resolution(state, ingest.clock.now_ms())
    reopened = EpisodeOpened(conversation_id=state["conversation_id"], episode=2, first_seq=2)
    for event in (reopened, resolved) if reopened_first else (resolved, reopened):
        await ingest.publish(event)
        await ingest.settle()
    ingest.clock.advance(20 * DAY_MS)
    again = await converse(ingest, visitor, headers=bearer(state["visitor_token"]))
    assert again["conversation_id"] == state["conversation_id"]


class Stream:
    """An event stream read as it comes."""

    def __init__(self) -> None:
        self.status = 0
        self.events: asyncio.Queue[tuple[int, str, dict[str, Any]]] = asyncio.Queue()

    async def next(self) -> tuple[int, str, dict[str, Any]]:
        async with asyncio.timeout(30):
            return await self.events.get()


@asynccontextmanager
async def streaming(
    service: ServiceUnderTest, path: str, query: str = "", **headers: str
) -> AsyncIterator[Stream]:
    """Opens a stream on the app itself: the HTTP client's transport waits for whole answers."""
    stream, gone = Stream(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
        for block in message.get("body", b"").decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in fields:
                await stream.events.put(
                    (int(fields.get("id", 0)), fields["event"], json.loads(fields["data"]))
                )

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()
        ],
        "server": ("service.test", 80),
        "client": ("127.0.0.1", 1),
    }
    task = asyncio.create_task(service.assembled.app(scope, receive, send))
    try:
        yield stream
    finally:
        gone.set()
        async with asyncio.timeout(30):
            await task


async def test_replies_come_by_stream_as_they_happen(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    path = f"/v1/conversations/{state['conversation_id']}/events"
    async with streaming(ingest, path, Authorization=f"Bearer {state['visitor_token']}") as stream:
        assert (await stream.next())[:2] == (1, "customer")
        started = asyncio.get_running_loop().time()
        await ingest.publish(reply(state["conversation_id"]))
        await ingest.settle()
        number, kind, data = await stream.next()
        assert (number, kind, data["text"]) == (2, "reply", "Answer 1")
        # Woken, not found by the slow poll.
        assert asyncio.get_running_loop().time() - started < 1.5


async def test_a_stream_goes_on_after_the_last_event(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    await ingest.publish(*[reply(state["conversation_id"], number) for number in (1, 2, 3)])
    await ingest.settle()
    path = f"/v1/conversations/{state['conversation_id']}/events"
    token = f"Bearer {state['visitor_token']}"
    async with streaming(ingest, path, Authorization=token, Last_Event_ID="2") as stream:
        assert [(await stream.next())[0], (await stream.next())[0]] == [3, 4]
    bad = await visitor.get(path, headers={"Authorization": token, "Last-Event-ID": "x"})
    assert bad.status_code == 400


async def test_a_browser_opens_the_stream_with_a_ticket_once(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    state = await converse(ingest, visitor)
    path = f"/v1/conversations/{state['conversation_id']}"
    given = await visitor.post(f"{path}/tickets", headers=bearer(state["visitor_token"]))
    assert given.status_code == 201
    ticket = given.json()["ticket"]
    async with streaming(ingest, f"{path}/events", f"ticket={ticket}") as stream:
        assert (await stream.next())[0] == 1
    again = await visitor.get(f"{path}/events", params={"ticket": ticket})
    assert again.status_code == 401
