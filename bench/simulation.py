"""Arrivals a second of CPU that the simulation plays, on one core."""

import json
import subprocess
import sys

import psutil

from bench.report import spread, write

LEAST = 50_000
_RUNS = 3
_COMMAND = ["simulate", "bench/scenarios/three_classes.yaml", "--runs", "1", "--load", "0.92", "--json"]


def played() -> float:
    """Of one run of every policy, the start of the program included; those of the warm-up are not counted."""
    process = subprocess.Popen(
        [sys.executable, "-m", "services", *_COMMAND], stdout=subprocess.PIPE, text=True
    )
    watched = psutil.Process(process.pid)
    assert process.stdout is not None
    out = process.stdout.read()
    cpu = sum(watched.cpu_times()[:2])
    process.wait()
    arrived = sum(
        kind["arrived"]
        for result in json.loads(out)["results"]
        for policy in result["policies"].values()
        for kind in policy["classes"].values()
    )
    return float(arrived) / cpu


if __name__ == "__main__":
    rates = [played() for _ in range(_RUNS)]
    write(
        "simulation",
        "Arrivals that the simulation plays, all five policies",
        "python -m bench.simulation",
        ["what", "median (range)", "goal", "of the goal"],
        [
            [
                "arrivals a second of CPU, one core",
                spread(rates),
                f"{LEAST:,}",
                spread([r / LEAST for r in rates], 2),
            ]
        ],
    )
