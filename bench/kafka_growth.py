"""CPU seconds of the whole cluster per conversation: with ten times the history, and with three times the processes.

Broker, database, gateway and all processes of services count; what they take while nobody writes is measured too. A cluster
with one process a service and one with three run in turn, since the machine's pace changes within minutes. They are compared
twice: at the same load, which is then spread thinner, and at three times the load, so that each process has as much to do.
"""

import argparse
import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

from bench.growth import Cost, calm, columns, cost, cpu_seconds, fill, grown
from bench.hosts import Clustered, clustered
from bench.life import QUICK, lives
from bench.report import spread, write
from services.registry import services

_IDLE_SECONDS = 20.0
_CALM_CPU = {1: 2.5, 3: 5.0}
"""CPU seconds in ten seconds below which a cluster with so many processes a service is at rest."""
_OPEN, _RATE, _HISTORY = "open", "rate", "history"


@dataclass
class Figures:
    """What was measured, by processes a service."""

    costs: dict[tuple[int, str], list[Cost]] = field(default_factory=lambda: defaultdict(list))
    rest: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Per cent of a core while nobody writes."""


def _rested(running: Clustered, replicas: int) -> float:
    calm(_CALM_CPU[replicas], lambda: True)
    before = cpu_seconds()
    time.sleep(_IDLE_SECONDS)
    return 100 * (cpu_seconds() - before) / _IDLE_SECONDS


def _cluster(figures: Figures, replicas: int, given: argparse.Namespace, *, history: bool) -> None:
    arguments = [f"--replicas={one.name}={replicas}" for one in services()]
    with clustered(*arguments, CENTRALINO_LOG_LEVEL="error", **QUICK) as running:

        def window(what: str, conversations: int, rate: float = 0.0) -> None:
            took = cost(running.url, running.data, conversations, given.open, rate)
            figures.costs[replicas, what].append(took)

        lives(running.url, running.data, 100, 20)
        figures.rest[replicas].append(_rested(running, replicas))
        for _ in range(given.windows):
            window(_OPEN, given.conversations)
        window(_RATE, replicas * given.conversations, replicas * given.rate)
        if history:
            asyncio.run(fill(running.url, running.data, 0, given.many))
            _rested(running, replicas)
            for _ in range(given.windows):
                window(_HISTORY, given.conversations)


def measure(given: argparse.Namespace) -> None:
    figures = Figures()
    for run in range(given.runs):
        for replicas in (1, 3):
            _cluster(figures, replicas, given, history=replicas == 1 and run == given.runs - 1)
    costs = figures.costs
    before = costs[1, _OPEN][-given.windows :]
    pairs = {
        f"three processes a service, {given.open} open at a time as with one": (
            costs[3, _OPEN],
            costs[1, _OPEN],
        ),
        f"three, {3 * given.rate:g} begun a second, for one with {given.rate:g}": (
            costs[3, _RATE],
            costs[1, _RATE],
        ),
        f"one, {given.many:,} resolved before, for the windows just before them": (
            costs[1, _HISTORY],
            before,
        ),
    }
    write(
        "kafka_growth",
        "CPU of a whole cluster per conversation, as the history and the number of processes grow",
        f"python -m bench.kafka_growth --runs {given.runs} --windows {given.windows}"
        f" --conversations {given.conversations} --open {given.open} --rate {given.rate:g} --many {given.many}",
        ["what", "CPU ms", "of the generator's own", "CPU ms before", "of the generator's own", "growth"],
        [
            *[
                [what, *columns(more), *columns(less), grown(more, less)]
                for what, (more, less) in pairs.items()
            ],
            ["at rest, % of a core", spread(figures.rest[3], 1), "", spread(figures.rest[1], 1), "", ""],
        ],
        "Median (range). Broker, database, gateway and services together. The generator does the same work for each"
        f" conversation, whatever the machine's pace: growth is of the medians relative to it. {given.runs} clusters of"
        " each kind in turn, the history in the last one with one process a service.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="clusters of each kind")
    parser.add_argument("--windows", type=int, default=2, help="in each cluster")
    parser.add_argument("--conversations", type=int, default=100, help="in a window")
    parser.add_argument("--open", type=int, default=40, help="conversations open at a time")
    parser.add_argument(
        "--rate", type=float, default=1.5, help="conversations a second for one process a service"
    )
    parser.add_argument("--many", type=int, default=2000, help="conversations of the history")
    measure(parser.parse_args())
