"""Members of a group are killed and put to sleep past their lease while a load runs: nothing lost, nothing doubled.

The same run has to fail when the fence, the repeat check or the one transaction is taken out.
"""

import asyncio
import random
import signal
from contextlib import AsyncExitStack

import pytest

from libs.contracts import unpack
from tests.support.rig import Rig, message, postgres_rig
from tests.support.rig_worker import LEASE_SECONDS, worker

CONVERSATIONS, MESSAGES = 150, 8

pytestmark = pytest.mark.crash


async def _load(rig: Rig) -> None:
    for seq in range(1, MESSAGES + 1):
        await rig.publish(*(message(f"c{i}", seq) for i in range(CONVERSATIONS)))
        await asyncio.sleep(0.35)


async def _disturb(rig: Rig, bug: str, stack: AsyncExitStack, seed: int) -> None:
    """Sleeps past the lease and kills, with two members alive."""
    choice = random.Random(seed)
    members = [await stack.enter_async_context(worker(rig.url, bug)) for _ in range(2)]
    await asyncio.sleep(1.2)
    for turn in range(4):
        victim = members[turn % 2]
        victim.send_signal(signal.SIGSTOP)
        await asyncio.sleep(LEASE_SECONDS + 0.6 + choice.random() * 0.3)
        victim.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.1 + choice.random() * 0.2)
        victim.kill()
        await victim.wait()
        members[turn % 2] = await stack.enter_async_context(worker(rig.url, bug))


async def _faults(rig: Rig) -> tuple[int, int]:
    """How many messages are missing, and how many were handled or answered more than once."""
    expected = {f"c{i}": MESSAGES for i in range(CONVERSATIONS)}
    seen = await rig.seen()
    lost = sum(max(0, count - (seen[key].count if key in seen else 0)) for key, count in expected.items())
    doubled = sum(max(0, value.count - expected[key]) for key, value in seen.items())
    rows = await rig.run_sql(
        "SELECT data FROM log.events e JOIN log.topics t ON t.id = e.topic WHERE t.name = 'triage.decisions.v1'"
    )
    ids = [unpack(row[0]).event_id for row in rows]  # type: ignore[arg-type]  # a bytea column
    doubled += len(ids) - len(set(ids))
    lost += max(0, CONVERSATIONS * MESSAGES - len(set(ids)))
    return lost, doubled


async def _settled(rig: Rig, seconds: float) -> None:
    """Waits until the group has read everything, or the time is over."""
    async with asyncio.timeout(seconds):
        while True:
            rows = await rig.run_sql(
                "SELECT 1 FROM log.counters c JOIN log.topics t ON t.id = c.topic LEFT JOIN rig.positions p"
                " ON p.topic = t.name AND p.partition = c.partition"
                " WHERE t.name = 'ingest.messages.v1' AND c.number > coalesce(p.number, 0)"
            )
            if not rows:
                return
            await asyncio.sleep(0.1)


async def _run(bug: str, seed: int) -> tuple[int, int]:
    async with postgres_rig() as rig, AsyncExitStack() as stack:
        loading = asyncio.create_task(_load(rig))
        await _disturb(rig, bug, stack, seed)
        await loading
        try:
            await _settled(rig, 20)
        except TimeoutError:
            if bug == "none":
                raise
        return await _faults(rig)


async def test_killed_and_sleeping_members_lose_and_double_nothing() -> None:
    assert await _run("none", seed=1) == (0, 0)


@pytest.mark.parametrize("bug", ["no-fence", "no-repeat-check", "two-transactions"])
async def test_the_crash_run_notices_when_a_safeguard_is_taken_out(bug: str) -> None:
    for seed in range(3):
        if await _run(bug, seed) != (0, 0):
            return
    pytest.fail(f"three runs with the planted bug {bug} looked clean")
