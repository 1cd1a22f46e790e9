"""Open feeds of agents on one process, one event a second each: from the commit of a line to its arrival.

The routing service alone, served by uvicorn on a database with fsync on. A task of the same process writes the lines, so
many each 20 ms, and rings as the engine does after its commit; the streams are read in another process.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvicorn
import uvloop

from bench.report import write
from libs.storage import execute
from libs.storage.embedded import EmbeddedPostgres
from libs.telemetry import configure_logging
from services.routing.adapters.repositories import AGENTS, FEED
from services.routing.adapters.rows import AgentRow, FeedRow
from services.routing.domain.directory import AgentProfile
from services.routing.domain.model import AgentState
from services.routing.service import definition
from tests.support.harness import ServiceUnderTest, running

LIMIT_MS = 250
_TICK_SECONDS = 0.02
_WARM_SECONDS = 12.0


async def read(port: int, streams: int, seconds: float) -> None:
    """Opens the feeds named on stdin by their tokens and prints the waits as one JSON object."""
    tokens = json.loads(sys.stdin.readline())
    waits: list[float] = []
    until = time.time() + seconds
    from_ = until - seconds + _WARM_SECONDS

    async def one(token: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /v1/feed HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n"
        )
        async for line in reader:
            now = time.time()
            if line.startswith(b"data: ") and b'"sent":' in line and now > from_:
                waits.append(1000 * (now - json.loads(line[6:])["sent"]))
            if now > until:
                break
        writer.close()

    opening = []
    for token in tokens[:streams]:
        opening.append(asyncio.create_task(one(token)))
        await asyncio.sleep(0.001)
    await asyncio.wait(opening, timeout=seconds + 10)
    waits.sort()
    print(json.dumps({"n": len(waits), **{f"p{q}": waits[int(len(waits) * q / 100)] for q in (50, 99)}}))


async def feed(service: ServiceUnderTest, agents: list[str], stop: asyncio.Event) -> None:
    """A line for each agent each second, spread evenly."""
    hub, seqs, next_ = service.bells, dict.fromkeys(agents, 0), 0
    started = time.time()
    while not stop.is_set():
        due = int((time.time() - started) * len(agents))
        some = [agents[n % len(agents)] for n in range(next_, due)]
        next_ = due
        if some:
            async with service.database.begin() as uow:
                now = time.time()
                for agent in some:
                    seqs[agent] += 1
                    uow.rows(FEED).put(
                        FeedRow(agent, seqs[agent], "presence", {"sent": now}, int(now * 1000))
                    )
                await execute(
                    uow.connection,
                    "UPDATE routing.agents a SET feed_seq = n.seq FROM unnest($1::text[], $2::bigint[]) n(id, seq)"
                    " WHERE a.agent_id = n.id",
                    some,
                    [seqs[agent] for agent in some],
                )
                await uow.commit()
            for agent in some:
                hub.notify(f"feed:{agent}")
        await asyncio.sleep(_TICK_SECONDS)


async def measure(streams: int, seconds: float) -> dict[str, float]:
    """Milliseconds from just before the commit to the reader, with so many streams open."""
    async with running(definition, tasks=False) as service:
        agents = [f"agent-{n:05}" for n in range(streams)]
        async with service.database.begin() as uow:
            for agent in agents:
                profile = AgentProfile(agent, agent, ("billing",), ("en",))
                uow.rows(AGENTS).put(AgentRow("default", profile, AgentState(agent), removed=False))
            await uow.commit()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = uvicorn.Config(
            service.assembled.app,
            host="127.0.0.1",
            port=port,
            log_level="error",
            lifespan="off",
            access_log=False,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        stop = asyncio.Event()
        command = [sys.executable, "-m", "bench.open_feeds", "--port", str(port)]
        command += ["--streams", str(streams), "--seconds", str(seconds)]
        reader = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24
        )
        assert reader.stdin is not None
        tokens = [service.tokens.issue(agent, "agent", 3600) for agent in agents]
        writing = asyncio.create_task(feed(service, agents, stop))
        out, _ = await reader.communicate(json.dumps(tokens).encode() + b"\n")
        stop.set()
        await writing
        service.assembled.app.state.stopping.set()
        server.should_exit = True
        await serving
        found: dict[str, float] = json.loads(out)
        return found


def run(streams: list[int], seconds: float) -> None:
    folder = Path(tempfile.mkdtemp(prefix="centralino-feeds-"))
    database = EmbeddedPostgres(folder)
    database.start()
    os.environ["TEST_DATABASE_URL"] = database.url
    configure_logging("error")
    try:
        rows = []
        for number in streams:
            found = uvloop.run(measure(number, seconds))
            share = found["n"] / (number * (seconds - _WARM_SECONDS))
            rows.append(
                [
                    f"{number:,}",
                    f"{found['n']:,.0f} ({100 * share:.0f} % of one a second)",
                    f"{found['p50']:.0f}",
                    f"{found['p99']:.0f}",
                    f"{found['p99'] / LIMIT_MS:.2f}",
                ]
            )
    finally:
        database.stop()
        shutil.rmtree(folder, ignore_errors=True)
    write(
        "open_feeds",
        "Open feeds of agents on one process, one event a second each",
        f"python -m bench.open_feeds --streams {' '.join(map(str, streams))} --seconds {seconds:.0f}",
        ["streams", "events read", "p50 ms", "p99 ms", f"p99 of the limit ({LIMIT_MS} ms at 1,000)"],
        rows,
        "From before the commit of a line to its reader in another process; database, service and reader share the cores.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1000])
    parser.add_argument("--seconds", type=float, default=32)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.port:
        uvloop.run(read(given.port, given.streams[0], given.seconds))
    else:
        run(given.streams, given.seconds)
