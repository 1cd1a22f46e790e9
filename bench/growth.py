"""CPU seconds of the whole embedded platform per conversation, with few and with many conversations resolved before.

The history is made over HTTP: messages posted in batches, each conversation resolved by hand. The measured windows are
whole lives as in `bench.life`: offers, replies, surveys and outcomes. They begin once the platform has rested: what the
filling leaves behind (surveys that are sent and expire, vacuums of the tables it wrote) is not theirs.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from bench.hosts import lag, platform
from bench.life import QUICK, lives
from bench.life_load import TEXTS
from bench.report import spread, write
from bench.wire import Wire
from libs.web import TokenKeys, Tokens

_BATCH = 500
_AT_ONCE = 16
_OPEN = 40
_REST_SECONDS = 600.0


def cpu_seconds() -> float:
    """User and system time of the platform's processes and of those they have ended; generators are not among them."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


async def fill(url: str, data: Path, first: int, count: int) -> None:
    """Adds resolved conversations. Raises RuntimeError when the platform refuses any."""
    tokens = Tokens(TokenKeys.load_or_create(data / "token-keys.json"))
    service, admin = tokens.issue("growth", "service", 86_400), tokens.issue("growth", "admin", 86_400)
    wire = Wire(url)
    for start in range(first, first + count, _BATCH):
        most = min(_BATCH, first + count - start)
        messages = [
            {
                "channel": "chat",
                "sender": {"external_id": f"grown-{number}"},
                "text": TEXTS[number % len(TEXTS)],
                "idempotency_key": f"grown-{number}",
            }
            for number in range(start, start + most)
        ]
        status, _, _ = await wire.ask("POST", "/ingest/v1/messages/batch", {"messages": messages}, service)
        if status != 202:
            raise RuntimeError(f"a batch was answered with {status}")
        await _resolve_open(wire, admin, most)
        print(f"\r{start + most} resolved", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


async def _resolve_open(wire: Wire, token: str, wanted: int) -> None:
    """Resolves what is open until so many are done."""
    done, room = 0, asyncio.Semaphore(_AT_ONCE)

    async def resolve(case: str) -> int:
        async with room:
            status, _, _ = await wire.ask(
                "POST",
                f"/agent/v1/conversations/{case}/resolve",
                {"through_seq": 1, "reason": "solved"},
                token,
                If_Match='"0"',
            )
            return int(status == 200)

    until = time.monotonic() + 120
    while done < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{done} of {wanted} conversations were resolved within 120 s")
        _, _, page = await wire.ask("GET", "/agent/v1/conversations?status=open&limit=200", token=token)
        cases = [entry["id"] for entry in page["items"]]
        if not cases:
            await asyncio.sleep(0.05)
        done += sum(await asyncio.gather(*(resolve(case) for case in cases)))


def rest(url: str) -> None:
    """Returns once the lag is gone and the platform takes less than a tenth of a core for ten seconds."""
    calm(1.0, lambda: lag(url) == 0)


def calm(seconds: float, also: Callable[[], bool]) -> None:
    """Returns once the platform takes less CPU than that in ten seconds, and `also` holds. Raises RuntimeError."""
    until = time.monotonic() + _REST_SECONDS
    while time.monotonic() < until:
        before = cpu_seconds()
        time.sleep(10)
        if also() and cpu_seconds() - before < seconds:
            return
    raise RuntimeError(f"the platform did not rest within {_REST_SECONDS:.0f} s")


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds per conversation, and those of the generator, which does the same work for each: the yardstick for a
    machine whose pace changes within minutes."""

    ours: float
    generator: float

    @property
    def relative(self) -> float:
        return self.ours / self.generator


def window(url: str, data: Path, conversations: int) -> Cost:
    """The cost once the lag is gone."""
    while lag(url) > 0:
        time.sleep(0.5)
    return cost(url, data, conversations)


def cost(url: str, data: Path, conversations: int, open_: int = _OPEN, rate: float = 0.0) -> Cost:
    """What so many lives cost. Raises RuntimeError when one was refused or not finished."""
    before = cpu_seconds()
    result = lives(url, data, conversations, open_, rate)
    if result["conversations"] < conversations or result["refused"]:
        raise RuntimeError(f"the window was not clean: {result}")
    took = cpu_seconds() - before
    return Cost(took * 1000 / conversations, result["own_cpu_s"] * 1000 / conversations)


def grown(more: Sequence[Cost], less: Sequence[Cost]) -> str:
    """How the medians of the relative costs compare."""
    growth = median(one.relative for one in more) / median(one.relative for one in less) - 1
    return f"{growth:+.1%} (goal at most 10 %)"


def columns(costs: Sequence[Cost]) -> list[str]:
    """The cost in milliseconds and relative to the generator's, as cells of a table."""
    return [spread([one.ours for one in costs], 1), spread([one.relative for one in costs], 1)]


def measure(few: int, many: int, conversations: int, windows: int) -> None:
    costs: dict[int, list[Cost]] = {}
    with platform(**QUICK) as (url, data):
        lives(url, data, 100, _OPEN)
        filled = 0
        for size in (few, many):
            asyncio.run(fill(url, data, filled, size - filled))
            filled = size
            rest(url)
            costs[size] = [window(url, data, conversations) for _ in range(windows)]
    write(
        "growth",
        "CPU of the whole platform per conversation, as the history grows",
        f"python -m bench.growth --few {few} --many {many} --conversations {conversations} --windows {windows}",
        ["resolved before", "CPU ms per conversation", "of the generator's own"],
        [
            *[[f"{size:,}", *columns(values)] for size, values in costs.items()],
            ["growth", "", grown(costs[many], costs[few])],
        ],
        f"Windows of {conversations}, median (range). Host, classification worker and PostgreSQL together; the generator"
        " does the same work for each conversation, whatever the machine's pace. The history was posted and resolved by"
        " hand over HTTP.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=50_000)
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--windows", type=int, default=5)
    given = parser.parse_args()
    measure(given.few, given.many, given.conversations, given.windows)
