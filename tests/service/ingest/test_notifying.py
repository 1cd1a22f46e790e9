"""Webhooks out: told in the transaction of what they tell, signed, tried again, and never sent inside."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.storage import fetch_all
from libs.web import Conflict, NotFound, OutgoingRefused
from services.ingest.account_parts import WebhookTarget
from services.ingest.domain.notices import Notice, NoticeState
from services.ingest.operations.resending import notices_of, resend_notice
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.ingest.workers.notifying import signed
from services.simulator import SHAPES
from services.simulator.provider import SimulatedProvider, serving
from tests.service.ingest.conftest import converse
from tests.service.ingest.test_threads import reply
from tests.support.harness import ServiceUnderTest, running

NEW, OLD = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
ALL = ("message.received", "message.delivered", "delivery.failed", "conversation.continued")


class Listener:
    """A system of the operator's, which answers as it is told."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.heard.append((dict(request.headers), await request.body()))
        status = self.answers.pop(0) if self.answers else 204
        return Response(
            status_code=status, headers={"Location": "http://127.0.0.1:1/"} if status == 302 else {}
        )


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Listener, str]]:
    made = Listener()
    provider = SimulatedProvider(SHAPES["telegram"], "secret")
    provider.app = lambda: made.app  # type: ignore[method-assign]  # served like a provider
    async with serving(provider) as address:
        yield made, f"{address}/hooks"


def settings(url: str, **fields: Any) -> IngestSettings:
    target = WebhookTarget(
        id="crm", url=url, secrets=(SecretStr(NEW), SecretStr(OLD)), events=fields.pop("events", ALL)
    )
    return IngestSettings(webhooks=(target,), **{"outgoing_allowed": ("127.0.0.0/8",), **fields})


async def notices(service: ServiceUnderTest, state: str, count: int = 1) -> list[tuple[Any, ...]]:
    statement = (
        "SELECT notice_id, type, attempts, reason FROM ingest.notices WHERE state = $1 ORDER BY created_at_ms"
    )
    async with asyncio.timeout(20):
        while True:
            async with service.database.read() as connection:
                found = await fetch_all(connection, statement, state)
            if len(found) >= count:
                return found
            service.clock.advance(2_000)
            await asyncio.sleep(0.02)


async def test_what_happens_is_told_once_signed_by_every_secret_and_again_until_it_is_taken() -> None:
    async with listening() as (listener, url), running(definition, settings(url)) as ingest:
        listener.answers = [503, 302]
        async with ingest.client(None) as visitor:
            first = await converse(ingest, visitor, "Dov'è il mio pacco? 😀")
        await ingest.publish(reply(first["conversation_id"]))
        await ingest.settle()
        told = await notices(ingest, "delivered", 2)
        assert sorted(type_ for _, type_, _, _ in told) == ["message.delivered", "message.received"]
        assert sum(attempts for _, _, attempts, _ in told) == len(listener.heard) == 4
        by_id: dict[str, set[bytes]] = {}
        for headers, body in listener.heard:
            by_id.setdefault(headers["webhook-id"], set()).add(body)
            assert len(headers["webhook-signature"].split()) == 2
        assert [len(bodies) for bodies in by_id.values()] == [1, 1]
        data = {json.loads(body)["type"]: json.loads(body)["data"] for _, body in listener.heard}
        assert data["message.received"]["text"] == "Dov'è il mio pacco? 😀"
        assert data["message.received"]["conversation_id"] == first["conversation_id"]


async def test_what_nobody_wants_or_will_ever_take_is_not_posted_again() -> None:
    async with (
        listening() as (listener, url),
        running(definition, settings(url, events=("message.received",))) as ingest,
    ):
        listener.answers = [410]
        async with ingest.client(None) as visitor:
            first = await converse(ingest, visitor)
        await ingest.publish(reply(first["conversation_id"]))
        await ingest.settle()
        [(_, type_, attempts, reason)] = await notices(ingest, "failed")
        assert (type_, attempts, "410" in reason) == ("message.received", 1, True)
        assert len(listener.heard) == 1
        [failed] = await notices_of(ingest.database, "failed", "", 10)
        await resend_notice(ingest.database, failed.notice_id)
        await notices(ingest, "delivered")
        with pytest.raises(Conflict):
            await resend_notice(ingest.database, failed.notice_id)
        with pytest.raises(NotFound):
            await resend_notice(ingest.database, "nothing")


async def test_an_endpoint_inside_is_never_reached() -> None:
    inside = settings("http://169.254.169.254/latest", outgoing_allowed=())
    async with running(definition, inside) as ingest, ingest.client(None) as visitor:
        await converse(ingest, visitor)
        [(_, _, attempts, reason)] = await notices(ingest, "failed")
        assert (attempts, "not public" in reason) == (1, True)
    with pytest.raises(OutgoingRefused):
        async with running(definition, settings("ftp://example.org/")):
            pass


def test_a_receiver_checks_each_signature_as_the_standard_says() -> None:
    notice = Notice("msg_1", "crm", "message.received", '{"a":"è"}', NoticeState.WAITING, 1, 0, "", 0, 0)
    headers = signed(notice, (NEW, OLD), int(time.time()))
    for secret in (NEW, OLD):
        assert Webhook(secret).verify(notice.body, headers) == {"a": "è"}
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(NEW).verify(notice.body + " ", headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + base64.b64encode(b"3" * 32).decode()).verify(notice.body, headers)


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_short", "whsec_" + "é" * 40])
def test_a_secret_that_is_none_is_named_with_what_makes_one(secret: str) -> None:
    with pytest.raises(ValidationError, match="openssl rand"):
        WebhookTarget(id="crm", url="https://crm.example/", secrets=(secret,), events=ALL)  # type: ignore[arg-type]
