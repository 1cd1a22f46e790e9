"""The relay: every number once and in order, again after a crash, shared by two."""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaSource

from libs.contracts import PARTITIONS
from libs.streams.relay import Relay
from tests.support.rig import (
    TOPIC,
    Behaviour,
    KafkaRig,
    counting_router,
    message,
)


async def _numbers(rig: KafkaRig) -> dict[int, list[int]]:
    """The numbers on the broker, by partition in the order of their offsets."""
    consumer = AIOKafkaConsumer(**rig.broker.options(), auto_offset_reset="earliest")
    await consumer.start()
    sources = [KafkaSource(rig.broker.topic(TOPIC), p) for p in range(PARTITIONS)]
    consumer.assign(sources)
    try:
        ends = await consumer.end_offsets(sources)
        await consumer.seek_to_beginning(*sources)
        numbers: dict[int, list[int]] = {source.partition: [] for source in sources}
        async with asyncio.timeout(20):
            while any(len(numbers[s.partition]) < ends[s] for s in sources):
                for source, rows in (await consumer.getmany(timeout_ms=200)).items():
                    numbers[source.partition] += [int(dict(row.headers)["ce_sequence"]) for row in rows]
        return numbers
    finally:
        await consumer.stop()


async def test_the_relay_sends_every_number_once_and_in_order(rig: KafkaRig) -> None:
    for seq in range(1, 31):
        await rig.publish(*(message(f"c{i}", seq) for i in range(40)))
    await rig.carry()
    numbers = await _numbers(rig)
    assert sum(map(len, numbers.values())) == 1200
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


async def test_a_relay_that_died_before_storing_its_position_sends_again_and_readers_drop_it(
    rig: KafkaRig,
) -> None:
    await rig.publish(*(message(f"c{i}", 1) for i in range(40)))
    await rig.carry()
    await rig.rewind(rig.relay.group)
    heir = Relay(TOPIC, rig.database, rig.transport_of_log, rig.broker)
    await rig.relay.close()
    async with asyncio.timeout(20):
        while await rig.behind(heir.group):
            await heir.round(5)
    await heir.close()
    assert sum(map(len, (await _numbers(rig)).values())) == 80
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert {s.count for s in (await rig.seen()).values()} == {1}


async def test_two_relays_share_the_partitions(rig: KafkaRig) -> None:
    other = Relay(TOPIC, rig.database, rig.transport_of_log, rig.broker)
    stop = asyncio.Event()
    running = [asyncio.create_task(relay.run(stop)) for relay in (rig.relay, other)]
    await asyncio.sleep(2.5)
    for seq in range(1, 6):
        await rig.publish(*(message(f"c{i}", seq) for i in range(60)))
        await asyncio.sleep(0.2)
    async with asyncio.timeout(20):
        while await rig.behind(rig.relay.group):
            await asyncio.sleep(0.05)
    rows = await rig.run_sql(
        "SELECT member, count(*) FROM log.leases WHERE group_name = $1 GROUP BY 1", other.group
    )
    stop.set()
    await asyncio.gather(*running)
    assert [row[1] for row in rows] == [PARTITIONS // 2] * 2
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert {s.trail for s in (await rig.seen()).values()} == {",1,2,3,4,5"}


async def test_a_restored_log_begins_a_generation_whose_numbers_are_not_taken_for_repeats(
    rig: KafkaRig,
) -> None:
    member = rig.member(counting_router("g", Behaviour()))
    await rig.publish(*(message("c", seq) for seq in range(1, 6)))
    await rig.drain(member)
    # The copy that was restored had seen two of the five; its own relay's position is as old.
    await rig.run_sql("UPDATE log.counters SET number = 2 WHERE number = 5")
    await rig.run_sql("DELETE FROM log.events WHERE number > 2")
    await rig.run_sql(
        "UPDATE rig.positions SET number = 2 WHERE group_name = $1 AND number = 5", rig.relay.group
    )
    await rig.run_sql("UPDATE log.generation SET number = number + 1")
    await rig.log.stop()
    await rig.log.start()
    await rig.relay.close()
    heir = Relay(TOPIC, rig.database, rig.transport_of_log, rig.broker)
    await rig.publish(*(message("c", seq) for seq in range(6, 8)))
    async with asyncio.timeout(20):
        while await rig.behind(heir.group):
            await heir.round(5)
        while (await rig.seen())["c"].count < 7:
            await member.round(5)
    await heir.close()
    assert (await rig.seen())["c"].trail == ",1,2,3,4,5,6,7"
