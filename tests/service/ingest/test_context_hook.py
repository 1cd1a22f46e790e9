"""The context hook: signed, quick or not at all, asked once, never inside, and its answer is a stranger's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.web import OutgoingRefused
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.simulator import SHAPES
from services.simulator.provider import SimulatedProvider, serving
from tests.service.ingest.conftest import converse
from tests.service.ingest.test_notifying import NEW, OLD
from tests.support.harness import ServiceUnderTest, running

GOOD = {
    "sections": [
        {
            "title": "Orders\u202e",
            "items": [{"label": "1042", "value": "<b>shipped</b>", "url": "https://shop.example/1042"}],
        }
    ],
    "attributes": {"plan": "gold", "size": "m"},
    "unknown": 1,
}


class _Shop:
    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer: tuple[int, bytes] = (200, json.dumps(GOOD).encode())
        self.pause_s = 0.0
        self.app = Starlette(routes=[Route("/{path:path}", self._tell)])

    async def _tell(self, request: Request) -> Response:
        self.asked.append(request)
        await asyncio.sleep(self.pause_s)
        status, body = self.answer
        headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
        return Response(body, status, headers, "application/json")


@asynccontextmanager
async def asking(**more: Any) -> AsyncIterator[tuple[ServiceUnderTest, _Shop]]:
    shop = _Shop()
    provider = SimulatedProvider(SHAPES["telegram"], "secret")
    provider.app = lambda: shop.app  # type: ignore[method-assign]  # served like a provider
    async with serving(provider) as address:
        given: dict[str, Any] = {"outgoing_allowed": ("127.0.0.0/8",), "context_hook_ms": 2000, **more}
        settings = IngestSettings(
            context_hook_url=f"{address}/context?key=1",
            context_hook_secrets=(SecretStr(NEW), SecretStr(OLD)),
            **given,
        )
        async with running(definition, settings, tasks=False) as service:
            yield service, shop


async def _customer(service: ServiceUnderTest) -> str:
    async with service.client("service", "shop") as backend:
        await converse(service, backend, sender={"external_id": "42"}, headers={"Idempotency-Key": "a"})
        found = await backend.get("/v1/customers", params={"external_id": "42"})
        customer_id: str = found.json()["customer_id"]
        await backend.patch(
            f"/v1/customers/{customer_id}", json={"attributes": {"plan": "free", "size": "m"}}
        )
        return customer_id


async def test_it_is_asked_once_signed_about_those_somebody_vouches_for_and_conflicts_are_stated() -> None:
    async with asking() as (service, shop), service.client("agent") as agent:
        customer = await _customer(service)
        path = f"/v1/customers/{customer}/context"
        answers = await asyncio.gather(*[agent.get(path) for _ in range(3)])
        assert {one.json()["state"] for one in answers} <= {"fresh", "cached"}
        assert (await agent.get(path)).json()["state"] == "cached"
        [asked] = shop.asked
        assert (asked.method, asked.url.query) == ("GET", "key=1&identity=customer%3A%3A42")
        at = datetime.fromtimestamp(int(asked.headers["webhook-timestamp"]), UTC)
        signed = [
            Webhook(secret).sign(asked.headers["webhook-id"], at, "identity=customer%3A%3A42")
            for secret in (NEW, OLD)
        ]
        assert asked.headers["webhook-signature"].split(" ") == signed
        shown = answers[0].json()
        [section] = shown["sections"]
        assert section["items"] == [
            {"label": "1042", "value": "<b>shipped</b>", "url": "https://shop.example/1042"}
        ]
        assert shown["conflicts"] == [{"name": "plan", "stored": "free", "told": "gold"}]

        async with service.client(None) as stranger:
            await converse(service, stranger, sender={"external_id": "42"})
        claimed = await agent.get(
            "/v1/customers", params={"channel": "chat", "account": "default", "external_id": "42"}
        )
        told = (await agent.get(f"/v1/customers/{claimed.json()['customer_id']}/context")).json()
        assert (told["state"], told["sections"]) == ("unverified", [])
        assert len(shop.asked) == 1, "a claim is not asked about"


async def test_what_is_late_wrong_or_elsewhere_is_said_and_the_answer_before_is_shown_for_a_while() -> None:
    script = {"label": "a", "value": "b", "url": "javascript:alert(1)"}
    bad: dict[str, tuple[int, bytes]] = {
        "answered 500": (500, b"{}"),
        "answered 302": (302, b""),
        "not as described: sections/0/items": (200, b'{"sections": [{"title": "x", "items": 7}]}'),
        "url": (200, json.dumps({"sections": [{"title": "x", "items": [script]}]}).encode()),
        "not as described: the body": (200, b"[1"),
        "bytes": (200, b'{"x": "' + b"a" * 70_000 + b'"}'),
    }
    async with asking(context_hook_cache_s=0) as (service, shop), service.client("agent") as agent:
        path = f"/v1/customers/{await _customer(service)}/context"
        for said, answer in bad.items():
            shop.answer = answer
            told = (await agent.get(path)).json()
            assert (told["state"], told["sections"]) == ("failed", [])
            assert said in told["reason"], told
        shop.answer = (200, json.dumps(GOOD).encode())
        assert (await agent.get(path)).json()["state"] == "fresh"
        shop.answer = (500, b"")
        stale = (await agent.get(path)).json()
        assert (stale["state"], stale["attributes"]["plan"]) == ("stale", "gold")
        service.clock.advance(601_000)
        assert (await agent.get(path)).json()["state"] == "failed"
        assert (await agent.get("/v1/customers/nobody/context")).status_code == 404
    async with asking(context_hook_ms=100) as (service, shop), service.client("agent") as agent:
        shop.pause_s = 1
        told = (await agent.get(f"/v1/customers/{await _customer(service)}/context")).json()
        assert (told["state"], "in time" in told["reason"]) == ("failed", True)
    async with asking(outgoing_allowed=()) as (service, shop), service.client("agent") as agent:
        told = (await agent.get(f"/v1/customers/{await _customer(service)}/context")).json()
        assert told["state"] == "failed"
        assert shop.asked == [], "no inner address is called"


async def test_wrong_settings_stop_the_start() -> None:
    with pytest.raises(ValidationError, match="context_hook_secrets"):
        IngestSettings(context_hook_url="https://shop.example")
    with pytest.raises(ValidationError, match="whsec_"):
        IngestSettings(context_hook_url="https://shop.example", context_hook_secrets=(SecretStr("x"),))
    odd = IngestSettings(context_hook_url="ftp://shop.example", context_hook_secrets=(SecretStr(NEW),))
    with pytest.raises(OutgoingRefused):
        async with running(definition, odd, tasks=False):
            pass
