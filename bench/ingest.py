"""Durable ingest over HTTP with all services running, beside a bare one-row insert of the same shape."""

from bench.beside_bare import Taking, arguments, beside_bare
from bench.report import spread, write


def measure(seconds: float, runs: int, clients: int) -> None:
    found = beside_bare(Taking("/ingest/v1/messages", "/messages"), seconds, runs, clients)
    write(
        "ingest",
        f"Durable ingest over HTTP, {clients} keep-alive clients, 300-byte texts, {seconds:.0f} s",
        f"python -m bench.ingest --seconds {seconds:.0f} --runs {runs}",
        ["what", "median (range)"],
        [
            ["messages/s taken, all services running", spread(found.ours)],
            ["requests/s of the bare FastAPI + asyncpg insert", spread(found.peers)],
            ["ratio, run by run (goal 0.5, aim 0.7)", spread(found.ratios, 2)],
            ["p99 of an answer, ms", spread(found.p99s, 1)],
            ["seconds until the lag was gone after the end (goal 10)", spread(found.drained, 1)],
        ],
    )


if __name__ == "__main__":
    given = arguments()
    measure(given.seconds, given.runs, given.clients)
