"""From a message that is due to the offer on an agent's stream, at half of what the platform takes, in both ways of running.

What it takes is measured first, by lives that follow each other as fast as they end (`bench.life_load`); then messages
come at half that rate, each at its own time whether or not the platform has kept up: the wait counts from that time.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench.hosts import clustered, platform
from bench.life import QUICK, lives
from bench.life_load import TEXTS, Life
from bench.report import spread, write

_AFTERWARDS_SECONDS = 30.0


class Offers(Life):
    """Agents work as in `Life`; customers write at a fixed rate and are not asked anything."""

    def __init__(self, url: str, data: Path, rate: float, seconds: float) -> None:
        super().__init__(url, data, int(rate * seconds), 1, seconds + _AFTERWARDS_SECONDS)
        self.rate = rate
        self.due: dict[str, float] = {}
        self.offered: dict[str, float] = {}

    async def work(self, offer: dict[str, str], token: str) -> None:
        self.offered.setdefault(offer["conversation_id"], time.perf_counter())
        await super().work(offer, token)

    async def _write(self, number: int, due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        body = {
            "channel": "chat",
            "sender": {"external_id": f"offers-{number}", "name": "Life"},
            "text": TEXTS[number % len(TEXTS)],
        }
        status, _, sent = await self.wire.ask("POST", "/ingest/v1/messages", body, Prefer="wait=10")
        if status != 202 or "conversation_id" not in sent:
            self.count(f"message {status}")
            return
        self.due[sent["conversation_id"]] = due

    async def measure(self) -> dict[str, object]:
        """Milliseconds from due to offer, and how many messages never led to one."""
        await self.prepare()
        reading = [asyncio.create_task(self.agent(agent, token)) for agent, token in self.agents.items()]
        await asyncio.sleep(1)
        start = time.perf_counter() + 0.5
        await asyncio.gather(*(self._write(n, start + n / self.rate) for n in range(self.conversations)))
        until = time.perf_counter() + _AFTERWARDS_SECONDS
        while not self.due.keys() <= self.offered.keys() and time.perf_counter() < until:  # noqa: ASYNC110 - a look
            await asyncio.sleep(0.1)
        for task in reading:
            task.cancel()
        waits = sorted(
            1000 * (self.offered[case] - due) for case, due in self.due.items() if case in self.offered
        )
        return {
            "p50_ms": waits[len(waits) // 2],
            "p99_ms": waits[int(len(waits) * 0.99)],
            "never": len(self.due) - len(waits),
            "refused": self.refused,
        }


def offers(url: str, data: Path, rate: float, seconds: float) -> dict[str, float]:
    """The generator in a process of its own."""
    command = [sys.executable, "-m", "bench.offers", "--url", url, "--data", str(data)]
    command += ["--rate", f"{rate:.2f}", "--seconds", f"{seconds:.0f}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 180, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:])
    result: dict[str, float] = json.loads(done.stdout)
    if result["refused"] or result["never"]:
        print(result)
    return result


@contextmanager
def _started(way: str) -> Iterator[tuple[str, Path]]:
    if way == "embedded":
        with platform(**QUICK) as running:
            yield running
    else:
        with clustered(CENTRALINO_LOG_LEVEL="warning", **QUICK) as cluster:
            yield cluster.url, cluster.data


_GOALS = {"embedded": 100, "Kafka": 250}


def measure(conversations: int, seconds: float, runs: int) -> None:
    most: dict[str, list[float]] = {way: [] for way in _GOALS}
    seen: dict[str, list[dict[str, float]]] = {way: [] for way in _GOALS}
    for _ in range(runs):
        for way in _GOALS:
            with _started(way) as (url, data):
                lives(url, data, 100, 40)
                most[way].append(lives(url, data, conversations, 60)["per_second"])
                seen[way].append(offers(url, data, most[way][-1] / 2, seconds))
    write(
        "offers",
        "A message's way to the offer on an agent's stream, at half of the measured maximum",
        f"python -m bench.offers --conversations {conversations} --seconds {seconds:.0f} --runs {runs}",
        ["way", "lives/s at most", "p50, ms", "p99, ms", "goal of p99, ms"],
        [
            [
                way,
                spread(most[way], 1),
                spread([one["p50_ms"] for one in seen[way]]),
                spread([one["p99_ms"] for one in seen[way]]),
                str(goal),
            ]
            for way, goal in _GOALS.items()
        ],
        "Median (range) of the runs; counted from the time at which each message was due; agents accept, reply and resolve"
        " meanwhile. The generator is a process of its own on the same two cores.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--url", help="be the generator for this platform")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rate", type=float, default=10)
    given = parser.parse_args()
    if given.url:
        load = Offers(given.url, given.data, given.rate, given.seconds)
        print(json.dumps(uvloop.run(load.measure())))
    else:
        measure(given.conversations, given.seconds, given.runs)
