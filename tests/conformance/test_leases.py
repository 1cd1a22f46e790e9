"""Leases of several processes on one real database: ranges by the order of names, and renewals for all groups together."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from types import SimpleNamespace

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from libs.contracts import PARTITIONS
from libs.streams.leases import Leases, Member
from tests.support.rig import Rig, postgres_rig

_SECONDS = 1.0
ALL = frozenset(range(PARTITIONS))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with postgres_rig() as made:
        yield made


class Reader:
    """A member with the leases of its process."""

    def __init__(self, leases: Leases, group: str = "g") -> None:
        self.leases = leases
        self.member: Member = leases.member(group)

    async def held(self) -> frozenset[int]:
        return await self.leases.held(self.member)


async def _settled(readers: Sequence[Reader]) -> list[frozenset[int]]:
    """What each holds once nothing has moved for longer than a renewal takes; nothing is ever held by two of a group."""
    since, before = time.monotonic(), [frozenset[int]()]
    async with asyncio.timeout(20):
        while time.monotonic() - since < _SECONDS / 2:
            for reader in readers:
                await reader.held()
                rivals = [one.member for one in readers if one.member.group == reader.member.group]
                assert sum(len(one.held) for one in rivals) == len(
                    frozenset().union(*(r.held for r in rivals))
                )
            held = [reader.member.held for reader in readers]
            if held != before:
                since, before = time.monotonic(), held
            await asyncio.sleep(0.02)
    return before


def _as_kafka_would(members: Iterable[str]) -> dict[str, frozenset[int]]:
    cluster = SimpleNamespace(partitions_for_topic=lambda _topic: set(ALL))
    subscribed = {name: SimpleNamespace(subscription=["t"]) for name in members}
    given = RangePartitionAssignor.assign(cluster, subscribed)
    return {
        name: frozenset(p for _topic, parts in one.assignment for p in parts) for name, one in given.items()
    }


@pytest.mark.parametrize("count", [1, 2, 3, 5, PARTITIONS, PARTITIONS + 1])
async def test_members_have_the_ranges_that_kafka_would_give_them(rig: Rig, count: int) -> None:
    # The last joins first, so that all have to move.
    names = [f"p{nth:02}" for nth in reversed(range(count))]
    readers = [Reader(Leases(rig.engines.streams, name, PARTITIONS, _SECONDS)) for name in names]
    held = await _settled(readers)
    wanted = _as_kafka_would(reader.member.name for reader in readers)
    assert {r.member.name: h for r, h in zip(readers, held, strict=True)} == wanted


async def test_a_process_has_the_same_partitions_in_all_its_groups_also_after_one_has_left(rig: Rig) -> None:
    processes = {name: Leases(rig.engines.streams, name, PARTITIONS, _SECONDS) for name in "abc"}
    order = {"x": "abc", "y": "cab", "z": "bca"}
    readers = {name: [Reader(processes[name], group) for group in "xyz"] for name in "abc"}
    await _settled([readers[name][nth] for nth, group in enumerate("xyz") for name in order[group]])
    shares = {name: {reader.member.held for reader in one} for name, one in readers.items()}
    assert shares == {
        "a": {frozenset(range(4))},
        "b": {frozenset(range(4, 8))},
        "c": {frozenset(range(8, 12))},
    }
    for reader in readers.pop("a"):
        await processes["a"].release(reader.member)
    await _settled([reader for one in readers.values() for reader in one])
    shares = {name: {reader.member.held for reader in one} for name, one in readers.items()}
    assert shares == {"b": {frozenset(range(6))}, "c": {frozenset(range(6, 12))}}


async def test_who_is_stuck_loses_its_partitions_although_others_of_its_process_are_renewed(rig: Rig) -> None:
    process, other = (Leases(rig.engines.streams, name, PARTITIONS, 0.9) for name in ("a", "b"))
    stuck, lively, heir = Reader(process, "x"), Reader(process, "y"), Reader(other, "x")
    assert await stuck.held() == ALL
    assert await lively.held() == ALL
    async with asyncio.timeout(20):
        while await heir.held() != ALL:
            assert await lively.held() == ALL
            await asyncio.sleep(0.05)


async def test_those_at_work_are_renewed_together(rig: Rig) -> None:
    process = Leases(rig.engines.streams, "a", PARTITIONS, _SECONDS)
    readers = [Reader(process, group) for group in "xyz"]
    since = time.monotonic()
    # While partitions move they are renewed oftener, which says less.
    while time.monotonic() - since < 2 * _SECONDS:
        for reader in readers:
            await reader.held()
            await asyncio.sleep(0.05)
    together = await rig.run_sql(
        "SELECT count(*), max(expires_at) - min(expires_at) < interval '40 milliseconds' FROM log.members"
    )
    assert together == [(len(readers), True)]


async def test_who_has_left_and_asks_again_joins_again(rig: Rig) -> None:
    reader = Reader(Leases(rig.engines.streams, "a", PARTITIONS, 5.0))
    assert await reader.held() == ALL
    await reader.leases.release(reader.member)
    assert reader.member.held == frozenset()
    assert await rig.run_sql("SELECT 1 FROM log.leases UNION ALL SELECT 1 FROM log.members") == []
    assert await reader.held() == ALL
