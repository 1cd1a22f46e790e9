"""Webhooks taken durably with all services running, beside a bare one-row insert of the same payload."""

import argparse
import json
import time

from bench.hosts import bare, lag, load, platform
from bench.load import HOOK_SECRET
from bench.report import spread, write
from services.simulator import SHAPES
from services.simulator.command import account_of

_PATH = "/ingest/v1/hooks/whatsapp-cloud/default"


def measure(seconds: float, runs: int, clients: int) -> None:
    account = account_of(SHAPES["whatsapp-cloud"], "default", HOOK_SECRET, "")
    ours, peers, ratios, p99s, drained = [], [], [], [], []
    for _ in range(runs):
        with bare() as url:
            load(url, "/hooks", clients, 2, "whatsapp")
            peer = load(url, "/hooks", clients, seconds, "whatsapp")
        with platform(CENTRALINO_INGEST_ACCOUNTS=json.dumps([account])) as (url, _folder):
            load(url, _PATH, clients, 2, "whatsapp")
            mine = load(url, _PATH, clients, seconds, "whatsapp")
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
        "webhooks",
        f"WhatsApp Cloud webhooks with one message, {clients} keep-alive clients, {seconds:.0f} s",
        f"python -m bench.webhooks --seconds {seconds:.0f} --runs {runs}",
        ["what", "median (range)"],
        [
            ["webhooks/s verified and durable, all services running", spread(ours)],
            ["requests/s of the bare FastAPI + asyncpg insert, unverified", spread(peers)],
            ["ratio, run by run (goal 0.5)", spread(ratios, 2)],
            ["p99 of an answer, ms", spread(p99s, 1)],
            ["seconds until the lag was gone after the end", spread(drained, 1)],
        ],
        "Ours keeps the happening and the whole webhook, both encrypted; both sides parse, insert and commit to the disk.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    given = parser.parse_args()
    measure(given.seconds, given.runs, given.clients)
