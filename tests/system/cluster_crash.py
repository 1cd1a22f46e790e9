"""Kills, freezes and starves a cluster on Kafka at random moments while customers and agents work on it.

The customers' own record is compared with the outcomes at the end of each round: 0 lost, 0 doubled. With `--journal` the
rounds that were done are kept in a file, and the next run goes on behind them.
Usage: python -m tests.system.cluster_crash --kills 30 --seed 1 [--journal FILE]
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
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.hosts import free_port
from libs.telemetry import configure_logging
from services.cluster.cluster import Cluster, Plan, running
from services.cluster.plan import replicas_of

ROUND = 30
"""Kills of a round; each round has a cluster and customers of its own."""
RATE = 3.0
SECONDS_PER_KILL = 3.5
FROZEN_SECONDS = 14.0
"""Longer than Kafka's session and than the leases."""
QUICK = {
    "CENTRALINO_LOG_LEVEL": "error",
    "CENTRALINO_LEASE_SECONDS": "2",
    "CENTRALINO_SURVEY_CAP_DAYS": "0",
    "CENTRALINO_SURVEY_DELAY_SECONDS": "1",
    "CENTRALINO_ANALYTICS_SETTLE_MS": "300",
}
TWICE = ["triage=2", "routing=2"]


def faults_of(kills: int, choice: random.Random, *, long: bool) -> list[str]:
    """What is done in a round, in order: of 30 kills 2 are of the broker and 2 of the database, the others of processes.

    Beside them 2 processes are frozen; in a long run the broker and the database also stay away for a minute each.
    """
    few = max(1, kills // 15)
    faults = ["broker"] * few + ["database"] * few + ["process"] * (kills - 2 * few) + ["freeze"] * 2
    if long:
        faults += ["broker away", "database away"]
    choice.shuffle(faults)
    return faults


class Chaos:
    """What does it to a cluster, and counts what it did."""

    def __init__(self, cluster: Cluster, choice: random.Random) -> None:
        self._cluster = cluster
        self._choice = choice
        self.done: Counter[str] = Counter()

    async def run(self, faults: list[str]) -> None:
        """The faults one after the other, each after a random pause."""
        for fault in faults:
            await asyncio.sleep(self._choice.uniform(0, 2 * SECONDS_PER_KILL))
            await self._do(fault)
            self.done[fault] += 1

    async def _do(self, fault: str) -> None:
        if fault == "process":
            os.kill(await self._victim(), signal.SIGKILL)
        elif fault == "freeze":
            pid = await self._victim()
            os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(FROZEN_SECONDS)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        else:
            async with self._cluster.held:
                await self._kill_server(fault.split()[0])
                if fault.endswith("away"):
                    await asyncio.sleep(60)

    async def _victim(self) -> int:
        """The process of a service, as soon as a random one runs."""
        while True:
            name = self._choice.choice([member.name for member in self._cluster.members])
            pid = self._cluster.processes[name].pid
            if pid is not None:
                return pid
            await asyncio.sleep(0.05)

    async def _kill_server(self, what: str) -> None:
        if what == "broker":
            assert self._cluster.kafka is not None
            process = self._cluster.kafka.process
            assert process is not None
            process.kill()
            return
        assert self._cluster.postgres is not None
        pid = self._cluster.postgres.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


async def _simulate(cluster: Cluster, conversations: int, seed: int, log: Path) -> dict[str, Any]:
    """Customers and agents as a process of their own; what it prints at the end is the account."""
    arguments = {
        "--url": cluster.url,
        "--data": str(cluster.data),
        "--conversations": str(conversations),
        "--rate": str(RATE),
        "--seed": str(seed),
    }
    command = [sys.executable, "-m", "services", "demo", "--alone", "--json"]
    command += [word for pair in arguments.items() for word in pair]
    with log.open("ab") as words:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=words)
        output, _ = await process.communicate()
    if not output.strip():
        raise RuntimeError(f"the simulation printed nothing; see {log}")
    said = await asyncio.to_thread(log.read_text, errors="replace") if process.returncode else ""
    return {**json.loads(output), "exit_code": process.returncode, "said": said[-2000:]}


def _folder() -> Path:
    """One that the database's user can pass."""
    folder = Path(tempfile.mkdtemp(prefix="centralino-cluster-"))
    folder.chmod(0o755)
    return folder


async def run(
    kills: int, seed: int, *, conversations: int = 0, long: bool = False, keep: bool = False
) -> dict[str, Any]:
    """One round: the account of the simulation with what was done to the cluster.

    The folder with databases and logs stays when the simulation did not end well, or with `keep`.
    """
    choice = random.Random(seed)
    folder = _folder()
    plan = Plan(folder, port=free_port(), replicas=replicas_of(TWICE), settings=QUICK)
    faults = faults_of(kills, choice, long=long)
    conversations = conversations or int(len(faults) * SECONDS_PER_KILL * RATE)
    try:
        async with running(plan) as cluster:
            chaos = Chaos(cluster, choice)
            doing = asyncio.create_task(chaos.run(faults))
            try:
                account = await _simulate(cluster, conversations, seed, folder / "demo.log")
            finally:
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)
            keep = keep or bool(account["exit_code"])
            restarts = sum(process.restarts for process in cluster.processes.values())
            return {
                **account,
                "done": dict(chaos.done),
                "restarts": restarts,
                "seed": seed,
                "folder": str(folder),
            }
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _short(result: Mapping[str, Any]) -> dict[str, Any]:
    names = ("seed", "conversations", "messages", "episodes", "outcomes", "lost", "doubled", "wrong", "done")
    failed = ("said", "folder") if result["exit_code"] else ()
    more = ("restarts", "seconds", "exit_code", "differences", *failed)
    return {name: result[name] for name in (*names, *more)}


class Journal:
    """The rounds that were done, in a file if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        there = path.read_text().splitlines() if path and path.exists() else []
        self.rounds: list[dict[str, Any]] = [json.loads(line) for line in there]

    @property
    def kills(self) -> int:
        return sum(_kills(one) for one in self.rounds)

    def add(self, result: dict[str, Any]) -> None:
        self.rounds.append(result)
        if self._path:
            with self._path.open("a") as file:
                file.write(json.dumps(result) + "\n")

    def total(self) -> dict[str, int]:
        names = ("conversations", "episodes", "outcomes", "lost", "doubled", "wrong")
        sums = {name: sum(one[name] for one in self.rounds) for name in names}
        return {"rounds": len(self.rounds), "kills": self.kills, **sums}


async def rounds(kills: int, seed: int, journal: Journal, *, keep: bool) -> int:
    """Rounds until so many kills are done. Returns the exit code: 1 when anything differed."""
    while journal.kills < kills:
        few = min(ROUND, kills - journal.kills)
        result = _short(await run(few, seed + len(journal.rounds), long=kills > ROUND, keep=keep))
        journal.add(result)
        _say(result)
    _say(journal.total())
    return int(any(one["exit_code"] for one in journal.rounds))


def _say(result: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(result)}\n")
    sys.stdout.flush()


def _kills(result: Mapping[str, Any]) -> int:
    return sum(result["done"].get(what, 0) for what in ("process", "broker", "database"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=ROUND)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--journal", type=Path, help="file of the rounds that were done")
    parser.add_argument("--keep", action="store_true", help="leave databases and logs")
    given = parser.parse_args()
    configure_logging("error")
    sys.exit(asyncio.run(rounds(given.kills, given.seed, Journal(given.journal), keep=given.keep)))
