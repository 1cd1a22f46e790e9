"""The whole life of conversations on Kafka, one process for each service, beside a pass-through of the same hops.

The pass-through moves one row for each conversation along the topics that a life crosses: a process for each hop, one
batched insert a hop, idempotent batches, nothing else. It is the limit of the two servers and the two cores, not a
product: no HTTP, no decisions, no state.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy.engine import make_url

from bench.hosts import answers, clustered, free_port
from bench.life import QUICK, lives
from bench.peers import plain_line
from bench.report import spread, write
from libs.contracts import PARTITIONS, partition_of
from libs.primitives import new_id
from libs.storage.embedded import EmbeddedPostgres
from services.cluster.kafka import LocalKafka

HOPS = ("messages", "decisions", "assignments", "conversations", "responses", "outcomes")
"""Topics that a life crosses, one after the other."""
_VALUE = b"x" * 400
_WORKERS = (1, 16)
"""Of the plain line: messages that each subscriber works on at a time."""
CADDYFILE = Path(__file__).resolve().parents[1] / "deploy" / "caddy" / "Caddyfile"


@contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """A broker and a database of their own: bootstrap and URL."""
    with tempfile.TemporaryDirectory(prefix="centralino-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        kafka, postgres = LocalKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres")
        kafka.start()
        try:
            postgres.start()
            yield kafka.bootstrap, postgres.url
        finally:
            kafka.stop()
            postgres.stop()


def pass_through(rows: int) -> float:
    """Rows a second from the first topic to the last."""
    with servers() as (bootstrap, url):
        asyncio.run(make_topics(bootstrap, HOPS))
        hops = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.passthrough", bootstrap, url, begin, end, str(rows)],
                stdout=subprocess.PIPE,
            )
            for begin, end in itertools.pairwise(HOPS)
        ]
        try:
            for process in hops:
                assert process.stdout is not None
                process.stdout.readline()
            return asyncio.run(timed(bootstrap, HOPS[-1], rows, lambda: feed(bootstrap, rows)))
        finally:
            for process in hops:
                process.kill()
                process.wait()


async def make_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Makes them, and returns once the broker knows them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    while not set(names) <= set(await admin.list_topics()):  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(0.05)
    await admin.close()


def direct(database_url: str) -> str:
    """The address as asyncpg takes it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


async def timed(bootstrap: str, last: str, rows: int, fill: Callable[[], Awaitable[None]]) -> float:
    """Rows a second from the first row that is written to the last that arrives."""
    consumer = AIOKafkaConsumer(last, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    started = time.perf_counter()
    filling = asyncio.ensure_future(fill())
    seen = 0
    async with asyncio.timeout(900):
        while seen < rows:
            seen += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
    seconds = time.perf_counter() - started
    await filling
    await consumer.stop()
    return rows / seconds


async def feed(bootstrap: str, rows: int) -> None:
    """Sends so many rows to the first topic."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=512 * 1024
    )
    await producer.start()
    waiting = []
    for _ in range(rows):
        key = new_id()
        waiting.append(
            await producer.send(HOPS[0], key=key.encode(), value=_VALUE, partition=partition_of(key))
        )
        if len(waiting) == 2000:
            await asyncio.gather(*waiting)
            waiting.clear()
    await asyncio.gather(*waiting)
    await producer.stop()


@contextmanager
def _plain_line(bootstrap: str, database_url: str, folder: Path, workers: int) -> Iterator[str]:
    """The plain line's six processes behind the gateway that ours has: its address."""
    url = direct(database_url)
    ports = {name: free_port() for name in plain_line.SERVICES}
    gateway = free_port()
    environment = {
        **os.environ,
        **{name.upper(): f"127.0.0.1:{port}" for name, port in ports.items()},
        "GATEWAY_BIND": "127.0.0.1",
        "GATEWAY_PORT": str(gateway),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
    }
    caddy = ["caddy", "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    module = [sys.executable, "-m", "bench.peers.plain_line"]
    started = [
        subprocess.Popen([*module, name, bootstrap, url, str(port), str(workers)], stderr=subprocess.DEVNULL)
        for name, port in ports.items()
    ]
    started.append(subprocess.Popen(caddy, env=environment, stderr=subprocess.DEVNULL))
    try:
        for port in ports.values():
            answers(f"http://127.0.0.1:{port}/docs", started[0])
        answers(f"http://127.0.0.1:{gateway}/livez", started[-1])
        yield f"http://127.0.0.1:{gateway}"
    finally:
        for process in started:
            process.kill()
            process.wait()


def plain(conversations: int, open_: int, workers: int) -> float:
    """Conversations a second of the plain line."""
    with servers() as (bootstrap, url), tempfile.TemporaryDirectory(prefix="centralino-bench-") as name:
        folder = Path(name)
        asyncio.run(make_topics(bootstrap, plain_line.TOPICS))
        asyncio.run(_tables(url))
        with _plain_line(bootstrap, url, folder, workers) as address:
            lives(address, folder, 50, open_)
            return lives(address, folder, conversations, open_)["per_second"]


async def _tables(database_url: str) -> None:
    url = direct(database_url)
    connection = await asyncpg.connect(url)
    await connection.execute(plain_line.TABLES)
    await connection.close()


def ours(conversations: int, open_: int) -> dict[str, float]:
    """The same lives on a cluster of ours."""
    with clustered(CENTRALINO_LOG_LEVEL="warning", **QUICK) as running:
        lives(running.url, running.data, 50, open_)
        return lives(running.url, running.data, conversations, open_)


def measure(conversations: int, open_: int, rows: int, runs: int) -> None:
    mine, peers, ratios, p50s = [], [], [], []
    plains: dict[int, list[float]] = {workers: [] for workers in _WORKERS}
    for _ in range(runs):
        peers.append(pass_through(rows))
        for workers in _WORKERS:
            plains[workers].append(plain(conversations, open_, workers))
        seen = ours(conversations, open_)
        mine.append(seen["per_second"])
        ratios.append(mine[-1] / peers[-1])
        p50s.append(seen["life_p50_s"])
    best = max(_WORKERS, key=lambda workers: statistics.median(plains[workers]))
    write(
        "kafka_life",
        "A conversation's whole life on Kafka, one process for each service",
        f"python -m bench.kafka_life --conversations {conversations} --open {open_} --rows {rows} --runs {runs}",
        ["what", "median (range)"],
        [
            ["conversations/s, customers and agents by HTTP and SSE through the gateway", spread(mine, 1)],
            [f"rows/s of the pass-through over {len(HOPS) - 1} hops", spread(peers)],
            ["ratio, run by run (goal 0.25, aim 0.5)", spread(ratios, 4)],
            [f"median life at {open_} open, s", spread(p50s, 1)],
            *[
                [
                    f"conversations/s of the plain line, FastStream with max_workers={workers}",
                    spread(plains[workers], 1),
                ]
                for workers in _WORKERS
            ],
            [
                f"ratio to the plain line with {best}, run by run (goal 10, aim 20)",
                spread([one / other for one, other in zip(mine, plains[best], strict=True)], 2),
            ],
        ],
        "The limit has no HTTP in it: a life has some seven requests, each of which costs more than a row's way"
        " through all hops. The plain line (bench/peers/plain_line.py) takes the same requests from the same generator"
        " through the same gateway and commits each message by itself; it has no classifier, clocks, fence, outbox, timers"
        " or explanations, and loses or doubles what a crash hits.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--open", type=int, default=60)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    measure(given.conversations, given.open, given.rows, given.runs)
