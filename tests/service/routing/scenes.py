"""Scenes for routing: events as the other services publish them, agents as their front-ends act."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from libs.contracts import (
    ConversationResolved,
    ConversationTriaged,
    EpisodeOpened,
    Handling,
    Kind,
    Reason,
    ReplySent,
    Signal,
    Status,
    StatusChanged,
    Urgency,
)
from services.routing.service import definition
from services.routing.settings import RoutingSettings
from tests.support.harness import START_MS, ServiceUnderTest, running

T = TypeVar("T")


@dataclass
class Scene:
    """A routing service and people who use it."""

    service: ServiceUnderTest

    async def do(self, request: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """A request whose command needs the engine: both run until it is answered."""
        return await self.wait(request)

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Anything whose commands need the engine: both run until it is done."""
        task = asyncio.create_task(work)
        while not task.done():
            await self.service.settle()
        return task.result()

    async def hire(
        self, agent_id: str, *, team: str = "billing", languages: tuple[str, ...] = ("en",)
    ) -> None:
        """Put an agent into the directory and online."""
        body = {"name": agent_id.title(), "teams": [team], "languages": list(languages)}
        async with self.service.client("supervisor", "boss") as boss:
            put = await self.do(boss.put(f"/v1/agents/{agent_id}", json=body))
        assert put.status_code == 201, put.text
        async with self.service.client("agent", agent_id) as agent:
            online = await self.do(agent.put("/v1/presence", json={"presence": "online"}))
        assert online.status_code == 200, online.text

    async def open(self, conversation_id: str, **facts: Any) -> None:
        """A conversation is opened and understood."""
        await self.service.publish(
            opened(
                conversation_id,
                **{k: v for k, v in facts.items() if k in ("episode", "channel", "first_seq")},
            ),
            triaged(conversation_id, **{k: v for k, v in facts.items() if k != "episode"}),
        )
        await self.service.settle()

    async def change_directory(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Read the directory, let it be changed, put it."""
        async with self.service.client("supervisor", "boss") as boss:
            read = await boss.get("/v1/directory")
            shape = read.json()["directory"]
            change(shape)
            put = await self.do(
                boss.put("/v1/directory", json=shape, headers={"If-Match": read.headers["ETag"]})
            )
        assert put.status_code == 200, put.text

    async def get(self, path: str, subject: str = "ada", role: str = "agent") -> Any:
        async with self.service.client(role, subject) as client:
            response = await client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, subject: str = "ada", role: str = "agent", **more: Any) -> httpx.Response:
        async with self.service.client(role, subject) as client:
            return await self.do(client.post(path, **more))

    async def offers(self, subject: str = "ada") -> list[str]:
        """Ids of the agent's open offers."""
        return [offer["offer_id"] for offer in await self.get("/v1/offers", subject)]

    async def pass_time(self, milliseconds: int) -> None:
        """The clock moves and what is due happens."""
        self.service.clock.advance(milliseconds)
        await self.service.settle()
        self.service.clock.advance(300)
        await self.service.settle()


@asynccontextmanager
async def scene(**settings: Any) -> AsyncIterator[Scene]:
    """A fresh routing service without its workers."""
    # Scenes go on with the answer, not with a 202, however busy the machine is.
    patient = {"answer_seconds": 30.0, **settings}
    async with running(definition, RoutingSettings(**patient), tasks=False) as service:
        yield Scene(service)


async def read_feed(s: Scene, agent_id: str, count: int, **params: Any) -> list[dict[str, Any]]:
    """The first events of a feed, as dicts with id, event and data."""
    found: list[dict[str, Any]] = []
    async with s.service.client("agent", agent_id) as client:
        app = s.service.assembled.app
        app.state.stopping.clear()

        async def stop_when_enough() -> None:
            await asyncio.sleep(1.0)
            app.state.stopping.set()

        stopper = asyncio.create_task(stop_when_enough())
        response = await client.get("/v1/feed", params=params)
        await stopper
        app.state.stopping.clear()
    for block in response.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            data = json.loads(fields["data"])
            found.append({"id": int(fields["id"]), "event": fields["event"], "data": data})
    return found[:count]


def opened(
    conversation_id: str, *, episode: int = 1, channel: str = "chat", first_seq: int = 1
) -> EpisodeOpened:
    return EpisodeOpened(
        conversation_id=conversation_id,
        episode=episode,
        first_seq=first_seq,
        channel=channel,
        language="en",
        opened_at_ms=START_MS,
        customer_id="customer",
        case_reference="CQ7-X2M4K",
    )


def triaged(
    conversation_id: str,
    *,
    topic: str = "invoice",
    language: str = "en",
    urgency: Any = Urgency.URGENCY_NORMAL,
    first_seq: int = 1,
    received_at_ms: int = START_MS,
    channel: str = "chat",
    handling: Any = Handling.HANDLING_HUMAN,
    escalate: str = "",
    wish_for_person: float = 0.0,
) -> ConversationTriaged:
    return ConversationTriaged(
        conversation_id=conversation_id,
        message_id=f"{conversation_id}-{first_seq}",
        message_seq=first_seq,
        kind=Kind.KIND_REQUEST,
        language=Signal(value=language, confidence=0.9),
        topic=Signal(value=topic, confidence=0.9),
        urgency=urgency,
        received_at_ms=received_at_ms,
        channel=channel,
        handling=handling,
        escalate=escalate,
        reasons=[Reason(signal="escalate", source="rule", detail="shouting")] if escalate else [],
        wish_for_person=wish_for_person,
    )


def replied(
    conversation_id: str, *, at_ms: int = START_MS + 1000, human: bool = True, bot: bool = False
) -> ReplySent:
    return ReplySent(
        reply_id=f"{conversation_id}-reply",
        conversation_id=conversation_id,
        episode=1,
        agent_id="ada",
        sent_at_ms=at_ms,
        human=human,
        bot=bot,
        human_version=int(human),
    )


def waiting_for_customer(conversation_id: str) -> StatusChanged:
    return StatusChanged(
        conversation_id=conversation_id,
        episode=1,
        status=Status.STATUS_PENDING_CUSTOMER,
        changed_at_ms=START_MS,
        human_version=1,
    )


def resolved(conversation_id: str, *, episode: int = 1) -> ConversationResolved:
    return ConversationResolved(
        conversation_id=conversation_id,
        episode=episode,
        through_seq=1,
        resolved_by="ada",
        resolved_at_ms=START_MS + 60_000,
        human_version=2,
    )
