"""The life of a conversation written plainly: FastStream and FastAPI, six processes, one commit a message.

The same requests and the same hops as the platform, so that the same generator drives both, and as little else as
possible: no classifier (a look at words), one queue, no clocks, no fence, no outbox (commit, then publish, then
acknowledge: a crash between them loses or repeats), no explanation, no timers. All that is left out favours this peer.

Usage: python -m bench.peers.plain_line SERVICE BOOTSTRAP DATABASE_URL PORT WORKERS
"""

import asyncio
import base64
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from libs.primitives import new_id

TOPICS = ("messages", "decisions", "assignments", "conversations", "responses")
TABLES = """
CREATE TABLE messages (id text PRIMARY KEY, conversation text, body text);
CREATE TABLE decisions (conversation text PRIMARY KEY, topic text);
CREATE TABLE offers (id text PRIMARY KEY, conversation text, agent text, state text);
CREATE TABLE conversations (id text PRIMARY KEY, last_seq int DEFAULT 0, version int DEFAULT 0, agent text, state text);
CREATE TABLE replies (id text PRIMARY KEY, conversation text, body text);
CREATE TABLE surveys (token text PRIMARY KEY, conversation text, score int);
CREATE TABLE outcomes (seq bigserial PRIMARY KEY, conversation text UNIQUE, score int);
"""
_WORDS = {"parcel": "delivery", "charged": "refund", "app": "technical", "account": "account"}

Event = dict[str, Any]
Handler = Callable[[Event], Awaitable[None]]


class Service:
    """What each process has: a pool, a broker, an app, and listeners by name for its event streams."""

    def __init__(self, name: str, bootstrap: str, database_url: str, workers: int) -> None:
        self.name = name
        self.app = FastAPI(lifespan=self._lifespan)
        self.broker = KafkaBroker(bootstrap, logger=None)
        self.pool: asyncpg.Pool
        self._url = database_url
        self._workers = workers
        self._listeners: defaultdict[str, list[asyncio.Queue[tuple[str, Event]]]] = defaultdict(list)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        self.pool = await asyncpg.create_pool(self._url, min_size=4, max_size=max(4, self._workers))
        await self.broker.start()
        yield
        await self.broker.stop()
        await self.pool.close()

    def on(self, topic: str) -> Callable[[Handler], Handler]:
        """A subscriber, acknowledged after its handler; with several messages at a time FastStream does it before."""
        several = self._workers > 1
        how: dict[str, Any] = {"max_workers": self._workers} if several else {}
        subscriber = self.broker.subscriber(
            topic,
            group_id=f"plain.{self.name}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.ACK_FIRST if several else AckPolicy.ACK,
            **how,
        )

        def declare(handler: Handler) -> Handler:
            subscriber(handler)
            return handler

        return declare

    async def write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        """One transaction."""
        async with self.pool.acquire() as connection, connection.transaction():
            for statement, values in statements:
                await connection.execute(statement, *values)

    async def publish(self, topic: str, event: Event) -> None:
        await self.broker.publish(event, topic, key=event["conversation"].encode())

    def tell(self, whom: str, kind: str, data: Event) -> None:
        for queue in self._listeners[whom]:
            queue.put_nowait((kind, data))

    def stream(self, whom: str) -> StreamingResponse:
        """Server-sent events for one listener."""
        queue: asyncio.Queue[tuple[str, Event]] = asyncio.Queue()
        self._listeners[whom].append(queue)

        async def events() -> AsyncIterator[str]:
            yield ": here\n\n"
            while True:
                kind, data = await queue.get()
                yield f"event: {kind}\ndata: {json.dumps(data)}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")


def ingest(service: Service) -> None:
    """Takes messages and survey links to customers."""
    asked: dict[str, Event] = {}

    @service.app.post("/ingest/v1/messages", status_code=202)
    async def take(body: Event) -> Event:
        message, conversation = new_id(), new_id()
        await service.write(
            ("INSERT INTO messages VALUES ($1, $2, $3)", (message, conversation, body["text"]))
        )
        await service.publish("messages", {"id": message, "conversation": conversation, "text": body["text"]})
        return {"message_id": message, "conversation_id": conversation, "visitor_token": conversation}

    @service.app.get("/ingest/v1/conversations/{conversation}/events")
    async def follow(conversation: str) -> StreamingResponse:
        answer = service.stream(conversation)
        if conversation in asked:
            service.tell(conversation, "survey", asked[conversation])
        return answer

    @service.on("responses")
    async def send_survey(event: Event) -> None:
        if event["kind"] == "requested":
            asked[event["conversation"]] = {"text": f"How was it? /survey/{event['token']} "}
            service.tell(event["conversation"], "survey", asked[event["conversation"]])


def triage(service: Service) -> None:
    """Names a topic by words."""

    @service.on("messages")
    async def decide(event: Event) -> None:
        topic = next((topic for word, topic in _WORDS.items() if word in event["text"]), "other")
        await service.write(("INSERT INTO decisions VALUES ($1, $2)", (event["conversation"], topic)))
        await service.publish("decisions", {"conversation": event["conversation"], "topic": topic})


