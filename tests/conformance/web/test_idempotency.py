import asyncio
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import Column, MetaData, Table, Text, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.web import (
    Conflict,
    Idempotency,
    IdempotencyMismatch,
    IdempotencyRunning,
    KeyedRequest,
    WebSettings,
    create_app,
    idempotency_table,
    keyed_request,
)

METADATA = MetaData()
KEYS = idempotency_table(METADATA, "shop_keys")
WORK = Table("work", METADATA, Column("name", Text), schema="shop_keys")


class Work(BaseModel):
    name: str
    fail: bool = False


def keyed(body: bytes = b"a", *, key: str = "k1", caller: str = "anna") -> KeyedRequest:
    return KeyedRequest(caller, "POST /v1/work", key, hashlib.sha256(body).digest())


@pytest.fixture
async def keys(engine: AsyncEngine) -> AsyncIterator[Idempotency]:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA IF NOT EXISTS shop_keys"))
        await connection.run_sync(METADATA.create_all)
    yield Idempotency(KEYS)
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA shop_keys CASCADE"))


async def answers(engine: AsyncEngine, keys: Idempotency) -> httpx.AsyncClient:
    router = APIRouter()

    @router.post("/v1/work", status_code=201)
    async def create_work(request: Request, work: Work, service: bool = False) -> Response:
        mark = await keyed_request(request, request.headers["x-caller"], required=service)
        async with engine.begin() as connection:
            if mark and (old := await keys.begin(connection, mark, 1_000)):
                return old.response()
            await connection.execute(insert(WORK).values(name=work.name))
            if work.fail:
                raise Conflict("no")
            body = work.model_dump_json().encode()
            if mark:
                await keys.store(connection, mark, 201, body, {"Location": f"/v1/work/{work.name}"})
        return Response(body, 201, {"Location": f"/v1/work/{work.name}"}, "application/json")

    async def ready() -> dict[str, str]:
        return {}

    app = create_app("work", "Work", "1", [router], readiness=ready, settings=WebSettings())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://work")


async def names(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(select(WORK.c.name).order_by(WORK.c.name))).scalars())


async def test_a_repeated_post_gets_the_same_answer_and_does_the_work_once(
    engine: AsyncEngine, keys: Idempotency
) -> None:
    async with await answers(engine, keys) as client:
        headers = {"Idempotency-Key": "k1", "X-Caller": "anna"}
        first = await client.post("/v1/work", json={"name": "a"}, headers=headers)
        again = await client.post(
            "/v1/work", json={"name": "a"}, headers={**headers, "Idempotency-Key": '"k1"'}
        )
        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert again.headers["location"] == "/v1/work/a"
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert await names(engine) == ["a"]
        other = await client.post("/v1/work", json={"name": "b"}, headers=headers)
        assert other.status_code == 422
        assert other.json()["type"].endswith(":idempotency-mismatch")
        bob = await client.post("/v1/work", json={"name": "b"}, headers={**headers, "X-Caller": "bob"})
        assert "idempotency-replayed" not in bob.headers
        assert await names(engine) == ["a", "b"]
        anna = await client.post("/v1/work", json={"name": "a"}, headers=headers)
        assert anna.json()["name"] == "a"


async def test_a_refusal_frees_the_key(engine: AsyncEngine, keys: Idempotency) -> None:
    async with await answers(engine, keys) as client:
        headers = {"Idempotency-Key": "k1", "X-Caller": "anna"}
        for _ in range(2):
            refused = await client.post("/v1/work", json={"name": "a", "fail": True}, headers=headers)
            assert refused.json()["type"].endswith(":conflict")
        done = await client.post("/v1/work", json={"name": "a"}, headers=headers)
        assert done.status_code == 201
        assert await names(engine) == ["a"]


async def test_many_at_once_with_one_key_do_the_work_once(engine: AsyncEngine, keys: Idempotency) -> None:
    async with await answers(engine, keys) as client:
        headers = {"Idempotency-Key": "k1", "X-Caller": "anna"}
        all_at_once = [client.post("/v1/work", json={"name": "a"}, headers=headers) for _ in range(20)]
        responses = await asyncio.gather(*all_at_once)
        assert {response.status_code for response in responses} == {201}
        assert sum("idempotency-replayed" not in response.headers for response in responses) == 1
        assert await names(engine) == ["a"]


@pytest.mark.parametrize("key", ["", " ", "a b", "a" * 256, '""', "é"])
async def test_a_malformed_key_is_400(engine: AsyncEngine, keys: Idempotency, key: str) -> None:
    async with await answers(engine, keys) as client:
        sent = {b"X-Caller": b"anna", b"Idempotency-Key": key.encode("latin-1")}
        response = await client.post("/v1/work", json={"name": "a"}, headers=sent)
        if key == '""':
            assert response.status_code == 201  # two quotes are two visible characters
        else:
            assert response.status_code == 400
            assert response.json()["type"].endswith(":bad-idempotency-key")


async def test_a_service_must_send_a_key(engine: AsyncEngine, keys: Idempotency) -> None:
    async with await answers(engine, keys) as client:
        response = await client.post("/v1/work?service=true", json={"name": "a"}, headers={"X-Caller": "s"})
        assert response.status_code == 400
        assert response.json()["type"].endswith(":idempotency-key-required")
        assert await names(engine) == []


async def test_the_second_waits_for_the_first_and_reads_its_answer(
    engine: AsyncEngine, keys: Idempotency
) -> None:
    async with engine.connect() as first, engine.connect() as second:
        assert await keys.begin(first, keyed(), 1_000) is None
        waiting = asyncio.create_task(keys.begin(second, keyed(), 1_000))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await keys.store(first, keyed(), 202, b"{}")
        await first.commit()
        stored = await waiting
        assert stored is not None
        assert (stored.status, stored.body) == (202, b"{}")


async def test_the_second_does_the_work_when_the_first_rolled_back(
    engine: AsyncEngine, keys: Idempotency
) -> None:
    async with engine.connect() as first, engine.connect() as second:
        assert await keys.begin(first, keyed(), 1_000) is None
        waiting = asyncio.create_task(keys.begin(second, keyed(b"another"), 1_000))
        await asyncio.sleep(0.1)
        await first.rollback()
        assert await waiting is None


async def test_a_wait_that_is_too_long_ends_as_still_running(engine: AsyncEngine, keys: Idempotency) -> None:
    async with engine.connect() as first, engine.connect() as second:
        assert await keys.begin(first, keyed(), 1_000) is None
        with pytest.raises(IdempotencyRunning):
            await Idempotency(KEYS, wait_s=0.2).begin(second, keyed(), 1_000)
        await second.rollback()
        wait = (await second.execute(text("SHOW lock_timeout"))).scalar_one()
        assert wait == "0"


async def test_old_keys_are_forgotten(engine: AsyncEngine, keys: Idempotency) -> None:
    async with engine.begin() as connection:
        for at, key in ((1_000, "old"), (2_000, "new")):
            await keys.begin(connection, keyed(key=key), at)
            await keys.store(connection, keyed(key=key), 201, b"{}")
        assert await keys.prune(connection, 2_000) == 1
        assert await keys.begin(connection, keyed(key="old"), 3_000) is None
        assert await keys.begin(connection, keyed(key="new"), 3_000) is not None
        with pytest.raises(IdempotencyMismatch):
            await keys.begin(connection, keyed(b"another", key="new"), 3_000)
