"""A process dies right before and right behind every step of the protocol, on Kafka and PostgreSQL; the next one takes over.

Nothing may be lost, doubled or jumped over at any of them; without a safeguard, the step that it is for shows it.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest

from libs.contracts import PARTITIONS, unpack
from libs.streams.broker import read_through
from tests.support.kafka import need_kafka
from tests.support.rig import TOPIC, KafkaRig, kafka_rig
from tests.support.step_worker import BAD, CONVERSATIONS, ROUNDS

pytestmark = [pytest.mark.crash, pytest.mark.slow]

PATIENCE_SECONDS = 120
STEPS = {
    "publisher.append": 2,
    "publisher.commit": 2,
    "relay.claim": 1,
    "relay.send": 4,
    "relay.store": 1,
    "group.claim": 1,
    "group.append": 2,
    "group.batch": 2,
    "group.bury": 1,
    "group.report": 1,
}
"""Every step with the time at which the first process dies, so that there is work before it."""


class Faults(NamedTuple):
    """What came out of a run that should not."""

    lost: int = 0
    doubled: int = 0
    jumps: int = 0
    disordered: int = 0


@pytest.fixture(autouse=True)
def kafka_there(in_ci: bool) -> None:
    need_kafka(in_ci)


@asynccontextmanager
async def _worker(rig: KafkaRig, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "tests.support.step_worker"]
    command += [rig.url, rig.broker.bootstrap, rig.broker.prefix, *options]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _finished(rig: KafkaRig, process: asyncio.subprocess.Process) -> bool:
    """Waits until everything was published, relayed and read. False when the group has stopped before that."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            assert process.returncode is None, "the last worker ended by itself"
            published = await rig.run_sql("SELECT rounds FROM rig.published")
            if await rig.run_sql("SELECT 1 FROM rig.stopped_groups"):
                return False
            if published == [(ROUNDS,)] and not await rig.behind(rig.relay.group) + await rig.behind("g"):
                return True
            await asyncio.sleep(0.1)


async def _jumps(rig: KafkaRig) -> int:
    """Rows on the broker that come before one with a smaller number has come."""
    jumps, heads = 0, dict.fromkeys(range(PARTITIONS), 0)
    async for row in read_through(rig.broker, TOPIC):
        jumps += row.number > heads[row.partition] + 1
        heads[row.partition] = max(heads[row.partition], row.number)
    return jumps


async def _faults(rig: KafkaRig) -> Faults:
    """The handled messages, the events that answered them and the one dead letter against what was published."""
    wanted = {(f"c{i}", seq) for i in range(CONVERSATIONS) for seq in range(1, ROUNDS + 1)} - {BAD}
    trails = {
        key: [int(seq) for seq in seen.trail.split(",")[1:]] for key, seen in (await rig.seen()).items()
    }
    handled = [(key, seq) for key, trail in trails.items() for seq in trail]
    rows = await rig.run_sql(
        "SELECT data FROM log.events e JOIN log.topics t ON t.id = e.topic WHERE t.name = 'triage.decisions.v1'"
    )
    answers = [unpack(row[0]).event_id for row in rows]  # type: ignore[arg-type]  # a bytea column
    letters = len(await rig.letters())
    stopped = await rig.run_sql("SELECT 1 FROM rig.stopped_groups")
    return Faults(
        lost=len(wanted - set(handled)) + max(0, len(wanted) - len(set(answers))) + (letters < 1),
        doubled=len(handled) - len(set(handled)) + len(answers) - len(set(answers)) + max(0, letters - 1),
        jumps=await _jumps(rig) + len(stopped),
        disordered=sum(trail != sorted(trail) for trail in trails.values()),
    )


async def _run(place: str, moments: Sequence[str], bug: str = "none") -> Faults:
    """A process that dies at each of the moments, one after the other, and a last one that finishes."""
    async with kafka_rig() as rig:
        await rig.run_sql("CREATE TABLE rig.published AS SELECT 0 AS rounds")
        for moment in moments:
            nth = STEPS[place] if moment == moments[0] else 1
            async with _worker(rig, "--bug", bug, "--kill", f"{place}:{moment}:{nth}") as worker:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    assert await worker.wait() == -signal.SIGKILL
        async with _worker(rig, "--bug", bug) as last:
            await _finished(rig, last)
        return await _faults(rig)


@pytest.mark.parametrize("place", STEPS)
async def test_processes_that_die_before_and_behind_a_step_lose_double_and_skip_nothing(place: str) -> None:
    assert await _run(place, ["before", "after"]) == Faults()


@pytest.mark.parametrize(
    ("bug", "place", "moment", "fault"),
    [
        ("two-transactions", "group.batch", "before", "lost"),
        ("no-repeat-check", "relay.send", "after", "doubled"),
        ("position-first", "relay.send", "before", "jumps"),
    ],
)
async def test_without_a_safeguard_the_step_that_it_is_for_shows_it(
    bug: str, place: str, moment: str, fault: str
) -> None:
    faults = await _run(place, [moment], bug)
    assert getattr(faults, fault) > 0, faults