def routing(service: Service) -> None:
    """Offers each conversation to the agent with the fewest open offers."""
    agents: dict[str, int] = {}

    @service.app.put("/routing/v1/agents/{agent}")
    async def hire(agent: str, _body: Event) -> Event:
        agents.setdefault(agent, 0)
        return {}

    @service.app.put("/routing/v1/presence")
    async def presence(_body: Event) -> Event:
        return {}

    @service.app.get("/routing/v1/feed")
    async def feed(request: Request) -> StreamingResponse:
        claims = request.headers["authorization"].split(".")[1]
        return service.stream(json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"])

    @service.app.post("/routing/v1/offers/{offer}/accept")
    async def accept(offer: str) -> Response:
        row = await service.pool.fetchrow(
            "UPDATE offers SET state = 'accepted' WHERE id = $1 AND state = 'open' RETURNING conversation, agent",
            offer,
        )
        if row is None:
            return Response(status_code=409)
        agents[row["agent"]] -= 1
        await service.publish("assignments", {"conversation": row["conversation"], "agent": row["agent"]})
        return JSONResponse({})

    @service.on("decisions")
    async def offer(event: Event) -> None:
        agent = min(agents, key=lambda one: agents[one])
        agents[agent] += 1
        made = new_id()
        await service.write(
            ("INSERT INTO offers VALUES ($1, $2, $3, 'open')", (made, event["conversation"], agent))
        )
        service.tell(agent, "offer", {"offer_id": made, "conversation_id": event["conversation"]})


def agent(service: Service) -> None:
    """Keeps conversations, takes replies and resolutions."""
    upsert = "INSERT INTO conversations (id, {0}) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET {0} = $2"

    @service.on("messages")
    async def arrived(event: Event) -> None:
        await service.write((upsert.format("last_seq"), (event["conversation"], 1)))

    @service.on("assignments")
    async def assigned(event: Event) -> None:
        await service.write((upsert.format("agent"), (event["conversation"], event["agent"])))

    @service.app.get("/agent/v1/conversations/{conversation}")
    async def read(conversation: str, response: Response) -> Event:
        row = await service.pool.fetchrow("SELECT * FROM conversations WHERE id = $1", conversation)
        messages = await service.pool.fetch("SELECT * FROM messages WHERE conversation = $1", conversation)
        response.headers["ETag"] = f'"{row["version"] if row else 0}"'
        return {"last_seq": row["last_seq"] if row else 1, "messages": [dict(one) for one in messages]}

    @service.app.post("/agent/v1/conversations/{conversation}/replies", status_code=201)
    async def reply(conversation: str, body: Event, response: Response) -> Event:
        made = new_id()
        await service.write(
            ("INSERT INTO replies VALUES ($1, $2, $3)", (made, conversation, body["text"])),
            ("UPDATE conversations SET version = version + 1 WHERE id = $1", (conversation,)),
        )
        await service.publish("conversations", {"conversation": conversation, "kind": "reply"})
        response.headers["ETag"] = '"1"'
        return {"id": made}

    @service.app.post("/agent/v1/conversations/{conversation}/resolve")
    async def resolve(conversation: str, _body: Event) -> Event:
        await service.write((upsert.format("state"), (conversation, "resolved")))
        await service.publish("conversations", {"conversation": conversation, "kind": "resolved"})
        return {}


def survey(service: Service) -> None:
    """Asks after each resolution, takes the answer."""

    @service.on("conversations")
    async def ask(event: Event) -> None:
        if event["kind"] == "resolved":
            token = new_id()
            await service.write(
                ("INSERT INTO surveys (token, conversation) VALUES ($1, $2)", (token, event["conversation"]))
            )
            await service.publish(
                "responses", {"conversation": event["conversation"], "kind": "requested", "token": token}
            )

    @service.app.post("/survey/{token}")
    async def answer(token: str, body: Event) -> Event:
        conversation = await service.pool.fetchval(
            "UPDATE surveys SET score = $2 WHERE token = $1 RETURNING conversation", token, body["score"]
        )
        await service.publish(
            "responses", {"conversation": conversation, "kind": "answered", "score": body["score"]}
        )
        return {}


def analytics(service: Service) -> None:
    """One outcome a conversation; one writer at a time, or a reader of the feed would pass rows that commit late."""
    in_order = ("SELECT pg_advisory_xact_lock(1)", ())
    upsert = "INSERT INTO outcomes (conversation, score) VALUES ($1, $2) ON CONFLICT (conversation) DO UPDATE SET score = $2"

    @service.on("responses")
    async def record(event: Event) -> None:
        if event["kind"] == "answered":
            await service.write(in_order, (upsert, (event["conversation"], event["score"])))

    @service.app.get("/analytics/v1/outcomes")
    async def outcomes(after: str = "") -> Event:
        for _ in range(100):
            rows = await service.pool.fetch(
                "SELECT * FROM outcomes WHERE seq > $1 ORDER BY seq LIMIT 1000", int(after or 0)
            )
            if rows:
                break
            await asyncio.sleep(0.05)
        items = [{"conversation_id": row["conversation"], "csat_score": row["score"]} for row in rows]
        return {"items": items, "next_cursor": str(rows[-1]["seq"]) if rows else after}


SERVICES = {one.__name__: one for one in (ingest, triage, routing, agent, survey, analytics)}


def main(name: str, bootstrap: str, database_url: str, port: str, workers: str) -> None:
    service = Service(name, bootstrap, database_url, int(workers))
    SERVICES[name](service)
    uvicorn.run(service.app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
