"""Taking what comes over HTTP, run by run beside a bare FastAPI with one insert: one loop for all of its kinds."""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.hosts import bare, lag, load, platform

_MOST_DRAIN_S = 300


@dataclass(frozen=True)
class Taking:
    """What is posted, and where."""

    path: str
    bare_path: str
    kind: str = "message"
    """Of the payloads that the load makes."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Measured:
    """A figure for each run."""

    ours: list[float] = field(default_factory=list)
    peers: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    drained: list[float] = field(default_factory=list)


def beside_bare(taking: Taking, seconds: float, runs: int, clients: int) -> Measured:
    """Each run warms up, posts for so long, and waits until all that was taken has been handled."""
    found = Measured()
    for _ in range(runs):
        with bare() as url:
            load(url, taking.bare_path, clients, 3, taking.kind)
            peer = load(url, taking.bare_path, clients, seconds, taking.kind)
        with platform(**taking.environment) as (url, _folder):
            load(url, taking.path, clients, 3, taking.kind)
            mine = load(url, taking.path, clients, seconds, taking.kind)
            ended = time.monotonic()
            while lag(url) > 0 and time.monotonic() - ended < _MOST_DRAIN_S:
                time.sleep(0.5)
            found.drained.append(time.monotonic() - ended)
        if mine["refused"] or peer["refused"]:
            print(f"refused: {mine['refused']} here, {peer['refused']} by the peer")
        found.ours.append(mine["per_second"])
        found.peers.append(peer["per_second"])
        found.ratios.append(mine["per_second"] / peer["per_second"])
        found.p99s.append(mine["p99_ms"])
    return found


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    return parser.parse_args()
