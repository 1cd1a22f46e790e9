"""CPU seconds of the whole cluster per conversation: with ten times the history, and with three times the processes.

Broker, database, gateway and all processes of services count; what they take while nobody writes is measured too. A cluster
with one process a service and one with three run in turn, since the machine's pace changes within minutes. They are compared
twice: at the same load, which is then spread thinner, and at three times the load, so that each process has as much to do.
"""

import argparse
import asyncio
import time
from collections import defaultdict

from bench.growth import calm, cost, cpu_seconds, fill
from bench.hosts import Clustered, clustered
from bench.life import QUICK, lives
from bench.report import spread, write
from services.registry import services

_IDLE_SECONDS = 20.0
_CALM_CPU = {1: 2.5, 3: 5.0}
"""CPU seconds in ten seconds below which a cluster with so many processes a service is at rest."""
_REST, _OPEN, _RATE, _HISTORY = "at rest", "open", "rate", "history"
Figures = dict[tuple[int, str], list[float]]
"""By processes a service and what was measured: CPU milliseconds per conversation, at rest per cent of a core."""


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
            figures[replicas, what].append(took)

        lives(running.url, running.data, 100, 20)
        figures[replicas, _REST].append(_rested(running, replicas))
        for _ in range(given.windows):
            window(_OPEN, given.conversations)
        window(_RATE, replicas * given.conversations, replicas * given.rate)
        if history:
            asyncio.run(fill(running.url, running.data, 0, given.many))
            _rested(running, replicas)
            for _ in range(given.windows):
                window(_HISTORY, given.conversations)


def _growth(more: list[float], less: list[float]) -> str:
    """How the sums of the runs compare, which were in turn."""
    return f"{sum(more) / len(more) / (sum(less) / len(less)) - 1:+.1%} (goal at most 10 %)"


def measure(given: argparse.Namespace) -> None:
    figures: Figures = defaultdict(list)
    for run in range(given.runs):
        for replicas in (1, 3):
            _cluster(figures, replicas, given, history=replicas == 1 and run == given.runs - 1)
    at_once, begun = f"{given.open} open at a time", "begun {:g} a second"
    last = figures[1, _OPEN][-given.windows :]
    write(
        "kafka_growth",
        "CPU of a whole cluster per conversation, as the history and the number of processes grow",
        f"python -m bench.kafka_growth --runs {given.runs} --windows {given.windows}"
        f" --conversations {given.conversations} --open {given.open} --rate {given.rate:g} --many {given.many}",
        ["what", "one process a service", "three", "growth of the means"],
        [
            [
                f"CPU ms, {at_once}: the same load on three times the processes",
                spread(figures[1, _OPEN], 1),
                spread(figures[3, _OPEN], 1),
                _growth(figures[3, _OPEN], figures[1, _OPEN]),
            ],
            [
                f"CPU ms, {begun.format(given.rate)} and {begun.format(3 * given.rate)}: three times the load on them",
                spread(figures[1, _RATE], 1),
                spread(figures[3, _RATE], 1),
                _growth(figures[3, _RATE], figures[1, _RATE]),
            ],
            [
                f"CPU ms, {at_once}, with {given.many:,} resolved before; the windows just before it had"
                f" {spread(last, 1)}",
                spread(figures[1, _HISTORY], 1),
                "",
                _growth(figures[1, _HISTORY], last),
            ],
            ["at rest, % of a core", spread(figures[1, _REST], 1), spread(figures[3, _REST], 1), ""],
        ],
        f"Median (range). Broker, database, gateway and services together, the generator not; {given.runs} clusters of"
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
