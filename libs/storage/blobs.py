"""Files of any size under the digest of their content: the same bytes are kept once.

BlobFault             a file cannot be kept or read
├── BlobTooLarge      it has more bytes than its taker allows: do not try again
└── BlobMissing       there is none under this key
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

PIECE_BYTES: Final = 256 * 1024
"""Of one read; pieces that are put may have any size."""
_KEY: Final = re.compile(r"[0-9a-f]{64}")


class BlobFault(Exception):
    """Base; the text is for the operator."""


class BlobTooLarge(BlobFault):
    """More bytes came than are taken."""


class BlobMissing(BlobFault):
    """Nothing is kept under the key."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that is kept."""

    key: str
    """SHA-256 of the content in hex."""
    size: int
    """Bytes."""


class BlobStore(Protocol):
    """Where files are kept. Safe for use by several processes at once."""

    async def put(self, pieces: AsyncIterator[bytes], most_bytes: int) -> Blob:
        """Keeps a file; it is durable on return. Nothing stays of one that fails half way.

        Raises BlobTooLarge, and what `pieces` or the store's own I/O raise.
        """
        ...

    def read(self, key: str) -> AsyncIterator[bytes]:
        """The content, piece by piece. Raises BlobMissing before the first piece."""
        ...

    async def remove(self, keys: Collection[str], idle_s: float) -> int:
        """Removes those that nobody has put for `idle_s` seconds: one that is put again at the same moment stays.

        Returns how many; missing ones are no error.
        """
        ...


async def pieces_of(data: bytes) -> AsyncIterator[bytes]:
    """A file that is in memory already, for `put`."""
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


async def measured(pieces: AsyncIterator[bytes], most_bytes: int, digest: Any) -> AsyncIterator[bytes]:
    """The pieces, added to a digest as they pass. Raises BlobTooLarge."""
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > most_bytes:
            raise BlobTooLarge(f"more than {most_bytes} bytes")
        digest.update(piece)
        yield piece


def check_key(key: str) -> None:
    """Raises BlobMissing for what can be no key, before it becomes part of a path or a statement."""
    if not _KEY.fullmatch(key):
        raise BlobMissing(f"{key[:80]!r} is no key of a file")


class FolderBlobs:
    """Files in a folder that all processes of the installation share: `ab/abcdef...`, readable by their owner only."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first file comes."""
        self._folder = folder

    async def put(self, pieces: AsyncIterator[bytes], most_bytes: int) -> Blob:
        digest, size = hashlib.sha256(), 0
        written = await asyncio.to_thread(self._begin)
        try:
            async for piece in measured(pieces, most_bytes, digest):
                size += len(piece)
                await asyncio.to_thread(written.write, piece)
            key = digest.hexdigest()
            await asyncio.to_thread(self._finish, written, key)
        except BaseException:
            written.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(written.name)
            raise
        return Blob(key, size)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        check_key(key)
        try:
            opened = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError:
            raise BlobMissing(f"the file {key} is not in {self._folder}") from None
        with opened:
            while piece := await asyncio.to_thread(opened.read, PIECE_BYTES):
                yield piece

    async def remove(self, keys: Collection[str], idle_s: float) -> int:
        return await asyncio.to_thread(self._remove, keys, idle_s)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _begin(self) -> BinaryIO:
        coming = self._folder / "coming"
        coming.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=coming, delete=False)  # type: ignore[return-value]  # it behaves as one

    def _finish(self, written: BinaryIO, key: str) -> None:
        written.flush()
        os.fsync(written.fileno())
        written.close()
        path = self._path(key)
        made = not path.parent.exists()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with self._locked():
            os.replace(written.name, path)
        _sync_folder(path.parent)
        if made:
            _sync_folder(self._folder)

    def _remove(self, keys: Collection[str], idle_s: float) -> int:
        removed, before = 0, time.time() - idle_s
        if not self._folder.exists():
            return 0
        for key in keys:
            check_key(key)
            with self._locked(), contextlib.suppress(FileNotFoundError):
                path = self._path(key)
                if path.stat().st_mtime <= before:
                    path.unlink()
                    removed += 1
        return removed

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """So that no file goes between the look at its age and its removal."""
        with (self._folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
