"""The whole life of conversations on Kafka, one process for each service, beside a pass-through of the same hops.

The pass-through moves one row for each conversation along the topics that a life crosses: a process for each hop, one
batched insert a hop, idempotent batches, nothing else. It is the limit of the two servers and the two cores, not a
product: no HTTP, no decisions, no state.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.hosts import clustered
from bench.life import QUICK, lives
from bench.report import spread, write
from libs.contracts import PARTITIONS, partition_of
from libs.primitives import new_id
from libs.storage.embedded import EmbeddedPostgres
from services.cluster.kafka import LocalKafka

HOPS = ("messages", "decisions", "assignments", "conversations", "responses", "outcomes")
"""Topics that a life crosses, one after the other."""
_VALUE = b"x" * 400


@contextmanager
def _servers() -> Iterator[tuple[str, str]]:
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
    with _servers() as (bootstrap, url):
        asyncio.run(_topics(bootstrap))
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
            return asyncio.run(_through(bootstrap, rows))
        finally:
            for process in hops:
                process.kill()
                process.wait()


async def _topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in HOPS])
    while not set(HOPS) <= set(await admin.list_topics()):  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(0.05)
    await admin.close()


async def _through(bootstrap: str, rows: int) -> float:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=512 * 1024
    )
    consumer = AIOKafkaConsumer(HOPS[-1], bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    started = time.perf_counter()
    sending = asyncio.create_task(_feed(producer, rows))
    seen = 0
    while seen < rows:
        seen += sum(map(len, (await consumer.getmany(timeout_ms=200)).values()))
    seconds = time.perf_counter() - started
    await sending
    await producer.stop()
    await consumer.stop()
    return rows / seconds


async def _feed(producer: AIOKafkaProducer, rows: int) -> None:
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


def measure(conversations: int, open_: int, rows: int, runs: int) -> None:
    ours, peers, ratios, p50s = [], [], [], []
    for _ in range(runs):
        peer = pass_through(rows)
        with clustered(CENTRALINO_LOG_LEVEL="warning", **QUICK) as running:
            lives(running.url, running.data, 50, open_)
            mine = lives(running.url, running.data, conversations, open_)
        ours.append(mine["per_second"])
        peers.append(peer)
        ratios.append(mine["per_second"] / peer)
        p50s.append(mine["life_p50_s"])
    write(
        "kafka_life",
        "A conversation's whole life on Kafka, one process for each service",
        f"python -m bench.kafka_life --conversations {conversations} --open {open_} --rows {rows} --runs {runs}",
        ["what", "median (range)"],
        [
            ["conversations/s, customers and agents by HTTP and SSE through the gateway", spread(ours, 1)],
            [f"rows/s of the pass-through over {len(HOPS) - 1} hops", spread(peers)],
            ["ratio, run by run (goal 0.25, aim 0.5)", spread(ratios, 4)],
            [f"median life at {open_} open, s", spread(p50s, 1)],
        ],
        "The limit has no HTTP in it: a life has some seven requests, each of which costs more than a row's way"
        " through all hops.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--open", type=int, default=60)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    measure(given.conversations, given.open, given.rows, given.runs)
