"""What the embedded platform costs while nobody writes: share of a core, and memory that is its own (PSS)."""

import argparse
import time

import psutil

from bench.growth import cpu_seconds, rest
from bench.hosts import platform
from bench.life import QUICK, lives
from bench.report import spread, write

_WORKER = "services.triage.adapters.worker"


def pss_megabytes() -> tuple[float, float]:
    """Of the platform without its classification workers, and of these; shared pages are divided among their users."""
    own, workers = 0.0, 0.0
    for process in psutil.Process().children(recursive=True):
        size = process.memory_full_info().pss / 1e6
        if any(_WORKER in word for word in process.cmdline()):
            workers += size
        else:
            own += size
    return own, workers


def measure(seconds: float, runs: int) -> None:
    shares, owns, workers = [], [], []
    for _ in range(runs):
        with platform(**QUICK) as (url, data):
            lives(url, data, 50, 20)
            rest(url)
            before = cpu_seconds()
            time.sleep(seconds)
            shares.append(100 * (cpu_seconds() - before) / seconds)
            own, worker = pss_megabytes()
            owns.append(own)
            workers.append(worker)
    write(
        "idle",
        "The embedded platform at rest: host, classification worker and PostgreSQL",
        f"python -m bench.idle --seconds {seconds:.0f} --runs {runs}",
        ["what", "median (range)", "goal"],
        [
            [f"share of one core over {seconds:.0f} s, %", spread(shares, 2), "3"],
            ["memory without classification workers, MB (PSS)", spread(owns), "600"],
            ["memory of the classification workers, MB (PSS)", spread(workers), ""],
        ],
        "After 50 lives, so that plans, pools and caches are filled.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    measure(given.seconds, given.runs)
