"""Triage over HTTP."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.triage.service import definition
from services.triage.settings import TriageSettings
from tests.service.triage.test_triage import _message
from tests.support.harness import ServiceUnderTest, running


@pytest.fixture
async def service() -> AsyncIterator[ServiceUnderTest]:
    async with running(definition) as started:
        yield started


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[ServiceUnderTest]:
    """One service for the tests that leave nothing behind."""
    async with running(definition) as started:
        yield started


async def test_any_text_can_be_classified_with_its_reasons(shared: ServiceUnderTest) -> None:
    async with shared.client("agent") as client:
        answer = await client.post(
            "/v1/classify", json={"text": "I was charged twice for order 88123, refund me"}
        )
    assert answer.status_code == 200
    body = answer.json()
    assert body["language"]["value"] == "en"
    assert body["topic"]["value"] in {"payment", "refund"}
    assert body["queue_hint"] == "billing"
    assert {"signal", "source", "detail", "weight", "start", "end"} == set(body["reasons"][0])
    assert any(r["signal"] == "topic" and r["source"] == "runner_up" for r in body["reasons"])


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u202e\u200f", "🙂" * 100, "123 ??", "x" * 65_536, "ﷺ" * 20_000],
    ids=["empty", "blank", "marks", "emoji", "numbers", "long", "expanding"],
)
async def test_hostile_texts_are_classified(shared: ServiceUnderTest, text: str) -> None:
    async with shared.client("supervisor") as client:
        answer = await client.post("/v1/classify", json={"text": text})
    assert answer.status_code == 200
    assert answer.json()["topic"]["value"] == "unknown"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"text": 5}, 422),
        ({"text": "a", "unknown": 1}, 422),
        ({"text": "x" * 65_537}, 422),
        ({"text": "x" * 600_000}, 413),
        ({"text": "a\x00b"}, 422),
        ({"text": "a", "channel": "fax"}, 422),
    ],
)
async def test_bad_bodies_get_problems(
    shared: ServiceUnderTest, body: dict[str, object], status: int
) -> None:
    async with shared.client("service") as client:
        answer = await client.post("/v1/classify", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_lone_surrogate_is_refused_and_not_a_failure(shared: ServiceUnderTest) -> None:
    async with shared.client("agent") as client:
        answer = await client.post(
            "/v1/classify", content=b'{"text": "a\\ud800b"}', headers={"Content-Type": "application/json"}
        )
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("customer", 403), ("service", 200), ("admin", 200)]
)
async def test_only_staff_and_services_ask(shared: ServiceUnderTest, role: str | None, status: int) -> None:
    async with shared.client(role) as client:
        assert (await client.get("/v1/taxonomy")).status_code == status
        assert (await client.post("/v1/classify", json={"text": "hi"})).status_code == status


async def test_the_last_decision_of_a_conversation_can_be_read(service: ServiceUnderTest) -> None:
    await service.publish(
        _message("where is my parcel, the courier is late"), _message("I want my money back", 2)
    )
    await service.settle()
    async with service.client("agent") as client:
        answer = await client.get("/v1/conversations/c1")
        missing = await client.get("/v1/conversations/nobody")
    assert missing.status_code == 404
    body = answer.json()
    assert (body["message_seq"], body["message_id"]) == (2, "c1-m2")
    assert body["decided_at"].endswith("Z")
    assert body["decision"]["reasons"]


async def test_decisions_are_listed_in_pages_newest_first(service: ServiceUnderTest) -> None:
    for number in range(1, 8):
        await service.publish(_message("where is my parcel", number, f"c{number}"))
        await service.settle()
        service.clock.advance(1_000)
    async with service.client("supervisor") as client:
        first = (await client.get("/v1/decisions", params={"limit": 4})).json()
        second = (
            await client.get("/v1/decisions", params={"limit": 4, "cursor": first["next_cursor"]})
        ).json()
        none = (await client.get("/v1/decisions", params={"topic": "invoice"})).json()
        bad = await client.get("/v1/decisions", params={"cursor": "nonsense"})
    seen = [item["conversation_id"] for item in first["items"] + second["items"]]
    assert seen == [f"c{number}" for number in range(7, 0, -1)]
    assert second["next_cursor"] is None
    assert none["items"] == []
    assert bad.status_code == 400


async def test_the_taxonomy_in_force_is_shown(shared: ServiceUnderTest) -> None:
    async with shared.client("agent") as client:
        body = (await client.get("/v1/taxonomy")).json()
    assert len(body["topics"]) == 16
    assert body["thresholds"]["topic"] == 0.4
    assert body["rules"][-1] == "everything else"


async def test_old_decisions_leave() -> None:
    async with running(definition, TriageSettings(decision_days=1.0), tasks=False) as service:
        await service.publish(_message("where is my parcel"))
        await service.settle()
        service.clock.advance(2 * 86_400_000)
        stop = asyncio.Event()
        task = asyncio.ensure_future(service.assembled.service.tasks[0](stop))
        await asyncio.sleep(0.2)
        stop.set()
        await task
        async with service.client("agent") as client:
            assert (await client.get("/v1/conversations/c1")).status_code == 404
