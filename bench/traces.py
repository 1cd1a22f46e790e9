"""What traces cost where events are handled: off, off with a trace that a caller sent, some recorded, all recorded."""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from bench.report import spread, write
from libs.telemetry.otel import OtelRecorder
from libs.telemetry.tracing import recorded_by
from tests.support.rig import Behaviour, Rig, counting_router, message, postgres_rig

WAYS = (
    "off, no trace (the default)",
    "off, every event carries a caller's trace",
    "1 of 20 recorded",
    "all recorded",
)
BATCH = 200


class Nowhere(SpanExporter):
    """Spans are made and batched, and then let go: a collector's own cost is not ours."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


async def fill(rig: Rig, events: int, way: int) -> None:
    for start in range(0, events, 500):
        async with rig.database.begin() as uow:
            for number in range(start, start + 500):
                sampled = way in (1, 3) or number % 20 == 0
                trace = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-{'01' if sampled else '00'}"
                uow.traceparent = trace if way else ""
                uow.emit(message(f"conversation-{number % 2000}", number // 2000 + 1, "x" * 280))
            await uow.commit()


async def measure(events: int, way: int) -> tuple[float, float]:
    """Events a second, and microseconds of this process's CPU an event."""
    recorder = OtelRecorder(Nowhere(), "1") if way >= 2 else None
    recording: AbstractContextManager[None] = recorded_by(recorder) if recorder else nullcontext()
    async with postgres_rig() as rig:
        await fill(rig, events, way)
        member = rig.member(counting_router("bench", Behaviour()), max_rows=BATCH)
        with recording:
            await member.round()
            started, worked = time.perf_counter(), time.process_time()
            await rig.drain(member, most_seconds=600)
            seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    if recorder is not None:
        recorder.close()
    return (events - BATCH) / seconds, cpu / (events - BATCH) * 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    seen: list[list[tuple[float, float]]] = [[] for _ in WAYS]
    for _ in range(given.runs):
        for way in range(len(WAYS)):
            seen[way].append(asyncio.run(measure(given.events, way)))
    write(
        "traces",
        "What traces cost",
        f"python -m bench.traces --events {given.events} --runs {given.runs}",
        ("traces", "events/s", "CPU of the process, us an event"),
        [
            (way, spread([rate for rate, _ in runs]), spread([cpu for _, cpu in runs], 1))
            for way, runs in zip(WAYS, seen, strict=True)
        ],
        "One group with state on the PostgreSQL transport; spans are made and batched, and not sent. Runs interleaved.",
    )


if __name__ == "__main__":
    main()
