"""What customers and agents did, as they know it themselves: lines on disk before each request, answers after it."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

_GATHER_S: Final = 0.004


class Record:
    """A file of JSON lines. `write` returns once its line is on disk; lines written together share one flush."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Record":
        self._file = self.path.open("ab", buffering=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            await self._writer
        if self._file is not None:
            self._file.close()
            self._file = None

    async def write(self, what: str, **fields: Any) -> None:
        """Appends one line and waits until it is on disk. Raises OSError when the disk refuses."""
        if self._file is None:
            raise RuntimeError("the record is closed")
        line = json.dumps({"what": what, **fields}, ensure_ascii=False, separators=(",", ":"))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((line.encode() + b"\n", done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(self._file))
        await done

    async def _write_all(self, file: BinaryIO) -> None:
        while self._waiting:
            await asyncio.sleep(_GATHER_S)
            batch, self._waiting = self._waiting, []
            failure: OSError | None = None
            try:
                await asyncio.to_thread(_append, file, b"".join(line for line, _done in batch))
            except OSError as error:
                failure = error
            for _line, done in batch:
                if done.done():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)


def _append(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    os.fsync(file.fileno())


def read_record(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a record. A last line that a crash cut off is left out: its request was never sent."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)
