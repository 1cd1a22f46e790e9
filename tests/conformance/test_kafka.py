"""What only the Kafka transport has: topics, the relay, members that come and go, a broker that goes away."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaSource
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from libs.contracts import PARTITIONS, TOPICS
from libs.runtime import SystemClock
from libs.streams import Processor, Retry, Subscriber, TopicsRefused
from libs.streams.broker import Broker
from libs.streams.kafka import KafkaTransport
from libs.streams.kafka_topics import apply_topics, settings_of
from libs.streams.relay import Relay
from services.cluster.kafka import LocalKafka
from tests.support.kafka import fresh_broker, need_kafka, remove_topics, topics_of
from tests.support.rig import (
    SEEN,
    TOPIC,
    Behaviour,
    Context,
    KafkaRig,
    counting_router,
    kafka_rig,
    message,
)


@pytest.fixture(autouse=True)
def kafka_there(in_ci: bool) -> None:
    need_kafka(in_ci)


@pytest.fixture
async def rig() -> AsyncIterator[KafkaRig]:
    async with kafka_rig() as made:
        yield made


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    made = fresh_broker()
    yield made
    await remove_topics(made)


async def _admin(broker: Broker) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(**broker.options())
    await admin.start()
    return admin


async def _make(broker: Broker, partitions: int, settings: dict[str, str]) -> None:
    """Makes the topic by hand, and returns once the broker tells of it."""
    admin = await _admin(broker)
    await admin.create_topics([NewTopic(broker.topic(TOPIC), partitions, 1, topic_configs=settings)])
    while not await topics_of(broker, admin):
        await asyncio.sleep(0.02)
    await admin.close()


async def _settings(broker: Broker, topic: str) -> dict[str, str]:
    admin = await _admin(broker)
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, broker.topic(topic))
        (answer,) = await admin.describe_configs([resource])
        return {entry[0]: entry[1] for entry in answer.resources[0][4]}
    finally:
        await admin.close()


async def test_topics_are_made_as_declared_and_a_second_time_changes_nothing(broker: Broker) -> None:
    made = await apply_topics(broker)
    assert {change.topic for change in made} == {
        broker.topic(name) for name, topic in TOPICS.items() if not topic.local
    }
    for name, topic in TOPICS.items():
        if not topic.local:
            there = await _settings(broker, name)
            assert settings_of(topic).items() <= there.items()
    assert await apply_topics(broker) == []


async def test_the_newest_outcome_of_each_episode_is_kept_for_ever(broker: Broker) -> None:
    await apply_topics(broker, names=["analytics.outcomes.v1"])
    there = await _settings(broker, "analytics.outcomes.v1")
    assert (there["cleanup.policy"], there["retention.ms"]) == ("compact", "-1")


async def test_a_topic_with_other_settings_is_changed_and_keeps_what_its_operator_set(broker: Broker) -> None:
    await _make(broker, 3, {"retention.ms": "1000", "min.insync.replicas": "1", "segment.ms": "600000"})
    changes = [change.what for change in await apply_topics(broker, names=[TOPIC])]
    assert changes[0] == f"grown to {PARTITIONS} partitions"
    assert "retention.ms = 1209600000" in changes[1]
    there = await _settings(broker, TOPIC)
    assert (there["retention.ms"], there["segment.ms"]) == ("1209600000", "600000")
    assert await apply_topics(broker, names=[TOPIC]) == []


async def test_a_topic_with_more_partitions_is_refused_and_nothing_is_changed(broker: Broker) -> None:
    await _make(broker, PARTITIONS + 1, {})
    with pytest.raises(
        TopicsRefused, match=rf"{TOPIC} has {PARTITIONS + 1} partitions, expected {PARTITIONS}"
    ):
        await apply_topics(broker)
    admin = await _admin(broker)
    assert await topics_of(broker, admin) == [broker.topic(TOPIC)]
    await admin.close()


async def test_a_group_whose_topic_is_missing_says_so_and_works_once_it_is_there(rig: KafkaRig) -> None:
    await remove_topics(rig.broker)
    member = rig.member(counting_router("g", Behaviour()))
    with pytest.raises(Retry, match=r"run `centralino topics apply`"):
        await member.round()
    await apply_topics(rig.broker, names=[TOPIC])
    await rig.publish(message("c", 1))
    await rig.drain(member)
    assert (await rig.seen())["c"].count == 1


async def test_a_group_whose_topic_has_too_few_partitions_says_so_and_works_once_it_has_grown(
    rig: KafkaRig,
) -> None:
    await remove_topics(rig.broker)
    await _make(rig.broker, 4, {})
    member = rig.member(counting_router("g", Behaviour()))
    with pytest.raises(
        Retry, match=rf"{TOPIC} has 4 partitions, expected {PARTITIONS}: run `centralino topics"
    ):
        async with asyncio.timeout(20):
            while True:
                await member.round(5)
    await apply_topics(rig.broker, names=[TOPIC])
    await rig.publish(*(message(f"c{i}", 1) for i in range(30)))
    await rig.drain(member)
    assert {s.count for s in (await rig.seen()).values()} == {1}


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


def test_how_a_broker_is_reached_is_passed_through() -> None:
    plain = Broker("k:9092").options()
    assert "sasl_mechanism" not in plain
    assert "ssl_context" not in plain
    secured = Broker(
        "k:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        username="centralino",
        password="secret",
    )
    assert {k: v for k, v in secured.options().items() if k.startswith("sasl")} == {
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "centralino",
        "sasl_plain_password": "secret",
    }
    assert secured.options()["ssl_context"].check_hostname
    assert "secret" not in repr(secured)


def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broker = Broker("k:9093", security_protocol="SSL", ca_file=tmp_path / "none.pem")
    with pytest.raises(ValueError, match=r"CA file .*none.pem.*expected a file of PEM certificates"):
        broker.options()


async def test_a_group_cannot_read_local_topics_beside_those_of_the_broker(rig: KafkaRig) -> None:
    with pytest.raises(ValueError, match=r"ingest\.inbox\.v1, which stay local"):
        KafkaTransport(rig.broker, rig.transport_of_log).subscribe("g", [TOPIC, "ingest.inbox.v1"], "rig")
