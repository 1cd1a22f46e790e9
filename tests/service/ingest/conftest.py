"""The running ingest service, and what its tests say often."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import httpx
import pytest

from services.ingest.service import definition
from tests.support.harness import ServiceUnderTest, running

T = TypeVar("T")


@pytest.fixture
async def ingest() -> AsyncIterator[ServiceUnderTest]:
    """Ingest on a fresh database."""
    async with running(definition) as service:
        yield service


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[ServiceUnderTest]:
    """One service for all tests of a module that leave nothing behind that another would see."""
    async with running(definition) as service:
        yield service


@pytest.fixture
async def stranger(shared: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shared service without a token."""
    async with shared.client(None) as client:
        yield client


@pytest.fixture
async def visitor(ingest: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with ingest.client(None) as client:
        yield client


@pytest.fixture
async def backend(ingest: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of role service: an operator's own system."""
    async with ingest.client("service", "shop") as client:
        yield client


async def while_settling(service: ServiceUnderTest, waiting: Awaitable[T]) -> T:
    """Runs the processors until the request that waits for them has its answer."""
    task = asyncio.ensure_future(waiting)
    async with asyncio.timeout(30):
        while not task.done():
            await service.settle()
    return await task


async def converse(
    service: ServiceUnderTest, client: httpx.AsyncClient, text: str = "Where is my order?", **fields: Any
) -> dict[str, Any]:
    """Posts a chat message and waits until it has its conversation."""
    headers = {"Prefer": "wait=5", **fields.pop("headers", {})}
    body = {"channel": "chat", "text": text, **fields}
    answer = await while_settling(service, client.post("/v1/messages", json=body, headers=headers))
    assert answer.status_code == 202, answer.text
    state: dict[str, Any] = answer.json()
    return state


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}
