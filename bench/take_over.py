"""How long nobody works on a partition after `kill -9` of its owner, beside Kafka's session time-out.

Messages come at a fixed rate to a cluster with two processes of triage; one of the two is killed. The longest wait of a
message for its decision, as an independent consumer of the topic sees it arrive, is the time of the take-over.
"""

import argparse
import asyncio
import os
import random
import signal
import time

import psutil
from aiokafka import AIOKafkaConsumer

from bench.hosts import clustered
from bench.life import QUICK
from bench.life_load import TEXTS
from bench.report import spread, write
from bench.wire import Wire

SESSION_SECONDS = 10.0
_RATE = 10.0
_BEFORE_SECONDS = 10.0
_AFTER_SECONDS = 25.0


class TakeOver:
    """One kill: `waits` has the seconds that each message waited for its decision, by the second it was posted."""

    def __init__(self, url: str, bootstrap: str) -> None:
        self._wire = Wire(url)
        self._bootstrap = bootstrap
        self._posted: dict[str, float] = {}
        self._decided: dict[str, float] = {}

    async def run(self, victim: int) -> float:
        """The longest wait in seconds. Raises RuntimeError when a message got no decision."""
        consumer = AIOKafkaConsumer("triage.decisions.v1", bootstrap_servers=self._bootstrap)
        await consumer.start()
        reading = asyncio.create_task(self._read(consumer))
        start = time.perf_counter()
        count = int(_RATE * (_BEFORE_SECONDS + _AFTER_SECONDS))
        posting = [asyncio.create_task(self._post(n, start + n / _RATE)) for n in range(count)]
        await asyncio.sleep(_BEFORE_SECONDS)
        os.kill(victim, signal.SIGKILL)
        await asyncio.gather(*posting)
        until = time.perf_counter() + 30
        while not self._posted.keys() <= self._decided.keys() and time.perf_counter() < until:  # noqa: ASYNC110 - a look
            await asyncio.sleep(0.1)
        reading.cancel()
        await consumer.stop()
        missing = self._posted.keys() - self._decided.keys()
        if missing or len(self._posted) < count:
            raise RuntimeError(
                f"{len(missing)} messages got no decision, {count - len(self._posted)} were refused"
            )
        return max(self._decided[case] - at for case, at in self._posted.items())

    async def _post(self, number: int, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        body = {"channel": "chat", "sender": {"name": "Tom"}, "text": TEXTS[number % len(TEXTS)]}
        status, _, sent = await self._wire.ask("POST", "/ingest/v1/messages", body, Prefer="wait=10")
        if status == 202 and "conversation_id" in sent:
            self._posted[sent["conversation_id"]] = due

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            self._decided.setdefault(record.key.decode(), time.perf_counter())


def _owner(cluster: int, choice: random.Random) -> int:
    """One of the two processes of triage."""
    found = [
        process.pid
        for process in psutil.Process(cluster).children(recursive=True)
        if process.cmdline()[-2:] == ["serve", "triage"]
    ]
    return choice.choice(found)


def measure(runs: int, seed: int) -> None:
    choice, longest = random.Random(seed), []
    with clustered("--replicas=triage=2", CENTRALINO_LOG_LEVEL="error", **QUICK) as running:
        for _ in range(runs):
            victim = _owner(running.process.pid, choice)
            longest.append(asyncio.run(TakeOver(running.url, running.bootstrap).run(victim)))
            print(f"{longest[-1]:.2f} s", flush=True)
    write(
        "take_over",
        "Take-over of a killed process's partitions on Kafka",
        f"python -m bench.take_over --runs {runs} --seed {seed}",
        ["what", "median (range)"],
        [
            ["longest wait of a message for its decision, s", spread(longest, 2)],
            ["Kafka's session time-out, s", f"{SESSION_SECONDS:.0f}"],
            [
                f"over it, s, over {runs} kills (goal at most 1)",
                spread([one - SESSION_SECONDS for one in longest], 2),
            ],
        ],
        "Two processes of triage, ten messages a second, one process killed; an independent consumer sees the decisions.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    measure(given.runs, given.seed)
