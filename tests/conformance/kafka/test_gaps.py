"""A row that is missing stops a group before it does anything wrong; then it comes after all, or is given up."""

import asyncio

from libs.contracts import partition_of
from libs.streams import TopicPartition, gaps
from libs.streams.broker import read_through
from libs.streams.relay import Relay
from tests.support.rig import SCHEMA, TOPIC, Behaviour, KafkaRig, counting_router, message

SOURCE = TopicPartition(TOPIC, partition_of("c"))


async def _stopped_by_a_gap(rig: KafkaRig) -> str:
    """Row 3 of 5 does not reach the broker. Why the group has stopped."""
    await rig.tamper({3: None})
    await rig.publish(*(message("c", seq) for seq in range(1, 6)))
    await rig.carry()
    await rig.tamper({})
    stop = asyncio.Event()
    member = rig.member(counting_router("g", Behaviour()))
    running = asyncio.create_task(member.run(stop))
    async with asyncio.timeout(30):
        while not member.stopped_because:
            await asyncio.sleep(0.02)
    stop.set()
    await running
    return member.stopped_because


async def _caught_up(rig: KafkaRig) -> None:
    member = rig.member(counting_router("g", Behaviour()))
    stop = asyncio.Event()
    running = asyncio.create_task(member.run(stop))
    async with asyncio.timeout(30):
        while not (await rig.seen())["c"].trail.endswith("5"):
            await asyncio.sleep(0.02)
    stop.set()
    await running


async def test_rows_that_the_log_still_has_are_sent_again_and_nothing_is_missing(rig: KafkaRig) -> None:
    why = await _stopped_by_a_gap(rig)
    assert "the next row is 4, expected 3; rows are missing from the log" in why
    async with rig.engines.web.begin() as connection:
        assert await gaps.next_in_log(connection, SOURCE, 2) == 3
        assert await gaps.send_again(connection, SCHEMA, SOURCE, 2)
        assert not await gaps.send_again(connection, SCHEMA, SOURCE, 5)
    await rig.relay.close()
    heir = Relay(TOPIC, rig.database, rig.transport_of_log, rig.broker)
    async with asyncio.timeout(30):
        while await rig.behind(heir.group):
            await heir.round(5)
    await heir.close()
    rows = [row async for row in read_through(rig.broker, TOPIC) if row.source == SOURCE]
    assert [row.number for row in rows] == [1, 2, 4, 5, 3, 4, 5]
    async with rig.engines.web.begin() as connection:
        await gaps.go_to(connection, SCHEMA, "g", SOURCE, next(row for row in rows if row.number == 3))
    await _caught_up(rig)
    assert (await rig.seen())["c"].trail == ",1,2,3,4,5"


async def test_rows_that_are_gone_for_good_are_given_up_and_the_rest_is_handled(rig: KafkaRig) -> None:
    await _stopped_by_a_gap(rig)
    async with rig.engines.web.begin() as connection:
        assert await gaps.position_of(connection, SCHEMA, "g", SOURCE) == 2
        await gaps.give_up(connection, SCHEMA, "g", SOURCE, 3)
    await _caught_up(rig)
    assert (await rig.seen())["c"].trail == ",1,2,4,5"
