"""CPU seconds of the whole cluster per conversation: with ten times the history, and with three times the processes.

Broker, database, gateway and all processes of services count; what they take while nobody writes is measured too.
"""

import argparse
import asyncio
import time

from bench.growth import calm, cost, cpu_seconds, fill
from bench.hosts import Clustered, clustered
from bench.life import QUICK, lives
from bench.report import spread, write
from services.registry import services

_IDLE_SECONDS = 20.0
_CALM_CPU = {1: 2.5, 3: 5.0}
"""CPU seconds in ten seconds below which a cluster with so many processes a service is at rest."""


def _windows(
    running: Clustered, conversations: int, windows: int, replicas: int, open_: int
) -> tuple[float, list[float]]:
    """Share of a core at rest in per cent, and CPU milliseconds per conversation of each window."""
    calm(_CALM_CPU[replicas], lambda: True)
    before = cpu_seconds()
    time.sleep(_IDLE_SECONDS)
    idle = 100 * (cpu_seconds() - before) / _IDLE_SECONDS
    return idle, [cost(running.url, running.data, conversations, open_) for _ in range(windows)]


def measure(few: int, conversations: int, windows: int, open_: int) -> None:
    rows = []
    costs: dict[str, list[float]] = {}
    for replicas in (1, 3):
        arguments = [f"--replicas={one.name}={replicas}" for one in services()]
        with clustered(*arguments, CENTRALINO_LOG_LEVEL="error", **QUICK) as running:
            lives(running.url, running.data, 100, 20)
            filled = 0
            for size in (few, 10 * few) if replicas == 1 else (few,):
                asyncio.run(fill(running.url, running.data, filled, size - filled))
                filled = size
                name = f"{size:,} resolved before, {replicas} {'process' if replicas == 1 else 'processes'} a service"
                idle, costs[name] = _windows(running, conversations, windows, replicas, open_)
                rows.append([name, spread(costs[name], 1), f"{idle:.1f}"])
    first, *others = costs
    rows += [
        [
            f"growth of the least: {name}",
            f"{min(costs[name]) / min(costs[first]) - 1:+.1%} (goal at most 10 %)",
            "",
        ]
        for name in others
    ]
    write(
        "kafka_growth",
        "CPU of a whole cluster per conversation, as the history and the number of processes grow",
        f"python -m bench.kafka_growth --few {few} --conversations {conversations} --windows {windows} --open {open_}",
        [
            "cluster",
            f"CPU ms per conversation, windows of {conversations}, median (range)",
            "at rest, % of a core",
        ],
        rows,
        "Broker, database, gateway and services together, the generator not.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=300)
    parser.add_argument("--conversations", type=int, default=150)
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--open", type=int, default=40, help="conversations open at a time")
    given = parser.parse_args()
    measure(given.few, given.conversations, given.windows, given.open)
