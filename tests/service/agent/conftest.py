"""One service for each test module; tests use conversations of their own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.agent.service import definition
from tests.service.agent.desk import Desk
from tests.support.harness import running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    """The real service on a real database and log."""
    async with running(definition) as service:
        desk = Desk(service)
        yield desk
        for client in desk.clients:
            await client.aclose()
