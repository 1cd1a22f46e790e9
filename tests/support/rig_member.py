"""A `rig_worker` seen from outside: where it is, and signals that reach it exactly there."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Member:
    """One process, and the file of what it has said."""

    process: asyncio.subprocess.Process
    words: Path

    def said(self) -> list[str]:
        return self.words.read_text().splitlines()

    async def freeze(self) -> None:
        """Puts it to sleep, and returns once it sleeps."""
        self.process.send_signal(signal.SIGSTOP)
        while psutil.Process(self.process.pid).status() != psutil.STATUS_STOPPED:
            await asyncio.sleep(0.001)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def until(self, there: Callable[[list[str]], bool]) -> list[str]:
        """Waits until what it has said is `there`, and returns that."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not there(said := self.said()):
                await asyncio.sleep(0.005)
            return said

    async def frozen(self, there: Callable[[list[str]], bool]) -> list[str]:
        """Puts it to sleep while what it has said is `there`: one that has gone on meanwhile is let go until it is again."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await self.until(there)
                await self.freeze()
                if there(said := self.said()):
                    return said
                self.thaw()


@asynccontextmanager
async def member(url: str, bug: str) -> AsyncIterator[Member]:
    """Starts one; kills it at the end if it still lives."""
    command = [sys.executable, "-m", "tests.support.rig_worker", url, "--bug", bug]
    with tempfile.NamedTemporaryFile(prefix="centralino-member-") as words:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=words, stderr=asyncio.subprocess.DEVNULL
        )
        made = Member(process, Path(words.name))
        try:
            yield made
        finally:
            if process.returncode is None:
                await made.kill()
