"""Kills the host, its classification workers and its PostgreSQL at random moments while customers and agents work.

The customers' own record is compared with the outcomes at the end: 0 lost, 0 doubled.
Usage: python -m tests.system.crash --kills 14 --conversations 1000 --seed 1
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.hosts import free_port
from libs.storage.embedded import EmbeddedPostgres

# A guard against hanging, not a measure: on a busy machine a host takes several times longer to start.
START_SECONDS = 180
QUICK = {
    "CENTRALINO_LOG_LEVEL": "error",
    "CENTRALINO_LEASE_SECONDS": "2",
    "CENTRALINO_SURVEY_CAP_DAYS": "0",
    "CENTRALINO_SURVEY_DELAY_SECONDS": "1",
    "CENTRALINO_ANALYTICS_SETTLE_MS": "300",
}


@dataclass
class Victim:
    """The embedded host as a process that is started again whenever it dies."""

    folder: Path
    port: int
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    ending: bool = False
    kills: dict[str, int] = field(default_factory=lambda: {"host": 0, "worker": 0, "postgres": 0})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def keep_alive(self) -> None:
        """Starts the host and starts it again, as an operator's restart rule does."""
        while not self.ending:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services",
                "run",
                "--port",
                str(self.port),
                env={**os.environ, **QUICK, **self.environment, "CENTRALINO_DATA": str(self.folder)},
                stdout=(self.folder / "host.log").open("ab"),
                stderr=asyncio.subprocess.STDOUT,
            )
            self.starts += 1
            await self.process.wait()

    async def answers(self, seconds: float = START_SECONDS) -> None:
        until = time.monotonic() + seconds
        async with httpx.AsyncClient(timeout=2) as client:
            while time.monotonic() < until:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.url}/livez")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise RuntimeError(f"the host does not answer at {self.url}; see {self.folder / 'host.log'}")

    async def kill(self, what: str) -> None:
        """Kills one of them, as soon as there is one to kill."""
        find = {"host": self._host, "worker": self._worker, "postgres": EmbeddedPostgres(self.folder).pid}[
            what
        ]
        async with asyncio.timeout(START_SECONDS):
            while True:
                with contextlib.suppress(ProcessLookupError, psutil.Error):
                    pid = find()
                    if pid is not None:
                        os.kill(pid, signal.SIGKILL)
                        self.kills[what] += 1
                        return
                await asyncio.sleep(0.05)

    def _host(self) -> int | None:
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    def _worker(self) -> int | None:
        host = self._host()
        children = psutil.Process(host).children(recursive=True) if host is not None else []
        return next((child.pid for child in children if "services.triage" in " ".join(child.cmdline())), None)

    async def end(self) -> None:
        self.ending = True
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await self.process.wait()
            if self.process.returncode is None:
                self.process.kill()
        EmbeddedPostgres(self.folder).stop()


@contextlib.asynccontextmanager
async def victim(*, keep: bool = False, **environment: str) -> AsyncIterator[Victim]:
    """A host to be killed, on a folder that is removed afterwards unless `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="centralino-crash-"))
    host = Victim(folder, free_port(), environment)
    keeping = asyncio.create_task(host.keep_alive())
    try:
        await host.answers()
        yield host
    finally:
        await host.end()
        await keeping
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


async def simulate(host: Victim, conversations: int, rate: float, seed: int) -> dict[str, Any]:
    """Customers and agents as a process of their own; what it prints at the end is the account."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services",
        "demo",
        "--url",
        host.url,
        "--data",
        str(host.folder),
        "--conversations",
        str(conversations),
        "--rate",
        str(rate),
        "--seed",
        str(seed),
        "--alone",
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=(host.folder / "demo.log").open("ab"),
    )
    output, _ = await process.communicate()
    if not output.strip():
        raise RuntimeError(
            f"the simulation printed nothing:\n{(host.folder / 'demo.log').read_text()[-4000:]}"
        )
    account: dict[str, Any] = json.loads(output)
    account["exit_code"] = process.returncode
    return account


async def killing(host: Victim, kills: list[str], seconds: float, seed: int) -> None:
    """Spreads the kills over about `seconds` at random moments: two of three some time after the host answers again,
    however long that takes on this machine, the third whatever it does just then.
    """
    choice = random.Random(seed)
    choice.shuffle(kills)
    for number, what in enumerate(kills):
        if number % 3:
            await host.answers()
        await asyncio.sleep(choice.uniform(0, seconds / len(kills)))
        await host.kill(what)


async def run(
    kills: int, conversations: int, rate: float, seed: int, *, keep: bool = False
) -> dict[str, Any]:
    """One run: the account of the simulation with the kills that were done."""
    few = max(2, kills // 7)
    plan = ["host"] * (kills - 2 * few) + ["worker"] * few + ["postgres"] * few
    async with victim(keep=keep) as host:
        killer = asyncio.create_task(killing(host, plan, conversations / rate, seed))
        try:
            account = await simulate(host, conversations, rate, seed)
        finally:
            killer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await killer
        return {
            **account,
            "kills": host.kills,
            "starts": host.starts,
            "seed": seed,
            "folder": str(host.folder),
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=14)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10.0, help="conversations a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the database and the logs")
    given = parser.parse_args()
    result = asyncio.run(run(given.kills, given.conversations, given.rate, given.seed, keep=given.keep))
    print(json.dumps(result, indent=1))
    sys.exit(result["exit_code"])
