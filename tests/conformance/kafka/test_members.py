"""Members of a group that come and go, and a group that comes from the database."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from libs.contracts import PARTITIONS, partition_of
from libs.runtime import SystemClock
from libs.streams import PostgresTransport, Processor, Subscriber
from libs.streams.kafka import KafkaTransport
from libs.streams.relay import Relay
from tests.support.rig import (
    SEEN,
    TOPIC,
    Behaviour,
    Context,
    KafkaRig,
    counting_router,
    message,
)


async def test_three_members_share_the_partitions_and_one_that_leaves_hands_its_own_over(
    rig: KafkaRig,
) -> None:
    members = [rig.member(counting_router("g", Behaviour())) for _ in range(3)]
    await rig.share(*members)
    assert [len(m.claims.partitions) for m in members] == [PARTITIONS // 3] * 3
    await rig.publish(*(message(f"c{i}", 1) for i in range(60)))
    await rig.drain(*members)
    await members[0].leave()
    await rig.share(*members[1:])
    await rig.publish(*(message(f"c{i}", 2) for i in range(60)))
    await rig.drain(*members[1:])
    assert {s.trail for s in (await rig.seen()).values()} == {",1,2"}


async def test_members_that_come_and_go_while_messages_flow_lose_and_double_nothing(rig: KafkaRig) -> None:
    stop = asyncio.Event()
    relaying = asyncio.create_task(rig.relay.run(stop))
    steady = asyncio.create_task(rig.member(counting_router("g", Behaviour())).run(stop))
    for seq in range(1, 7):
        passing = asyncio.Event()
        guest = asyncio.create_task(
            rig.member(counting_router("g", Behaviour(slow_seconds=0.005))).run(passing)
        )
        await rig.publish(*(message(f"c{i}", seq) for i in range(40)))
        await asyncio.sleep(0.7)
        passing.set()
        await guest
    async with asyncio.timeout(60):
        while await rig.behind("g"):
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(relaying, steady)
    assert {s.trail for s in (await rig.seen()).values()} == {",1,2,3,4,5,6"}


@pytest.mark.slow
async def test_a_member_that_missed_that_its_partitions_were_with_another_goes_on_behind_what_that_one_did(
    rig: KafkaRig,
) -> None:
    keys = [f"c{i}" for i in range(40)]
    first, second = (rig.member(counting_router("g", Behaviour())) for _ in range(2))
    await rig.publish(*(message(key, 1) for key in keys))
    await rig.drain(first)
    reading = asyncio.create_task(first.step(20_000))
    async with asyncio.timeout(20):
        while not second.claims.partitions:
            await second.round(20)
    theirs = [key for key in keys if partition_of(key) in second.claims.partitions]
    await rig.publish(*(message(key, 2) for key in theirs))
    await rig.drain(second)
    await second.leave()
    await asyncio.sleep(rig.broker.session_seconds / 2)
    await rig.publish(*(message(key, 3) for key in theirs))
    await rig.carry()
    await reading
    await rig.drain(first)
    assert {key: seen.trail for key, seen in (await rig.seen()).items()} == {
        key: ",1,2,3" if key in theirs else ",1" for key in keys
    }


async def test_a_group_that_worked_on_the_database_goes_on_where_it_was(rig: KafkaRig) -> None:
    """An installation moves from embedded to Kafka by starting the relays, however much there is to skip."""
    for seq in range(1, 51):
        await rig.publish(*(message(f"c{i}", seq) for i in range(30)))
    router = counting_router("g", Behaviour())
    subscriber = Subscriber(router, lambda uow: Context(uow, uow.rows(SEEN)))
    embedded = Processor(subscriber, rig.database, rig.transport_of_log, SystemClock())
    while await rig.behind("g"):
        await embedded.round(5)
    await embedded.leave()
    await rig.publish(*(message(f"c{i}", 51) for i in range(30)))
    await rig.drain(rig.member(router))
    assert {s.count for s in (await rig.seen()).values()} == {51}


async def test_a_group_cannot_read_local_topics_beside_those_of_the_broker(rig: KafkaRig) -> None:
    with pytest.raises(ValueError, match=r"ingest\.inbox\.v1, which stay local"):
        KafkaTransport(rig.broker, rig.transport_of_log).subscribe("g", [TOPIC, "ingest.inbox.v1"], "rig")


async def test_partitions_are_shared_anew_whenever_a_member_joins(rig: KafkaRig) -> None:
    members = [rig.member(counting_router("g", Behaviour()))]
    for seq in range(1, 4):
        await rig.share(*members)
        assert {len(m.claims.partitions) for m in members} == {PARTITIONS // seq}
        await rig.publish(*(message(f"c{i}", seq) for i in range(60)))
        await rig.drain(*members)
        members.append(rig.member(counting_router("g", Behaviour())))
    assert {s.trail for s in (await rig.seen()).values()} == {",1,2,3"}


async def test_a_process_relays_the_partitions_that_its_groups_read(rig: KafkaRig) -> None:
    relays: dict[str, Relay] = {}
    members: dict[str, Processor[Context]] = {}
    for name in ("b", "c", "a"):
        local = PostgresTransport(rig.engines.streams, rig.log, lease_seconds=1, process=name)
        broker = replace(rig.broker, process=name)
        relays[name] = Relay(TOPIC, rig.database, local, broker)
        members[name] = rig.member(counting_router("g", Behaviour()), transport=KafkaTransport(broker, local))
    wanted = {name: set(range(first, first + 4)) for name, first in zip("abc", (0, 4, 8), strict=True)}

    async def leased() -> dict[str, set[int]]:
        rows = await rig.run_sql(
            "SELECT left(member, 1), array_agg(partition) FROM log.leases"
            f" WHERE group_name = 'relay.{TOPIC}' GROUP BY 1"
        )
        return {str(name): set(cast(list[int], partitions)) for name, partitions in rows}

    async with asyncio.timeout(60):
        while await leased() != wanted or {n: set(m.claims.partitions) for n, m in members.items()} != wanted:
            for name in members:
                await relays[name].round()
                await members[name].round(5)
    for relay in relays.values():
        await relay.close()
