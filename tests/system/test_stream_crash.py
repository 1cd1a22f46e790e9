"""Members of a group are killed and put to sleep past their lease while a load runs: nothing lost, nothing doubled.

The same run has to fail when the fence, the repeat check or the one transaction is taken out. So that it does each time,
a sleep begins when the sleeper has a batch at hand and lasts until another member has handled that batch, and a kill
falls just behind a commit. Sleeps and kills at random moments follow where nothing may be found.
"""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from libs.contracts import unpack
from tests.support.rig import Rig, message, postgres_rig
from tests.support.rig_member import PATIENCE_SECONDS, Member, member
from tests.support.rig_worker import LEASE_SECONDS

CONVERSATIONS, LEAST_MESSAGES = 150, 8
BACKLOG = CONVERSATIONS
AIMED, RANDOM = 2, 4

pytestmark = [pytest.mark.crash, pytest.mark.slow]


async def _load(rig: Rig, disturbed: asyncio.Event) -> int:
    """Keeps work waiting until the disturbances are over. Returns how many messages each conversation got."""
    seq = 0
    while seq < LEAST_MESSAGES or not disturbed.is_set():
        if await _behind(rig) < BACKLOG:
            seq += 1
            await rig.publish(*(message(f"c{i}", seq) for i in range(CONVERSATIONS)))
        await asyncio.sleep(0.05)
    return seq


async def _behind(rig: Rig) -> int:
    """How many messages the group has not passed."""
    rows = await rig.run_sql(
        "SELECT coalesce(sum(c.number - coalesce(p.number, 0)), 0)::bigint FROM log.counters c"
        " JOIN log.topics t ON t.id = c.topic"
        " LEFT JOIN rig.positions p ON p.topic = t.name AND p.partition = c.partition"
        " WHERE t.name = 'ingest.messages.v1'"
    )
    return int(str(rows[0][0]))


async def _settled(rig: Rig) -> None:
    """Waits until the group has read everything."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _behind(rig):
            await asyncio.sleep(0.1)


def _has_a_batch(said: list[str]) -> bool:
    return bool(said) and said[-1].startswith("thinking")


async def _passed(rig: Rig, batch: str) -> None:
    """Waits until the group's positions are behind a batch as its member said it."""
    last = {int(p): int(n) for p, n in (item.split(":") for item in batch.split()[1:])}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            rows = await rig.run_sql("SELECT partition, number FROM rig.positions")
            at = {int(str(p)): int(str(n)) for p, n in rows}
            if all(at[partition] >= number for partition, number in last.items()):
                return
            await asyncio.sleep(0.02)


async def _aimed(rig: Rig, victim: Member) -> None:
    """Sleeps with a batch at hand until another has handled it, goes on, and dies just behind a later batch's commit."""
    said = await victim.frozen(_has_a_batch)
    await _passed(rig, said[-1])
    victim.thaw()

    def behind_a_commit(now: list[str]) -> bool:
        later = any(line.startswith("thinking") for line in now[len(said) :])
        return later and now[-2:] == ["thought", "committed"]

    await victim.frozen(behind_a_commit)
    await victim.kill()


async def _random(victim: Member, choice: random.Random) -> None:
    """Sleeps past the lease and dies soon after, whatever it does just then."""
    await victim.until(lambda said: "thought" in said)
    await victim.freeze()
    await asyncio.sleep(LEASE_SECONDS + 0.6 + choice.random() * 0.3)
    victim.thaw()
    await asyncio.sleep(0.1 + choice.random() * 0.2)
    await victim.kill()


async def _disturb(rig: Rig, bug: str, stack: AsyncExitStack, at_random: int) -> None:
    """Sleeps past the lease and kills, of two members in turn."""
    choice = random.Random(1)
    members = [await stack.enter_async_context(member(rig.url, bug)) for _ in range(2)]
    for turn in range(AIMED + at_random):
        victim = members[turn % 2]
        if turn < AIMED:
            await _aimed(rig, victim)
        else:
            await _random(victim, choice)
        members[turn % 2] = await stack.enter_async_context(member(rig.url, bug))


async def _faults(rig: Rig, messages: int) -> tuple[int, int]:
    """How many messages are missing, and how many were handled or answered more than once."""
    expected = {f"c{i}": messages for i in range(CONVERSATIONS)}
    seen = await rig.seen()
    lost = sum(max(0, count - (seen[key].count if key in seen else 0)) for key, count in expected.items())
    doubled = sum(max(0, value.count - expected[key]) for key, value in seen.items())
    rows = await rig.run_sql(
        "SELECT data FROM log.events e JOIN log.topics t ON t.id = e.topic WHERE t.name = 'triage.decisions.v1'"
    )
    ids = [unpack(row[0]).event_id for row in rows]  # type: ignore[arg-type]  # a bytea column
    doubled += len(ids) - len(set(ids))
    lost += max(0, CONVERSATIONS * messages - len(set(ids)))
    return lost, doubled


async def _run(bug: str, at_random: int) -> tuple[int, int]:
    async with postgres_rig() as rig, AsyncExitStack() as stack:
        disturbed = asyncio.Event()
        async with asyncio.TaskGroup() as together:
            loading = together.create_task(_load(rig, disturbed))
            await _disturb(rig, bug, stack, at_random)
            disturbed.set()
        await _settled(rig)
        return await _faults(rig, loading.result())


async def test_killed_and_sleeping_members_lose_and_double_nothing() -> None:
    assert await _run("none", RANDOM) == (0, 0)


@pytest.mark.parametrize("bug", ["no-fence", "no-repeat-check", "two-transactions"])
async def test_the_crash_run_notices_when_a_safeguard_is_taken_out(bug: str) -> None:
    lost, doubled = await _run(bug, 0)
    assert (lost if bug == "two-transactions" else doubled) > 0, f"{lost} lost, {doubled} doubled"
