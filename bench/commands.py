"""Commands of one pool, durable: from the log through the engine to committed rows, events, feeds and results.

A share of enqueues, accepts and closes, each on the log before its run is timed. Then the pool is made to hold 100,000
waiting conversations, and a process that takes it over loads it: rows to a running engine.
"""

import argparse
import gc
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.report import spread, write
from libs.contracts import PoolCommand
from libs.storage import fetch_all
from libs.storage.embedded import EmbeddedPostgres
from libs.telemetry import configure_logging
from services.routing.adapters.contracts import pool_command
from services.routing.domain.commands import AcceptOffer, Close, Command, Enqueue, PutAgent, SetPresence
from services.routing.domain.directory import AgentProfile
from services.routing.pools import Pools
from services.routing.service import definition
from tests.support.harness import START_MS, ServiceUnderTest, running

LEAST = 5_000
MOST_SECONDS = 5
_TOPICS = ("invoice", "order", "technical", "product")
_LANGUAGES = ("en", "it", "de", "fr")


class Bench:
    """One service on a database of its own."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self.service = service
        self.numbers = 0
        [self.engine] = [p for p in service.assembled.processors if p.group == "routing-engine"]

    def id(self) -> str:
        self.numbers += 1
        return f"command-{self.numbers:08}"

    async def run(self, commands: Sequence[Command]) -> float:
        """Seconds from the first batch to the last commit; the commands are on the log before."""
        events: list[PoolCommand] = [pool_command("default", command) for command in commands]
        for start in range(0, len(events), 1000):
            await self.service.publish(*events[start : start + 1000])
        await self.service.log.refresh()
        begun = time.perf_counter()
        handled = 0
        while handled < len(commands):
            handled += await self.engine.round()
        return time.perf_counter() - begun

    async def hire(self, agents: int) -> None:
        commands: list[Command] = []
        teams = ("billing", "orders", "it-help-desk", "product-specialists", "general")
        for n in range(agents):
            profile = AgentProfile(f"agent-{n:04}", f"Agent {n}", teams, _LANGUAGES)
            commands.append(PutAgent(command_id=self.id(), agent=profile))
            commands.append(SetPresence(command_id=self.id(), agent_id=profile.agent_id, presence="online"))
        await self.run(commands)

    def enqueue(self, number: int) -> Enqueue:
        return Enqueue(
            command_id=self.id(),
            conversation_id=f"conversation-{number:08}",
            episode=1,
            channel="chat",
            language=_LANGUAGES[number % 4],
            topic=_TOPICS[number % 4],
            urgency="normal",
            started_at_ms=START_MS,
        )

    async def rate(self, conversations: int) -> float:
        """Commands a second of whole lives: enqueue, accept, close."""
        first = self.numbers
        seconds = await self.run([self.enqueue(first + n) for n in range(conversations)])
        async with self.service.database.read() as connection:
            offers = await fetch_all(
                connection,
                "SELECT offer_id, agent_id FROM routing.offers WHERE state = 'open' ORDER BY offer_id",
            )
        accepts = [AcceptOffer(command_id=self.id(), offer_id=o, agent_id=a) for o, a in offers]
        seconds += await self.run(accepts)
        closes = [
            Close(
                command_id=self.id(),
                conversation_id=f"conversation-{first + n:08}",
                episode=1,
                closed_at_ms=START_MS,
                human_version=1,
            )
            for n in range(conversations)
        ]
        seconds += await self.run(closes)
        return (conversations + len(accepts) + len(closes)) / seconds

    async def rebuild(self, waiting: int) -> tuple[float, int]:
        """Seconds from the rows of so many waiting conversations to an engine that runs, and how many it holds."""
        first = self.numbers
        for start in range(0, waiting, 10_000):
            await self.run([self.enqueue(first + start + n) for n in range(min(10_000, waiting - start))])
        pools = Pools()
        gc.collect()
        begun = time.perf_counter()
        async with self.service.database.begin() as uow:
            await pools.claimed(uow, frozenset(range(12)))
            seconds = time.perf_counter() - begun
        return seconds, len(pools.engine("default").pool.items)


async def measure(conversations: int, agents: int, runs: int, waiting: int) -> tuple[list[float], float, int]:
    """Commands a second of each run, then the rebuild."""
    async with running(definition, tasks=False) as service:
        bench = Bench(service)
        await service.settle()
        await bench.hire(agents)
        await bench.rate(conversations)
        rates = [await bench.rate(conversations) for _ in range(runs)]
        return (rates, *await bench.rebuild(waiting))


def run(conversations: int, agents: int, runs: int, waiting: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="centralino-commands-"))
    database = EmbeddedPostgres(folder)
    database.start()
    os.environ["TEST_DATABASE_URL"] = database.url
    configure_logging("error")
    try:
        rates, seconds, items = uvloop.run(measure(conversations, agents, runs, waiting))
    finally:
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)
    write(
        "commands",
        "Commands of one pool, durable, and the rebuild of its state",
        f"python -m bench.commands --conversations {conversations} --runs {runs} --waiting {waiting}",
        ["what", "median (range)", "goal", "of the goal"],
        [
            [
                "commands/s: enqueue, accept, close, each with its rows and events, fsync on",
                spread(rates),
                f"{LEAST:,}",
                f"{statistics.median(rates) / LEAST:.2f}",
            ],
            [
                f"seconds from rows to a running engine with {items:,} conversations",
                f"{seconds:.1f}",
                f"{MOST_SECONDS}",
                f"{seconds / MOST_SECONDS:.2f}",
            ],
        ],
        f"{agents} agents; {conversations:,} conversations a run, after one that is not counted.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=4_000)
    parser.add_argument("--agents", type=int, default=1_400)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--waiting", type=int, default=100_000)
    given = parser.parse_args()
    run(given.conversations, given.agents, given.runs, given.waiting)
