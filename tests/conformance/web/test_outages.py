import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from libs.storage import async_url
from libs.telemetry.logging import first_line
from libs.web import WebSettings, create_app
from libs.web.outages import problem_of


async def ask(work: Callable[[], Awaitable[Any]]) -> httpx.Response:
    router = APIRouter()

    @router.get("/v1/work")
    async def do_work() -> str:
        return str(await work())

    async def ready() -> dict[str, str]:
        return {}

    app = create_app("work", "Work", "1", [router], readiness=ready, settings=WebSettings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://work") as client:
        return await client.get("/v1/work")


def slug(response: httpx.Response) -> str:
    return str(response.json()["type"]).rsplit(":", 1)[-1]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://x@127.0.0.1:1/x",
        "postgresql+asyncpg://x@/x?host=/nonexistent-socket-folder",
        "postgresql+asyncpg://x@no-such-host.invalid/x",
    ],
)
async def test_a_database_that_is_away_is_503_with_retry_after(url: str) -> None:
    engine = create_async_engine(url)

    async def work() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    response = await ask(work)
    assert (response.status_code, slug(response)) == (503, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    await engine.dispose()


async def test_a_connection_that_is_cut_is_503_and_the_next_one_works(engine: AsyncEngine) -> None:
    async def work() -> Any:
        async with engine.connect() as connection:
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            async with engine.connect() as other:
                await other.execute(text(f"SELECT pg_terminate_backend({pid})"))
            return (await connection.execute(text("SELECT 1"))).scalar_one()

    async def healthy() -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar_one()

    response = await ask(work)
    assert (response.status_code, slug(response)) == (503, "unavailable")
    assert (await ask(healthy)).json() == "1"


async def test_a_full_pool_is_503(postgres_url: str) -> None:
    engine = create_async_engine(async_url(postgres_url), pool_size=1, max_overflow=0, pool_timeout=0.1)

    async def work() -> None:
        async with engine.connect():
            pass

    async with engine.connect():
        response = await ask(work)
    assert response.status_code == 503
    assert "wait for the database" in response.json()["detail"]
    await engine.dispose()


async def test_a_statement_that_is_cut_off_and_a_lock_not_got_are_503(engine: AsyncEngine) -> None:
    async def slow() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
            await connection.execute(text("SELECT pg_sleep(5)"))

    async def too_long() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)

    for work in (slow, too_long):
        assert (await ask(work)).status_code == 503


async def test_values_that_cannot_be_stored_are_422(engine: AsyncEngine) -> None:
    async def nul() -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(text("SELECT CAST(:a AS text)"), {"a": "a\0b"})).scalar_one()

    async def huge() -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(text("SELECT CAST(:a AS bigint)"), {"a": 2**70})).scalar_one()

    response = await ask(nul)
    assert (response.status_code, slug(response)) == (422, "unstorable-text")
    response = await ask(huge)
    assert (response.status_code, slug(response)) == (422, "number-out-of-range")


async def test_a_wrong_statement_and_a_missing_file_are_bugs(engine: AsyncEngine) -> None:
    async def wrong() -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))

    async def missing() -> None:
        await asyncio.to_thread(open, "/nonexistent/file")

    for work in (wrong, missing):
        response = await ask(work)
        assert (response.status_code, slug(response)) == (500, "internal")


def test_a_group_of_one_is_judged_by_its_one() -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [TimeoutError()])])
    assert problem_of(group).status == 503
    assert problem_of(ExceptionGroup("tasks", [TimeoutError(), RuntimeError()])).status == 500


@pytest.mark.parametrize(
    ("statement", "value"),
    [("SELECT CAST(:a AS bigint)", "my card 4111"), ("SELECT CAST(CAST(:a AS text) AS int)", "my card 4111"),
     ("SELECT CAST(:a AS text)", 41111), ("SELECT CAST(:a AS json)", "my card 4111")],
)  # fmt: skip
async def test_what_the_database_refused_does_not_reach_the_log(
    engine: AsyncEngine, statement: str, value: Any
) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text(statement), {"a": value})
    assert first_line(caught.value)
    assert "4111" not in first_line(caught.value)
