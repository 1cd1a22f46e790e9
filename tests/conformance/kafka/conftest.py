"""What the tests of the Kafka transport share: a broker that is there, a rig on it, topics of its own."""

from collections.abc import AsyncIterator

import pytest

from libs.streams.broker import Broker
from tests.support.kafka import fresh_broker, need_kafka, remove_topics
from tests.support.rig import (
    KafkaRig,
    kafka_rig,
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
