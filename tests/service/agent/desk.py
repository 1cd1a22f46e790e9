"""An agent service with conversations made to order."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import httpx
from google.protobuf.message import Message as Event

from libs.contracts import (
    Channel,
    ConversationTriaged,
    Kind,
    MessageReceived,
    PersonChanged,
    Purpose,
    Reason,
    Signal,
    TeamChanged,
    Urgency,
)
from tests.support.harness import START_MS, ServiceUnderTest

REQUEST, UNSURE, THANKS = Kind.KIND_REQUEST, Kind.KIND_UNSURE, Kind.KIND_THANKS
AUTOMATIC, SPAM, SURVEY_ANSWER = Kind.KIND_AUTOMATIC, Kind.KIND_SPAM, Kind.KIND_SURVEY_ANSWER

_numbers = itertools.count(1)


def fresh() -> str:
    """A conversation id of one's own."""
    return f"c-{next(_numbers):06d}"


def received(conversation: str, seq: int, text: str = "", **fields: Any) -> MessageReceived:
    """The customer's message number `seq`."""
    values: dict[str, Any] = {
        "message_id": f"{conversation}-m{seq}",
        "conversation_id": conversation,
        "customer_id": f"customer-{conversation}",
        "message_seq": seq,
        "channel": Channel.CHANNEL_CHAT,
        "account": "default",
        "text": text or f"text {seq}",
        "received_at_ms": START_MS + seq * 1000,
        "case_reference": f"CQ7-{conversation[-5:]}",
        "purpose": Purpose.PURPOSE_CONVERSATION,
    }
    return MessageReceived(**{**values, **fields})


def triaged(conversation: str, seq: int, kind: Any = REQUEST, **fields: Any) -> ConversationTriaged:
    """What triage says of message number `seq`."""
    values: dict[str, Any] = {
        "conversation_id": conversation,
        "message_id": f"{conversation}-m{seq}",
        "message_seq": seq,
        "kind": kind,
        "kind_confidence": 0.9,
        "language": Signal(value="en", confidence=0.9),
        "topic": Signal(value="payment", confidence=0.8),
        "urgency": Urgency.URGENCY_NORMAL,
        "anger": 0.25,
        "model_version": "m1",
        "policy_version": "p1",
        "reasons": [Reason(signal="topic", source="word", detail="card", weight=1.5)],
        "triaged_at_ms": START_MS + seq * 1000 + 50,
        "customer_id": f"customer-{conversation}",
        "channel": "chat",
        "received_at_ms": START_MS + seq * 1000,
    }
    return ConversationTriaged(**{**values, **fields})


@dataclass
class Desk:
    """The service, and people at work."""

    service: ServiceUnderTest
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def person(self, subject: str = "anna", role: str | None = "agent") -> httpx.AsyncClient:
        """A client that is closed with the desk."""
        client = self.service.client(role, subject)
        self.clients.append(client)
        return client

    async def tell(self, *events: Event) -> None:
        """Publishes and lets the service handle it."""
        await self.service.publish(*events)
        await self.service.settle()

    async def conversation(self, *kinds: Any) -> str:
        """A conversation after messages of these kinds (one request by default), all of them understood."""
        conversation = fresh()
        for seq, kind in enumerate(kinds or (REQUEST,), 1):
            await self.service.publish(received(conversation, seq), triaged(conversation, seq, kind))
        await self.service.settle()
        return conversation

    async def write(self, conversation: str, seq: int, kind: Any = REQUEST) -> None:
        """One more message."""
        await self.tell(received(conversation, seq), triaged(conversation, seq, kind))

    async def events(self, name: str, conversation: str) -> list[Any]:
        """Events of that name about a conversation."""
        return [e for e in await self.service.events(name) if e.conversation_id == conversation]

    async def show(self, conversation: str) -> dict[str, Any]:
        """The one response."""
        answer = await self.person().get(f"/v1/conversations/{conversation}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def act(
        self,
        conversation: str,
        what: str,
        body: Any,
        *,
        version: Any = None,
        who: str = "anna",
        **headers: str,
    ) -> httpx.Response:
        """An act with the present version, or the one given."""
        if version is None:
            version = (await self.show(conversation))["human_version"]
        client = self.person(who)
        call = client.put if what in ("status", "topic", "tags") else client.post
        return await call(
            f"/v1/conversations/{conversation}/{what}",
            json=body,
            headers={"If-Match": f'"{version}"', **headers},
        )

    async def directory(self) -> None:
        """Two teams and two people, as routing tells of them."""
        await self.tell(
            TeamChanged(team_id="billing", name="Billing", version=1),
            TeamChanged(team_id="orders", name="Orders", version=1),
            PersonChanged(
                person_id="anna", name="Anna Rossi", team_ids=["billing"], languages=["it"], version=1
            ),
            PersonChanged(person_id="ben", name="Ben Ito", team_ids=["orders"], languages=["en"], version=1),
        )


def slug(answer: httpx.Response) -> str:
    """The kind of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).rsplit(":", 1)[1]
