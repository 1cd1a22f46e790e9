"""One suite over every store of files: whole or not there, kept once, bounded, removed only when idle."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.storage import (
    BlobMissing,
    BlobStore,
    BlobTooLarge,
    Database,
    DatabaseBlobs,
    FolderBlobs,
    fetch_all,
    pieces_of,
)
from libs.storage.blobs import PIECE_BYTES
from services.ingest.service import definition
from tests.support.harness import running

SIZES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17]


class Stores:
    """Both stores, and how many files each holds."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder, self._database = folder, database
        self.all: dict[str, BlobStore] = {
            "folder": FolderBlobs(folder / "blobs"),
            "database": DatabaseBlobs(database),
        }

    async def count(self, name: str) -> int:
        if name == "folder":
            return sum(path.is_file() and path.name != "lock" for path in self._folder.rglob("*"))
        async with self._database.read() as connection:
            [(count,)] = await fetch_all(
                connection,
                "SELECT count(DISTINCT p.content) FROM ingest.blob_pieces p FULL JOIN ingest.blobs b USING (content)",
            )
        return int(count)

    async def age(self, name: str, key: str) -> None:
        """As if it had been put two hours ago."""
        if name == "folder":
            path = self._folder / "blobs" / key[:2] / key
            os.utime(path, (path.stat().st_mtime - 7200,) * 2)
            return
        async with self._database.begin() as uow:
            aged = "UPDATE ingest.blobs SET put_at = put_at - interval '2 hours' WHERE key = $1 RETURNING key"
            await fetch_all(uow.connection, aged, key)
            await uow.commit()


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    async with running(definition, tasks=False) as service:
        yield Stores(tmp_path_factory.mktemp("blobs"), service.database)


@pytest.fixture(params=["folder", "database"])
def named(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def read(store: BlobStore, key: str) -> bytes:
    return b"".join([piece async for piece in store.read(key)])


async def test_what_is_put_is_read_whole_under_its_digest(stores: Stores, named: str) -> None:
    store = stores.all[named]
    for size in SIZES:
        data = os.urandom(size)
        blob = await store.put(pieces_of(data), size)
        assert (blob.key, blob.size) == (hashlib.sha256(data).hexdigest(), size)
        assert await read(store, blob.key) == data


async def test_the_same_bytes_are_kept_once_whoever_puts_them(stores: Stores, named: str) -> None:
    store, data = stores.all[named], os.urandom(5000)
    before = await stores.count(named)
    blobs = await asyncio.gather(*[store.put(pieces_of(data), 5000) for _ in range(5)])
    assert len({blob.key for blob in blobs}) == 1
    assert await stores.count(named) == before + 1


async def test_more_than_is_taken_leaves_nothing(stores: Stores, named: str) -> None:
    store, before = stores.all[named], await stores.count(named)
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield os.urandom(1000)

    with pytest.raises(BlobTooLarge):
        await store.put(endless(), 10_000)
    assert asked == 11
    assert await stores.count(named) == before


async def test_a_source_that_breaks_leaves_nothing(stores: Stores, named: str) -> None:
    store, before = stores.all[named], await stores.count(named)

    async def broken() -> AsyncIterator[bytes]:
        yield b"half of it"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(broken(), 10_000)
    assert await stores.count(named) == before


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../../etc/passwd",
        "a" * 63,
        "A" * 64,
        "01a21a45-452f-7292-8ea4-3a7b7592de00",
        "0" * 64,
        "0" * 64 + "\n",
    ],
)
async def test_a_key_that_names_nothing_is_missing(stores: Stores, named: str, key: str) -> None:
    with pytest.raises(BlobMissing):
        await read(stores.all[named], key)


async def test_only_what_was_idle_is_removed_and_what_is_put_again_stays(stores: Stores, named: str) -> None:
    store = stores.all[named]
    old, fresh = [await store.put(pieces_of(os.urandom(300)), 300) for _ in range(2)]
    data = os.urandom(300_000)
    again = await store.put(pieces_of(data), 300_000)
    await stores.age(named, old.key)
    await stores.age(named, again.key)
    await store.put(pieces_of(data), 300_000)
    before = await stores.count(named)
    keys = [old.key, fresh.key, again.key, "0" * 64]
    assert await store.remove(keys, 3600) == 1
    assert await store.remove(keys, 3600) == 0
    assert await stores.count(named) == before - 1
    assert await read(store, again.key) == data
    assert await read(store, fresh.key)
    with pytest.raises(BlobMissing):
        await read(store, old.key)
