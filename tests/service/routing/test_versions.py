"""Two people edit the same entry of the directory: nobody's change is lost unseen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.service.routing.scenes import Scene, scene


def entry(name: str = "Ada", languages: tuple[str, ...] = ("en",)) -> dict[str, Any]:
    return {"name": name, "teams": ["billing"], "languages": list(languages)}


async def become(s: Scene, client: httpx.AsyncClient, *sent: httpx.Response) -> list[httpx.Response]:
    """What becomes of requests that were all taken before the engine ran."""
    assert [response.status_code for response in sent] == [202] * len(sent)
    await s.service.settle()
    return [await client.get(r.headers["Location"].removeprefix("/routing")) for r in sent]


@asynccontextmanager
async def ada() -> AsyncIterator[tuple[Scene, httpx.AsyncClient, dict[str, str]]]:
    """A directory with Ada in it, whoever edits it, and the headers of an edit of her entry as it stands."""
    async with scene(answer_seconds=0.05) as s, s.service.client("supervisor", "boss") as client:
        await become(s, client, await client.put("/v1/agents/ada", json=entry()))
        yield s, client, {"If-Match": (await client.get("/v1/agents/ada")).headers["ETag"]}


async def test_of_two_edits_of_one_version_the_second_is_refused() -> None:
    async with ada() as (s, client, headers):
        first, second = await become(
            s,
            client,
            await client.put("/v1/agents/ada", json=entry(languages=("en", "it")), headers=headers),
            await client.put("/v1/agents/ada", json=entry(languages=("en", "ro")), headers=headers),
        )
        assert first.status_code == 200
        assert second.status_code == 412
        assert second.json()["type"].endswith("stale-version")
        now = await client.get("/v1/agents/ada")
        assert now.json()["agent"]["languages"] == ["en", "it"]
        assert second.json()["current"] == now.headers["ETag"]


async def test_of_two_who_add_the_same_person_one_is_refused() -> None:
    async with scene(answer_seconds=0.05) as s, s.service.client("supervisor", "boss") as client:
        first, second = await become(
            s,
            client,
            await client.put("/v1/agents/ada", json=entry("Ada")),
            await client.put("/v1/agents/ada", json=entry("Adam")),
        )
        assert (first.status_code, second.status_code) == (200, 412)
        assert (await client.get("/v1/agents/ada")).json()["agent"]["name"] == "Ada"


async def test_an_edit_does_not_bring_back_who_was_removed_meanwhile() -> None:
    async with ada() as (s, client, headers):
        removed, edited = await become(
            s,
            client,
            await client.delete("/v1/agents/ada", headers=headers),
            await client.put("/v1/agents/ada", json=entry("Adele"), headers=headers),
        )
        assert (removed.status_code, edited.status_code) == (200, 412)
        assert (await client.get("/v1/agents/ada")).status_code == 404
        gone = await client.put("/v1/agents/ada", json=entry("Adele"), headers=headers)
        assert gone.status_code == 412
        assert "leave If-Match out" in gone.json()["detail"]


async def test_nobody_is_removed_who_was_changed_meanwhile() -> None:
    async with ada() as (s, client, headers):
        edited, removed = await become(
            s,
            client,
            await client.put("/v1/agents/ada", json=entry("Adele"), headers=headers),
            await client.delete("/v1/agents/ada", headers=headers),
        )
        assert (edited.status_code, removed.status_code) == (200, 412)
        assert (await client.get("/v1/agents/ada")).json()["agent"]["name"] == "Adele"
        assert (await client.delete("/v1/agents/ada")).status_code == 428


async def test_any_version_may_be_named_on_purpose() -> None:
    async with scene(answer_seconds=0.05) as s, s.service.client("supervisor", "boss") as client:
        await become(s, client, await client.put("/v1/agents/ada", json=entry()))
        answers = await become(
            s,
            client,
            await client.put("/v1/agents/ada", json=entry("One"), headers={"If-Match": "*"}),
            await client.put("/v1/agents/ada", json=entry("Two"), headers={"If-Match": "*"}),
        )
        assert [a.status_code for a in answers] == [200, 200]
        assert (await client.get("/v1/agents/ada")).json()["agent"]["name"] == "Two"


async def test_of_two_edits_of_the_whole_directory_the_second_is_refused() -> None:
    async with scene(answer_seconds=0.05) as s, s.service.client("supervisor", "boss") as client:
        read = await client.get("/v1/directory")
        headers = {"If-Match": read.headers["ETag"]}
        shape = read.json()["directory"]
        renamed = {**shape, "teams": [{**t, "name": t["name"] + "!"} for t in shape["teams"]]}
        first, second = await become(
            s,
            client,
            await client.put("/v1/directory", json={**shape, "missed_limit": 5}, headers=headers),
            await client.put("/v1/directory", json=renamed, headers=headers),
        )
        assert (first.status_code, second.status_code) == (200, 412)
        now = await client.get("/v1/directory")
        assert now.json()["directory"] == {**shape, "missed_limit": 5}
        assert second.json()["current"] == now.headers["ETag"]


async def test_the_same_request_again_is_answered_as_before_though_the_version_is_another() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        await s.hire("ada")
        version = (await client.get("/v1/agents/ada")).headers["ETag"]
        headers = {"If-Match": version, "Idempotency-Key": "edit-1"}
        directory = await client.get("/v1/directory")
        shape = {**directory.json()["directory"], "missed_limit": 7}
        whole = {"If-Match": directory.headers["ETag"], "Idempotency-Key": "edit-2"}
        remove = {"Idempotency-Key": "edit-3"}
        for _ in range(2):
            edited = await s.do(client.put("/v1/agents/ada", json=entry("Adele"), headers=headers))
            assert edited.status_code == 200, edited.text
            replaced = await s.do(client.put("/v1/directory", json=shape, headers=whole))
            assert replaced.status_code == 200, replaced.text
        remove["If-Match"] = edited.headers["ETag"]
        for _ in range(2):
            removed = await s.do(client.delete("/v1/agents/ada", headers=remove))
            assert removed.status_code == 200, removed.text
        other = await client.put("/v1/agents/ada", json=entry("Bea"), headers=headers)
        assert (other.status_code, other.json()["type"].rpartition(":")[2]) == (422, "idempotency-mismatch")


async def test_the_repeat_of_an_addition_is_answered_as_the_addition_was() -> None:
    async with scene() as s, s.service.client("supervisor", "boss") as client:
        key = {"Idempotency-Key": "add-ada"}
        first = await s.do(client.put("/v1/agents/ada", json=entry(), headers=key))
        assert (first.status_code, first.json()["presence"]) == (201, "offline")
        async with s.service.client("agent", "ada") as her:
            await s.do(her.put("/v1/presence", json={"presence": "online"}))
        version = {"If-Match": first.headers["ETag"]}
        changed = await s.do(client.put("/v1/agents/ada", json=entry("Adele"), headers=version))
        assert changed.status_code == 200
        again = await s.do(client.put("/v1/agents/ada", json=entry(), headers=key))
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["ETag"] == first.headers["ETag"]
        assert (await client.get("/v1/agents/ada")).json()["agent"]["name"] == "Adele"
