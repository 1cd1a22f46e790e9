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
    S3Blobs,
    S3Credentials,
    S3Fault,
    fetch_all,
    pieces_of,
)
from libs.storage.blobs import PIECE_BYTES
from libs.storage.s3_signing import EMPTY, signed_headers
from services.ingest.composing import bucket_of
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.simulator.serving import serving_app
from tests.support.harness import running
from tests.support.s3 import FakeS3, bucket

SIZES = [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17]


class Stores:
    """All stores, and how many files each holds."""

    def __init__(self, folder: Path, database: Database, s3: FakeS3, endpoint: str) -> None:
        self._folder, self._database, self._s3 = folder, database, s3
        self.all: dict[str, BlobStore] = {
            "folder": FolderBlobs(folder / "blobs"),
            "database": DatabaseBlobs(database),
            "s3": S3Blobs(bucket(endpoint)),
        }

    async def count(self, name: str) -> int:
        if name == "s3":
            return len(self._s3.objects)
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
        if name == "s3":
            for place, (data, at) in list(self._s3.objects.items()):
                if key in place:
                    self._s3.objects[place] = (data, at - 7200)
            return
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
    s3 = FakeS3()
    async with serving_app(s3.app) as endpoint, running(definition, tasks=False) as service:
        yield Stores(tmp_path_factory.mktemp("blobs"), service.database, s3, endpoint)


@pytest.fixture(params=["folder", "database", "s3"])
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


def test_a_signature_is_the_one_that_amazon_publishes() -> None:
    """The example "GET Object" of the Amazon S3 API Reference."""
    example = S3Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    host, more = "examplebucket.s3.amazonaws.com", {"range": "bytes=0-9"}
    headers = signed_headers(example, "GET", host, "/test.txt", {}, EMPTY, 1_369_353_600_000, more)
    assert headers["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


async def test_a_busy_bucket_is_asked_again_and_a_refusal_is_told() -> None:
    s3 = FakeS3()
    async with serving_app(s3.app) as endpoint:
        store = S3Blobs(bucket(endpoint))
        s3.busy = 2
        blob = await store.put(pieces_of(b"x" * 2_000_000), 2_000_000)
        assert len(await read(store, blob.key)) == 2_000_000
        s3.busy = 9
        with pytest.raises(S3Fault, match="503"):
            await store.put(pieces_of(b"y"), 10)
        s3.busy = 0
        with pytest.raises(S3Fault, match="SignatureDoesNotMatch"):
            await read(S3Blobs(bucket(endpoint, secret="wrong")), blob.key)
        with pytest.raises(S3Fault, match=r"40[34]"):
            await S3Blobs(bucket(endpoint, name="another")).put(pieces_of(b"z"), 10)
    with pytest.raises(S3Fault, match="does not answer"):
        await read(store, blob.key)


async def test_a_file_that_is_put_while_it_is_removed_stays() -> None:
    s3 = FakeS3()
    async with serving_app(s3.app) as endpoint:
        store, data = S3Blobs(bucket(endpoint)), os.urandom(5000)
        for _ in range(10):
            blob = await store.put(pieces_of(data), 5000)
            for place, (content, at) in list(s3.objects.items()):
                s3.objects[place] = (content, at - 7200)
            await asyncio.gather(store.remove([blob.key], 3600), store.put(pieces_of(data), 5000))
            assert await read(store, blob.key) == data
            assert len(s3.objects) == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "s3_endpoint, s3_bucket"),
        ({"s3_endpoint": "s3.example"}, "expected an address"),
        ({"s3_endpoint": "https://s3.example/path"}, "expected an address"),
        ({"s3_endpoint": "https://s3.example", "s3_bucket": "No Bucket"}, "name of a bucket"),
    ],
)
def test_a_bucket_that_cannot_be_is_refused_at_the_start(fields: dict[str, str], named: str) -> None:
    rest = {"s3_bucket": "files", "s3_key_id": "k", "s3_secret": "s"} if fields else {}
    with pytest.raises(ValueError, match=named):
        bucket_of(IngestSettings(attachments_in="s3", **{**rest, **fields}))  # type: ignore[arg-type]  # texts of settings
