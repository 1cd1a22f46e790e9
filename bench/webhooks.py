"""Webhooks taken durably with all services running, beside a bare one-row insert of the same payload."""

import json

from bench.beside_bare import Taking, arguments, beside_bare
from bench.load import HOOK_SECRET
from bench.report import spread, write
from services.simulator import SHAPES
from services.simulator.command import account_of

_PATH = "/ingest/v1/hooks/whatsapp-cloud/default"


def measure(seconds: float, runs: int, clients: int) -> None:
    account = account_of(SHAPES["whatsapp-cloud"], "default", HOOK_SECRET, "")
    settings = {"CENTRALINO_INGEST_ACCOUNTS": json.dumps([account])}
    found = beside_bare(Taking(_PATH, "/hooks", "whatsapp", settings), seconds, runs, clients)
    write(
        "webhooks",
        f"WhatsApp Cloud webhooks with one message, {clients} keep-alive clients, {seconds:.0f} s",
        f"python -m bench.webhooks --seconds {seconds:.0f} --runs {runs}",
        ["what", "median (range)"],
        [
            ["webhooks/s verified and durable, all services running", spread(found.ours)],
            ["requests/s of the bare FastAPI + asyncpg insert, unverified", spread(found.peers)],
            ["ratio, run by run (goal 0.5)", spread(found.ratios, 2)],
            ["p99 of an answer, ms", spread(found.p99s, 1)],
            ["seconds until the lag was gone after the end", spread(found.drained, 1)],
        ],
        "Ours keeps the happening and the whole webhook, both encrypted; both sides parse, insert and commit to the disk.",
    )


if __name__ == "__main__":
    given = arguments()
    measure(given.seconds, given.runs, given.clients)
