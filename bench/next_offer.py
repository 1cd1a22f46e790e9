"""From the request that frees an agent to the next offer on that agent's open stream, at 70 % of what the platform takes.

What it takes is measured first, by lives that follow each other as fast as they end (`bench.life_load`). Then every agent
is full and more conversations wait; at 70 % of that rate a conversation is read, answered and resolved, each at its own
time, and another one is written. Each resolve gives exactly one agent room for exactly one conversation.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop

from bench.hosts import platform
from bench.life import QUICK, lives
from bench.life_load import AGENTS, TEXTS, Life
from bench.report import spread, write

LIMIT_MS = 50
LOAD = 0.7
_HANDS = 3
_BACKLOG = 60
_FILL_SECONDS = 60.0


class NextOffer(Life):
    """Agents are always full; the clock frees one at a time."""

    def __init__(self, url: str, data: Path, rate: float, seconds: float) -> None:
        super().__init__(url, data, 1, 1, 600)
        self.rate, self.seconds = rate, seconds
        self.hands: dict[str, deque[str]] = {agent: deque() for agent in self.agents}
        self.freed: dict[str, deque[float]] = {agent: deque() for agent in self.agents}
        self.waits: list[float] = []

    async def agent(self, agent: str, token: str) -> None:
        async for kind, data in self.wire.stream("/routing/v1/feed", token):
            if kind == "offer":
                if self.freed[agent]:
                    self.waits.append(1000 * (time.perf_counter() - self.freed[agent].popleft()))
                self._begin(self.take(agent, data, token))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def take(self, agent: str, offer: dict[str, str], token: str) -> None:
        status, _, _ = await self.wire.ask(
            "POST", f"/routing/v1/offers/{offer['offer_id']}/accept", token=token
        )
        if status == 200:
            self.hands[agent].append(offer["conversation_id"])
        else:
            self.count(f"accept {status}")

    async def write_one(self, number: int) -> None:
        body = {
            "channel": "chat",
            "sender": {"external_id": f"next-{number}", "name": "Next"},
            "text": TEXTS[number % len(TEXTS)],
        }
        status, _, _ = await self.wire.ask("POST", "/ingest/v1/messages", body, Prefer="wait=10")
        if status != 202:
            self.count(f"message {status}")

    async def finish(self, agent: str, case: str) -> None:
        """Reads, answers and resolves: the request of the resolve begins the wait."""
        token, path = self.agents[agent], f"/agent/v1/conversations/{case}"
        status, headers, seen = await self.wire.ask("GET", path, token=token)
        last = seen.get("last_seq", 1)
        reply = {"text": "It is on its way.", "after_seq": last}
        status, headers, _ = await self.wire.ask(
            "POST", f"{path}/replies", reply, token, If_Match=headers.get("etag", "*")
        )
        if status != 201:
            self.count(f"reply {status}")
        self.freed[agent].append(time.perf_counter())
        status, _, _ = await self.wire.ask(
            "POST",
            f"{path}/resolve",
            {"through_seq": last, "reason": "solved"},
            token,
            If_Match=headers.get("etag", "*"),
        )
        if status != 200:
            self.freed[agent].pop()
            self.count(f"resolve {status}")

    async def measure(self) -> dict[str, object]:
        await self.prepare()
        reading = [asyncio.create_task(self.agent(agent, token)) for agent, token in self.agents.items()]
        await asyncio.sleep(1)
        full = AGENTS * _HANDS
        for start in range(0, full + _BACKLOG, 12):
            await asyncio.gather(*(self.write_one(start + n) for n in range(12)))
        until = time.perf_counter() + _FILL_SECONDS
        while sum(map(len, self.hands.values())) < full and time.perf_counter() < until:  # noqa: ASYNC110 - a look
            await asyncio.sleep(0.1)
        names = list(self.agents)
        begun, number = time.perf_counter() + 0.5, int(self.rate * self.seconds)
        for n in range(number):
            await asyncio.sleep(max(0.0, begun + n / self.rate - time.perf_counter()))
            agent = next((a for k in range(AGENTS) if self.hands[a := names[(n + k) % AGENTS]]), None)
            if agent is None:
                self.count("nobody in hand")
                continue
            self._begin(self.finish(agent, self.hands[agent].popleft()))
            self._begin(self.write_one(1_000_000 + n))
        await asyncio.sleep(3)
        for task in reading:
            task.cancel()
        waits = sorted(self.waits)
        return {
            "freed": number,
            "offers": len(waits),
            "p50_ms": waits[len(waits) // 2],
            "p99_ms": waits[int(len(waits) * 0.99)],
            "refused": self.refused,
        }


def measure(conversations: int, seconds: float, runs: int) -> None:
    most, seen = [], []
    for _ in range(runs):
        with platform(**QUICK) as (url, data):
            lives(url, data, 60, 40)
            most.append(lives(url, data, conversations, 60)["per_second"])
            command = [sys.executable, "-m", "bench.next_offer", "--url", url, "--data", str(data)]
            command += ["--rate", f"{LOAD * most[-1]:.2f}", "--seconds", f"{seconds:.0f}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 180, check=True)
            seen.append(json.loads(done.stdout))
            print(seen[-1])
    p99 = [one["p99_ms"] for one in seen]
    write(
        "next_offer",
        "From the request that frees an agent to the next offer on their stream, whole stack at 70 % load, embedded",
        f"python -m bench.next_offer --conversations {conversations} --seconds {seconds:.0f} --runs {runs}",
        [
            "lives/s at most",
            "freed, and offers that came",
            "p50, ms",
            "p99, ms",
            f"of the limit ({LIMIT_MS} ms)",
        ],
        [
            [
                spread(most, 1),
                f"{sum(one['freed'] for one in seen):,} and {sum(one['offers'] for one in seen):,}",
                spread([one["p50_ms"] for one in seen]),
                spread(p99),
                spread([one / LIMIT_MS for one in p99], 2),
            ]
        ],
        "Median (range) of the runs. The generator is a process of its own on the same cores.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--url", help="be the generator for this platform")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rate", type=float, default=10)
    given = parser.parse_args()
    if given.url:
        load = NextOffer(given.url, given.data, given.rate, given.seconds)
        print(json.dumps(uvloop.run(load.measure())))
    else:
        measure(given.conversations, given.seconds, given.runs)
