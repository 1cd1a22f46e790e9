"""Durable ingest over HTTP with all services running, beside a bare one-row insert of the same shape."""

import argparse
import time

from bench.hosts import bare, lag, load, platform
from bench.report import spread, write


def measure(seconds: float, runs: int, clients: int) -> None:
    ours, peers, ratios, p99s, drained = [], [], [], [], []
    for _ in range(runs):
        with bare() as url:
            load(url, "/messages", clients, 3)
            peer = load(url, "/messages", clients, seconds)
        with platform() as (url, _folder):
            load(url, "/ingest/v1/messages", clients, 3)
            mine = load(url, "/ingest/v1/messages", clients, seconds)
            ended = time.monotonic()
            while lag(url) > 0 and time.monotonic() - ended < 300:
                time.sleep(0.5)
            drained.append(time.monotonic() - ended)
        if mine["refused"] or peer["refused"]:
            print(f"refused: {mine['refused']} here, {peer['refused']} by the peer")
        ours.append(mine["per_second"])
        peers.append(peer["per_second"])
        ratios.append(mine["per_second"] / peer["per_second"])
        p99s.append(mine["p99_ms"])
    write(
        "ingest",
        f"Durable ingest over HTTP, {clients} keep-alive clients, 300-byte texts, {seconds:.0f} s",
        f"python -m bench.ingest --seconds {seconds:.0f} --runs {runs}",
        ["what", "median (range)"],
        [
            ["messages/s taken, all services running", spread(ours)],
            ["requests/s of the bare FastAPI + asyncpg insert", spread(peers)],
            ["ratio, run by run (goal 0.5, aim 0.7)", spread(ratios, 2)],
            ["p99 of an answer, ms", spread(p99s, 1)],
            ["seconds until the lag was gone after the end (goal 10)", spread(drained, 1)],
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    given = parser.parse_args()
    measure(given.seconds, given.runs, given.clients)
