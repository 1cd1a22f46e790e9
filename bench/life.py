"""The whole life of conversations on the embedded host, beside the bare insert's requests a second."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.hosts import bare, load, platform
from bench.report import spread, write

QUICK = {
    "CENTRALINO_SURVEY_DELAY_SECONDS": "0",
    "CENTRALINO_SURVEY_CAP_DAYS": "0",
    "CENTRALINO_ANALYTICS_SETTLE_MS": "100",
}


def lives(url: str, data: Path, conversations: int, open_: int, rate: float = 0.0) -> dict[str, float]:
    """Runs the generator in a process of its own: so many open at a time, or so many begun a second."""
    command = [sys.executable, "-m", "bench.life_load", url, str(data)]
    command += ["--conversations", str(conversations), "--open", str(open_), "--rate", str(rate)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1000, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-4000:])
    result: dict[str, float] = json.loads(done.stdout)
    if result["refused"]:
        print("refused:", result["refused"])
    return result


def measure(conversations: int, open_: int, runs: int) -> None:
    ours, peers, ratios, p50s, requests = [], [], [], [], []
    for _ in range(runs):
        with bare() as url:
            load(url, "/messages", 32, 3)
            peer = load(url, "/messages", 32, 20)
        with platform(**QUICK) as (url, data):
            mine = lives(url, data, conversations, open_)
        ours.append(mine["per_second"])
        peers.append(peer["per_second"])
        ratios.append(mine["per_second"] / peer["per_second"])
        p50s.append(mine["life_p50_s"])
        requests.append(mine["requests"] / mine["conversations"])
    write(
        "life",
        "A conversation's whole life, embedded: message, triage, offer, accept, reply, resolve, survey, outcome",
        f"python -m bench.life --conversations {conversations} --open {open_} --runs {runs}",
        ["what", "median (range)"],
        [
            ["conversations/s, customers and agents by SSE", spread(ours)],
            ["requests for a conversation", spread(requests, 1)],
            ["requests/s of the bare insert", spread(peers)],
            ["ratio, run by run (goal 0.15, aim 0.4)", spread(ratios, 3)],
            [
                "ratio if every request cost what the bare insert costs, and all else nothing",
                spread([1 / r for r in requests], 2),
            ],
            [f"median life at {open_} open, s", spread(p50s, 1)],
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=3000)
    parser.add_argument("--open", type=int, default=150)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    measure(given.conversations, given.open, given.runs)
