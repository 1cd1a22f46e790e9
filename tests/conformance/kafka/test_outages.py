"""Brokers that go away and come back."""

import asyncio
import contextlib
import itertools
import tempfile
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from libs.contracts import PARTITIONS
from libs.streams import Retry
from libs.streams.broker import Broker
from libs.streams.kafka_topics import apply_topics
from libs.streams.log import MAX_EVENT_BYTES
from services.cluster.kafka import LocalKafka
from tests.support.brokers import two_brokers
from tests.support.rig import (
    TOPIC,
    Behaviour,
    KafkaRig,
    counting_router,
    kafka_rig,
    message,
)


@pytest.mark.slow
async def test_a_broker_that_goes_away_and_comes_back_loses_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="centralino-kafka-") as folder:
        server = LocalKafka(Path(folder))
        server.start()
        try:
            async with kafka_rig(Broker(server.bootstrap)) as rig:
                stop = asyncio.Event()
                running = [
                    asyncio.create_task(rig.relay.run(stop)),
                    asyncio.create_task(rig.member(counting_router("g", Behaviour())).run(stop)),
                ]
                await rig.publish(*(message(f"c{i}", 1) for i in range(40)))
                async with asyncio.timeout(20):
                    while await rig.behind("g"):
                        await asyncio.sleep(0.05)
                server.kill()
                await rig.publish(*(message(f"c{i}", 2) for i in range(40)))
                await asyncio.sleep(1)
                await asyncio.to_thread(server.start)
                await rig.publish(*(message(f"c{i}", 3) for i in range(40)))
                async with asyncio.timeout(60):
                    while await rig.behind("g"):
                        await asyncio.sleep(0.05)
                stop.set()
                await asyncio.gather(*running)
                assert {s.trail for s in (await rig.seen()).values()} == {",1,2,3"}
        finally:
            server.kill()


async def _led_by(broker: Broker, node: int) -> set[int]:
    """The partitions of the messages' topic that a broker leads."""
    admin = AIOKafkaAdminClient(**broker.options())
    await admin.start()
    try:
        async with asyncio.timeout(60):
            while True:
                # The client may ask the one that has gone.
                with contextlib.suppress(KafkaError):
                    (told,) = await admin.describe_topics([broker.topic(TOPIC)])
                    return {part["partition"] for part in told["partitions"] if part["leader"] == node}
                await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def _group_at(broker: Broker, node: int) -> str:
    """A group that a broker coordinates."""
    admin = AIOKafkaAdminClient(**broker.options())
    await admin.start()
    try:
        async with asyncio.timeout(60):
            for number in itertools.count():
                with contextlib.suppress(KafkaError):
                    if await admin.find_coordinator(f"{broker.prefix}g{number}") == node:
                        return f"g{number}"
                await asyncio.sleep(0.1)
        raise AssertionError("no group was found")
    finally:
        await admin.close()


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 2])
async def test_a_broker_that_leads_partitions_and_coordinates_the_group_may_go(copies: int) -> None:
    """With two copies others lead and coordinate at once; with one its partitions have no leader until it is back."""
    with two_brokers() as pair:
        broker = Broker(pair.bootstrap, session_seconds=6)
        await apply_topics(broker, names=[TOPIC], replication=copies)
        assert len(await _led_by(broker, 2)) == PARTITIONS // 2
        group = await _group_at(broker, 2)
        async with kafka_rig(broker) as rig:
            stop = asyncio.Event()
            running = [asyncio.create_task(rig.relay.run(stop))]
            running += [
                asyncio.create_task(rig.member(counting_router(group, Behaviour())).run(stop))
                for _ in range(2)
            ]

            async def caught_up() -> None:
                async with asyncio.timeout(120):
                    while await rig.behind(group):
                        await asyncio.sleep(0.05)

            await rig.publish(*(message(f"c{i}", 1) for i in range(60)))
            await caught_up()
            pair.second.kill()
            await rig.publish(*(message(f"c{i}", 2) for i in range(60)))
            if copies == 2:
                await caught_up()
                assert await _led_by(broker, 2) == set()
            else:
                while await _led_by(broker, -1) == set():
                    await asyncio.sleep(0.1)
            await asyncio.to_thread(pair.second.start)
            await rig.publish(*(message(f"c{i}", 3) for i in range(60)))
            await caught_up()
            stop.set()
            await asyncio.gather(*running)
            assert {seen.trail for seen in (await rig.seen()).values()} == {",1,2,3"}


async def test_the_largest_event_that_can_be_appended_is_carried_and_read(rig: KafkaRig) -> None:
    bare = len(message("c", 1, "").SerializeToString())
    text = "x" * (MAX_EVENT_BYTES - bare - 8)
    await rig.publish(message("c", 1, text), message("c", 2))
    with pytest.raises(ValueError, match=r"at most 4,000,000 can be carried"):
        await rig.publish(message("c", 3, "x" * MAX_EVENT_BYTES))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert (await rig.seen())["c"].trail == ",1,2"


async def test_a_message_too_large_for_its_topic_waits_until_the_topic_is_as_it_should_be(
    rig: KafkaRig,
) -> None:
    await _set(rig.broker, {"max.message.bytes": "2000"})
    await rig.publish(message("c", 1), message("c", 2, "x" * 10_000), message("c", 3))
    with pytest.raises(Retry, match=rf"sending to {rig.broker.topic(TOPIC)}: MessageSizeTooLarge"):
        async with asyncio.timeout(30):
            while True:
                await rig.relay.round(5)
    await apply_topics(rig.broker, names=[TOPIC])
    stop = asyncio.Event()
    relaying = asyncio.create_task(rig.relay.run(stop))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    stop.set()
    await relaying
    assert (await rig.seen())["c"].trail == ",1,2,3"


async def _set(broker: Broker, settings: dict[str, str], topic: str = TOPIC) -> None:
    """Settings that somebody makes on a topic by hand."""
    admin = AIOKafkaAdminClient(**broker.options())
    await admin.start()
    try:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, broker.topic(topic), configs=settings)]
        )
    finally:
        await admin.close()
