"""Kills ingest by signal 9 again and again while a provider posts webhooks, some doubled, some late, some torn; every
message it was ever told 200 for is looked up in the log: 0 lost, 0 doubled.

Usage: python -m tests.system.webhook_crash --webhooks 100000 --kills 20 --seed 1
With --state FOLDER --seconds 500 it stops by then and keeps the database and its place; the same command goes on.
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
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.hosts import free_port
from libs.contracts import message_type, unpack
from libs.storage import Engines, fetch_all
from libs.storage.embedded import EmbeddedPostgres
from services.simulator import SHAPES, Payload
from services.simulator.command import account_of

PROVIDER, SECRET, PEOPLE = "whatsapp-cloud", "secret-of-the-account", 200


@dataclass
class Ingest:
    """The service as a process of its own that is started again whenever it dies."""

    url: str
    folder: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    ending: bool = False

    async def keep_alive(self) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "CENTRALINO_DATA": str(self.folder),
            "CENTRALINO_LOG_LEVEL": "error",
            "CENTRALINO_LEASE_SECONDS": "2",
            "CENTRALINO_INGEST_ACCOUNTS": json.dumps([account_of(SHAPES[PROVIDER], "default", SECRET, "")]),
        }
        command = [sys.executable, "-m", "services", "serve", "ingest", "--port", str(self.port)]
        while not self.ending:
            with (self.folder / "ingest.log").open("ab") as log:
                self.process = await asyncio.create_subprocess_exec(
                    *command, env=environment, stdout=log, stderr=log
                )
            self.starts += 1
            await self.process.wait()

    async def killing(self, kills: int, done: "Progress", webhooks: int, seed: int) -> None:
        """Kills once in each of equal shares of the work, at a random moment of the share."""
        choice = random.Random(seed)
        for share in range(kills):
            at = int((share + choice.random()) * webhooks / kills)
            if share < done.kills:
                continue
            while done.taken < at:
                await asyncio.sleep(0.005)
            if self.process is not None and self.process.returncode is None:
                self.process.send_signal(signal.SIGKILL)
                done.kills += 1
                await self.process.wait()

    async def end(self) -> None:
        self.ending = True
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await self.process.wait()
            if self.process.returncode is None:
                self.process.kill()


@dataclass
class Progress:
    """What the provider has seen."""

    taken: int = 0
    """Messages answered 200, each counted once."""
    doubled: int = 0
    torn: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    failures: int = 0
    """Connections that broke: the process was killed."""
    kills: int = 0
    starts: int = 0
    seconds: float = 0
    place: int = 0
    """How many of the order have been begun."""
    open: set[int] = field(default_factory=set)
    """Places that were begun and are not answered yet."""
    known: set[int] = field(default_factory=set)
    """Messages answered 200."""

    def save(self, path: Path) -> None:
        """All that a later run needs to go on."""
        value = {**vars(self), "open": sorted(self.open), "known": sorted(self.known)}
        path.with_suffix(".new").write_text(json.dumps(value))
        path.with_suffix(".new").replace(path)

    @staticmethod
    def load(path: Path) -> "Progress":
        """The progress of an earlier run, or of none."""
        if not path.exists():
            return Progress()
        value = json.loads(path.read_text())
        refused = Counter({int(status): count for status, count in value["refused"].items()})
        return Progress(
            **{**value, "refused": refused, "open": set(value["open"]), "known": set(value["known"])}
        )


def plan(webhooks: int, seed: int) -> list[int]:
    """Numbers of messages in the order of posting: 10 % are posted a second time some time later, 10 % change their
    place with one up to fifty later."""
    choice = random.Random(seed)
    order = list(range(webhooks))
    for place in range(webhooks):
        if choice.random() < 0.1:
            other = min(webhooks - 1, place + choice.randint(1, 50))
            order[place], order[other] = order[other], order[place]
    repeated = [
        (place + choice.randint(1, 500), number)
        for place, number in enumerate(order)
        if choice.random() < 0.1
    ]
    timed = [*enumerate(order), *repeated]
    return [number for _, number in sorted(timed, key=lambda one: one[0])]


def webhook(number: int) -> Payload:
    return SHAPES[PROVIDER].message(number, f"39333{number % PEOPLE:07d}", f"message {number} 😀")


async def post(port: int, payload: Payload, torn: bool) -> int:
    """The status of one request; 0 for one that is cut in the middle of its body. Raises OSError, EOFError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        signed = SHAPES[PROVIDER].sign(payload.body, "", SECRET, 0)
        path = f"/ingest/v1/hooks/{PROVIDER}/default"
        head = [f"POST {path} HTTP/1.1", "Host: shop.example", "Connection: close"]
        head += [f"Content-Type: {payload.media_type}", f"Content-Length: {len(payload.body)}"]
        head += [f"{name}: {value}" for name, value in signed.items()]
        writer.write("\r\n".join([*head, "", ""]).encode())
        if torn:
            writer.write(payload.body[: len(payload.body) // 2])
            await writer.drain()
            return 0
        writer.write(payload.body)
        answer = await reader.readuntil(b"\r\n")
        return int(answer.split()[1])
    finally:
        writer.close()


async def provide(
    ingest: Ingest, order: Sequence[int], progress: Progress, seed: int, clients: int, until: float
) -> None:
    """Posts every webhook until it is answered 200, as providers do; begins none after `until`."""
    choice, began = random.Random(seed + 1 + progress.place), time.monotonic()
    again = sorted(progress.open)

    def next_place() -> int | None:
        if time.monotonic() > until:
            return None
        if again:
            return again.pop()
        if progress.place == len(order):
            return None
        progress.place += 1
        return progress.place - 1

    async def client() -> None:
        while (place := next_place()) is not None:
            number = order[place]
            progress.open.add(place)
            payload = webhook(number)
            torn = choice.random() < 0.01
            while True:
                try:
                    async with asyncio.timeout(30):
                        status = await post(ingest.port, payload, torn)
                except (OSError, EOFError, TimeoutError):
                    progress.failures += 1
                    await asyncio.sleep(0.05)
                    continue
                if torn:
                    progress.torn += 1
                    torn = False
                    continue
                if status == 200:
                    break
                progress.refused[status] += 1
                await asyncio.sleep(0.05)
            progress.doubled += number in progress.known
            progress.taken += number not in progress.known
            progress.known.add(number)
            progress.open.discard(place)

    async def tell() -> None:
        while True:
            await asyncio.sleep(10)
            rate = progress.place / (progress.seconds + time.monotonic() - began)
            said = f"{progress.place} of {len(order)} posted, {progress.kills} kills, {rate:.0f} a second"
            print(said, file=sys.stderr, flush=True)  # noqa: T201 - long work shows where it is

    telling = asyncio.create_task(tell())
    try:
        await asyncio.gather(*[client() for _ in range(clients)])
    finally:
        telling.cancel()
        progress.seconds += time.monotonic() - began


async def received(url: str, webhooks: int, seconds: float) -> Counter[str]:
    """The texts of all MessageReceived, once there are enough and no more come."""
    engines = Engines.connect(url, web_connections=1, stream_connections=1)
    kind = message_type("centralino.ingest.v1.MessageReceived")
    assert kind is not None
    try:
        until, found, before = time.monotonic() + seconds, Counter[str](), -1
        while time.monotonic() < until:
            async with engines.reading.connect() as connection:
                [(count,)] = await fetch_all(
                    connection, "SELECT count(*) FROM ingest.thread_entries WHERE kind = 'customer'"
                )
            if count >= webhooks and count == before:
                break
            before = count
            await asyncio.sleep(0.5)
        after = (-1, -1)
        while True:
            async with engines.reading.connect() as connection:
                rows = await fetch_all(
                    connection,
                    "SELECT partition, number, data FROM log.events"
                    " WHERE topic = (SELECT id FROM log.topics WHERE name = 'ingest.messages.v1')"
                    " AND (partition, number) > ($1, $2) ORDER BY partition, number LIMIT 5000",
                    *after,
                )
            for partition, number, data in rows:
                envelope, after = unpack(data), (partition, number)
                if envelope.type.endswith(".MessageReceived"):
                    found[kind.FromString(envelope.payload).text] += 1  # type: ignore[attr-defined]  # as its name says
            if not rows:
                return found
    finally:
        await engines.dispose()


@contextlib.asynccontextmanager
async def database(url: str, kept: Path | None) -> AsyncIterator[str]:
    """The database given, or a server of its own whose commits are on the disk; in a folder that is kept, or not."""
    if url:
        yield url
        return
    folder = kept / "database" if kept else Path(tempfile.mkdtemp(prefix="centralino-hooks-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


async def run(
    webhooks: int,
    kills: int,
    seed: int,
    *,
    url: str = "",
    clients: int = 16,
    state: Path | None = None,
    seconds: float = float("inf"),
) -> dict[str, object]:
    """One run, or the next part of one: what was posted, and what is in the log of it."""
    until = time.monotonic() + seconds
    folder = state / "ingest" if state else Path(tempfile.mkdtemp(prefix="centralino-ingest-"))
    folder.mkdir(parents=True, exist_ok=True)
    async with database(url, state) as address:
        ingest = Ingest(address, folder)
        progress = Progress.load(state / "progress.json") if state else Progress()
        keeping = asyncio.create_task(ingest.keep_alive())
        order = plan(webhooks, seed)
        killing = asyncio.create_task(ingest.killing(kills, progress, webhooks, seed))
        try:
            await provide(ingest, order, progress, seed, clients, until)
            if progress.place == len(order):
                await killing
            found = await received(address, len(progress.known), 60 + webhooks / 100)
        finally:
            killing.cancel()
            await ingest.end()
            await keeping
            progress.starts += ingest.starts
            if state:
                progress.save(state / "progress.json")
            said = (folder / "ingest.log").read_text()
            if state is None:
                shutil.rmtree(folder, ignore_errors=True)
    return {
        "webhooks": webhooks,
        "answered_200": len(progress.known),
        "posted": progress.place - len(progress.open),
        "doubled_by_provider": progress.doubled,
        "torn": progress.torn,
        "broken_connections": progress.failures,
        "other_answers": dict(progress.refused),
        "kills": progress.kills,
        "starts": progress.starts,
        "seconds": round(progress.seconds, 1),
        **_compared(found, progress.known),
        "said": "\n".join(line for line in said.splitlines() if "rror" in line)[-2000:],
    }


def _compared(found: Counter[str], known: set[int]) -> dict[str, int]:
    """What was answered 200 beside what is in the log; no client is left without its answer when this is asked."""
    expected = {f"message {number} 😀" for number in known}
    return {
        "lost": len(expected - found.keys()),
        "doubled": sum(count - 1 for count in found.values()),
        "strange": len(found.keys() - expected),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhooks", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--state", type=Path, help="folder in which an unfinished run is kept")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no webhook after them")
    given = parser.parse_args()
    result = asyncio.run(
        run(
            given.webhooks,
            given.kills,
            given.seed,
            clients=given.clients,
            state=given.state,
            seconds=given.seconds,
        )
    )
    print(json.dumps(result, indent=1))  # noqa: T201 - what it is for
    if result["lost"] or result["doubled"] or result["strange"]:
        sys.exit(1)
    if result["answered_200"] != given.webhooks:
        sys.exit("not all is posted yet: the same command goes on")
