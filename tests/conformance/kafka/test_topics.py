"""Topics on a broker: made, changed, refused, and missed by a group."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from libs.contracts import PARTITIONS, TOPICS
from libs.streams import Retry, TopicsRefused
from libs.streams.broker import Broker
from libs.streams.kafka_topics import apply_topics, settings_of
from tests.support.kafka import remove_topics, topics_of
from tests.support.rig import (
    TOPIC,
    Behaviour,
    KafkaRig,
    counting_router,
    message,
)


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
