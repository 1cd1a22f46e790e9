"""Runs every benchmark, one after the other; each writes its table to docs/benchmarks.md."""

import subprocess
import sys

_ALL = (
    "streams",
    "routing_decisions",
    "commands",
    "simulation",
    "open_feeds",
    "next_offer",
    "triage_default",
    "ingest",
    "webhooks",
    "life",
    "growth",
    "idle",
    "hops",
    "kafka_life",
    "kafka_growth",
    "offers",
    "take_over",
    "traces",
    "widget",
)


def main() -> None:
    for name in _ALL:
        print(f"\n{name}", flush=True)
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True)


if __name__ == "__main__":
    main()
