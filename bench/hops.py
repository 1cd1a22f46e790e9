"""The hops of a life without HTTP on Kafka, one process for each: ours, the bare pass-through, and a plain version.

Each is timed from the first row that is written until an independent consumer has seen the last in the last topic.
Ours keeps a state row, an outbox row and a position in one fenced transaction a batch and relays; the pass-through inserts a
batch and sends it on; the plain version commits each message and has neither outbox nor fence.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg

from bench.hop_worker import LINE, made, topic_of
from bench.kafka_life import HOPS, direct, feed, make_topics, pass_through, servers, timed
from bench.peers import plain_hop
from bench.report import spread, write
from libs.primitives import SystemClock, new_id
from libs.storage import Database, Engines
from libs.streams import Log
from libs.streams.broker import Broker
from libs.streams.kafka_topics import apply_topics
from tests.support.rig import SCHEMA, prepare

_WORKERS = (1, 16)
_AT_ONCE = 1000


@contextmanager
def _processes(commands: Sequence[Sequence[str]]) -> Iterator[None]:
    """Runs modules until the end, each of which says that it is ready."""
    started = [
        subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"{process.args!r} did not start")
        time.sleep(5)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


async def _append(url: str, rows: int) -> None:
    """What ingest does with messages that come in batches."""
    engines = Engines.connect(url, web_connections=2, stream_connections=2)
    log = Log(engines.streams)
    await log.start()
    database = Database(engines, SCHEMA, SystemClock(), log)
    for start in range(0, rows, _AT_ONCE):
        async with database.begin() as uow:
            uow.emit(*(made(LINE[0], new_id()) for _ in range(min(_AT_ONCE, rows - start))))
            await uow.commit()
    await log.stop()
    await engines.dispose()


def ours(rows: int) -> float:
    """Rows a second of the line."""
    with servers() as (bootstrap, url):
        asyncio.run(prepare(url))
        asyncio.run(apply_topics(Broker(bootstrap)))
        commands = [["bench.hop_worker", bootstrap, url, str(number)] for number in range(len(LINE) - 1)]
        with _processes(commands):
            return asyncio.run(timed(bootstrap, topic_of(LINE[-1]), rows, lambda: _append(url, rows)))


def plain(rows: int, workers: int) -> float:
    """Rows a second of the plain version."""
    with servers() as (bootstrap, url):
        asyncio.run(make_topics(bootstrap, HOPS))
        asyncio.run(_state(direct(url)))
        commands = [
            ["bench.peers.plain_hop", bootstrap, direct(url), begin, end, str(workers)]
            for begin, end in itertools.pairwise(HOPS)
        ]
        with _processes(commands):
            return asyncio.run(timed(bootstrap, HOPS[-1], rows, lambda: feed(bootstrap, rows)))


async def _state(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(plain_hop.STATE)
    await connection.close()


def measure(rows: int, plain_rows: int, runs: int) -> None:
    mine, peers = [], []
    plains: dict[int, list[float]] = {workers: [] for workers in _WORKERS}
    for _ in range(runs):
        peers.append(pass_through(rows))
        mine.append(ours(rows))
        for workers in _WORKERS:
            plains[workers].append(plain(plain_rows, workers))
        print(f"{peers[-1]:.0f} {mine[-1]:.0f} {[round(one[-1]) for one in plains.values()]}", flush=True)
    best = max(_WORKERS, key=lambda workers: sum(plains[workers]))
    write(
        "hops",
        f"The {len(LINE) - 1} hops of a life on Kafka without HTTP, one process a hop",
        f"python -m bench.hops --rows {rows} --plain-rows {plain_rows} --runs {runs}",
        ["what", "median (range)"],
        [
            ["conversations/s through all hops: state, outbox, fence, position, relay", spread(mine)],
            ["rows/s of the pass-through, one batched insert a hop", spread(peers)],
            [
                "ratio, run by run (goal 0.25, aim 0.5)",
                spread([a / b for a, b in zip(mine, peers, strict=True)], 2),
            ],
            *[
                [f"conversations/s of the plain version, FastStream with max_workers={n}", spread(plains[n])]
                for n in _WORKERS
            ],
            [
                f"ratio to the plain version with {best}, run by run (goal 10, aim 20)",
                spread([a / b for a, b in zip(mine, plains[best], strict=True)], 1),
            ],
        ],
        "The hops carry no decisions: this is what the log, the transport and the unit of work cost. The whole life with its"
        " requests is measured by kafka_life.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--plain-rows", type=int, default=3_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    measure(given.rows, given.plain_rows, given.runs)
