"""`/readyz` tells an operator that a consumer group does not get on, and why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import resolved
from tests.support.harness import ServiceUnderTest, running

FULL = (
    "CREATE FUNCTION survey.no_room() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$",
    "CREATE TRIGGER no_room BEFORE INSERT ON survey.invitations EXECUTE FUNCTION survey.no_room()",
)
ROOM = ("DROP FUNCTION survey.no_room CASCADE",)
STOP = ("INSERT INTO survey.stopped_groups VALUES ('survey', 0, 'too many died')",)
RESUME = ("DELETE FROM survey.stopped_groups",)


@asynccontextmanager
async def consuming(*before: str) -> AsyncIterator[ServiceUnderTest]:
    """A service whose consumer group runs by itself, after these statements."""
    async with running(definition, SurveySettings()) as service:
        await _run_sql(service, before)
        stop = asyncio.Event()
        groups = [asyncio.create_task(one.run(stop)) for one in service.assembled.processors]
        try:
            yield service
        finally:
            stop.set()
            await asyncio.gather(*groups)


async def _run_sql(service: ServiceUnderTest, statements: tuple[str, ...]) -> None:
    async with service.database.engines.web.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def _readyz(service: ServiceUnderTest, status: int) -> httpx.Response:
    """The answer, once it has that status."""
    async with service.client(None) as client, asyncio.timeout(20):
        while (answer := await client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.05)
    return answer


def _group(answer: httpx.Response) -> str:
    checks: dict[str, str] = answer.json()["checks"]
    assert [name for name, state in checks.items() if state != "ok"] in ([], ["group survey"])
    return checks["group survey"]


async def test_a_group_that_fails_again_and_again_is_told_until_it_gets_on() -> None:
    async with consuming() as service:
        assert _group(await _readyz(service, 200)) == "ok"
        await _run_sql(service, FULL)
        await service.publish(resolved())
        told = await _readyz(service, 503)
        assert told.json()["type"] == "urn:centralino:problem:not-ready"
        assert "retry-after" in told.headers
        said = _group(told)
        assert said.startswith("retrying after ")
        assert said.endswith(" failures in a row")
        assert int(said.split()[2]) >= 3
        await _run_sql(service, ROOM)
        assert _group(await _readyz(service, 200)) == "ok"
        async with service.client("agent") as client, asyncio.timeout(20):
            while not (await client.get("/v1/invitations")).json()["items"]:
                await asyncio.sleep(0.05)


async def test_a_group_that_was_stopped_is_told_with_the_reason() -> None:
    async with consuming(*STOP) as service:
        assert _group(await _readyz(service, 503)) == "stopped: too many died"
        await _run_sql(service, RESUME)
        assert _group(await _readyz(service, 200)) == "ok"
