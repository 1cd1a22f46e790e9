"""Starts processes, keeps them running, and ends them. Each writes a log file of its own."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

_AGAIN_SECONDS = 1.0
_SOON_SECONDS = 10.0
_MOST_SECONDS = 8.0
_log = structlog.get_logger()


@dataclass
class Process:
    """One process that is to run until it is told to end."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = field(default=None, init=False)
    restarts: int = field(default=0, init=False)

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        running = self.process is not None and self.process.returncode is None
        return self.process.pid if running and self.process else None

    async def keep(self, stop: asyncio.Event) -> None:
        """Runs it until `stop`, and again when it ends by itself, later each time it ends soon."""
        pause = _AGAIN_SECONDS
        while not stop.is_set():
            started = time.monotonic()
            await self._run(stop)
            if stop.is_set():
                return
            self.restarts += 1
            pause = (
                _AGAIN_SECONDS
                if time.monotonic() - started > _SOON_SECONDS
                else min(_MOST_SECONDS, pause * 2)
            )
            assert self.process is not None
            _log.warning("process_ended", name=self.name, code=self.process.returncode, log=str(self.log))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stop.wait()

    async def _run(self, stop: asyncio.Event) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                env={**os.environ, **self.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches this process alone, which then ends the others in order.
                start_new_session=True,
            )
        ended = asyncio.create_task(self.process.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            await self._end(ended)

    async def _end(self, ended: "asyncio.Task[int]") -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait([ended], timeout=8)
        if not done:
            _log.warning("process_killed", name=self.name)
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await ended
