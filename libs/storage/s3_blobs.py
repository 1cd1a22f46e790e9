"""Files in a bucket of S3 or of anything that speaks as it does.

A file is one object `PREFIX/ab/DIGEST/ID`, a new one for each time it is put; of several the newest counts and the others
are removed by who put it. So what is removed because it was idle is never what somebody puts at the same moment, without
any lock: it has another name.
"""

import asyncio
import contextlib
import hashlib
import ssl
import tempfile
import time
import xml.etree.ElementTree as xml
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any, Final

import httpx

from libs.primitives import new_id
from libs.storage.blobs import PIECE_BYTES, Blob, BlobFault, BlobMissing, check_key, measured
from libs.storage.s3_signing import EMPTY, S3Credentials, quoted_path, quoted_query, signed_headers

_IN_MEMORY: Final = 1024 * 1024
_MOST_LIST_BYTES: Final = 1024 * 1024
_SECONDS: Final = 60.0
_ATTEMPTS: Final = 3
_PAUSE_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where files are kept."""

    endpoint: str
    """Such as https://s3.eu-central-1.amazonaws.com; the bucket is in the path."""
    name: str
    credentials: S3Credentials
    prefix: str = "attachments"


class S3Fault(BlobFault):
    """The store refused or did not answer; the text says what it said."""


@dataclass(frozen=True, slots=True)
class _Object:
    name: str
    put_at: float


class S3Blobs:
    """Files in one bucket. Holds no connection between requests."""

    def __init__(self, bucket: Bucket, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds, for the signatures: S3 takes them within a quarter of an hour."""
        self._bucket = bucket
        self._endpoint = bucket.endpoint.rstrip("/")
        self._host = httpx.URL(self._endpoint).netloc.decode("ascii")
        self._clock = clock
        self._verify: ssl.SSLContext | bool = (
            ssl.create_default_context() if self._endpoint.startswith("https:") else False
        )

    async def put(self, pieces: AsyncIterator[bytes], most_bytes: int) -> Blob:
        digest, size = hashlib.sha256(), 0
        # Its name and its signature are made of its digest, so all of it is read before the first byte goes.
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
            async for piece in measured(pieces, most_bytes, digest):
                size += len(piece)
                await asyncio.to_thread(spooled.write, piece)
            key, name = digest.hexdigest(), new_id()
            headers = {"content-length": str(size)}
            await self._ask("PUT", f"{self._folder(key)}/{name}", digest=key, body=spooled, headers=headers)
        await self._keep_newest(key)
        return Blob(key, size)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        check_key(key)
        # Whoever puts the same file removes the older object: then there is a newer one.
        for _ in range(_ATTEMPTS):
            found = await self._objects(key)
            if not found:
                break
            async with self._opened("GET", found[-1].name) as answer:
                if answer.status_code == 404:
                    continue
                await _check(answer)
                async for piece in answer.aiter_bytes(PIECE_BYTES):
                    yield piece
                return
        raise BlobMissing(f"the file {key} is not in bucket {self._bucket.name!r}")

    async def remove(self, keys: Collection[str], idle_s: float) -> int:
        removed = 0
        for key in keys:
            check_key(key)
            found, now = await self._listed(key)
            if found and found[-1].put_at <= now - idle_s:
                for one in found:
                    await self._ask("DELETE", one.name)
                removed += 1
        return removed

    def _folder(self, key: str) -> str:
        prefix = self._bucket.prefix.strip("/")
        return f"{prefix}/{key[:2]}/{key}" if prefix else f"{key[:2]}/{key}"

    async def _keep_newest(self, key: str) -> None:
        for one in (await self._objects(key))[:-1]:
            await self._ask("DELETE", one.name)

    async def _objects(self, key: str) -> list[_Object]:
        return (await self._listed(key))[0]

    async def _listed(self, key: str) -> tuple[list[_Object], float]:
        """(the objects of a file, the newest last; the store's own time)."""
        query = {"list-type": "2", "prefix": f"{self._folder(key)}/", "max-keys": "1000"}
        body, date = await self._ask("GET", "", query=query)
        if b"<!DOCTYPE" in body or len(body) > _MOST_LIST_BYTES:
            raise S3Fault(f"bucket {self._bucket.name!r} answered a list that makes no sense")
        try:
            root = xml.fromstring(body)
            found = [_object(one) for one in root.iter() if _tag(one) == "Contents"]
        except (xml.ParseError, ValueError) as error:
            raise S3Fault(
                f"bucket {self._bucket.name!r} answered a list that cannot be read: {error}"
            ) from None
        return sorted(found, key=lambda one: (one.put_at, one.name)), date

    async def _ask(
        self,
        method: str,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        digest: str = EMPTY,
        body: IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[bytes, float]:
        """(the answer's body, its time). Tried again while the store is busy; raises S3Fault."""
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                async with self._opened(
                    method, name, query=query, digest=digest, body=body, headers=headers
                ) as answer:
                    if answer.status_code < 500 or last:
                        if not (method == "DELETE" and answer.status_code == 404):
                            await _check(answer)
                        return await answer.aread(), _time_of(answer, self._clock())
            except httpx.HTTPError as error:
                if last:
                    where = f"{self._host} (bucket {self._bucket.name!r})"
                    raise S3Fault(f"{where} does not answer: {type(error).__name__}") from error
            await asyncio.sleep(_PAUSE_S * attempt)
        raise AssertionError("the last attempt answers or raises")

    @contextlib.asynccontextmanager
    async def _opened(
        self,
        method: str,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        digest: str = EMPTY,
        body: IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        path = f"/{self._bucket.name}/{name}" if name else f"/{self._bucket.name}"
        now_ms = int(self._clock() * 1000)
        signed = signed_headers(
            self._bucket.credentials, method, self._host, path, query or {}, digest, now_ms
        )
        url = self._endpoint + quoted_path(path) + (f"?{quoted_query(query)}" if query else "")
        async with (
            httpx.AsyncClient(verify=self._verify, trust_env=False, timeout=_SECONDS) as client,
            client.stream(
                method,
                url,
                content=_pieces(body) if body is not None else None,
                headers={**signed, **(headers or {})},
            ) as answer,
        ):
            yield answer


async def _pieces(body: IO[bytes]) -> AsyncIterator[bytes]:
    await asyncio.to_thread(body.seek, 0)
    while piece := await asyncio.to_thread(body.read, PIECE_BYTES):
        yield piece


async def _check(answer: httpx.Response) -> None:
    if 200 <= answer.status_code < 300:
        return
    said = (await answer.aread())[:500].decode(errors="replace")
    raise S3Fault(f"the store answered {answer.status_code}: {' '.join(said.split())}")


def _object(one: Any) -> _Object:
    values = {_tag(part): part.text or "" for part in one}
    return _Object(values.get("Key", ""), datetime.fromisoformat(values.get("LastModified", "")).timestamp())


def _tag(one: Any) -> str:
    return str(one.tag).rpartition("}")[2]


def _time_of(answer: httpx.Response, own: float) -> float:
    """By the store's clock, which dates its objects too."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return own
