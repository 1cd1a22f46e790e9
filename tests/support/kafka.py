"""A real Kafka for tests: KAFKA_BOOTSTRAP if set, else one from its jars; every use has topics of its own prefix.

The one of KAFKA_BOOTSTRAP has to allow short sessions: group.min.session.timeout.ms=1000.
"""

import asyncio
import atexit
import itertools
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from libs.streams.broker import Broker
from services.cluster.kafka import LocalKafka, missing_tools

_numbers = itertools.count(1)
_server: LocalKafka | None = None


def need_kafka(in_ci: bool) -> None:
    """Skips where no broker can be had; in CI that is a failure."""
    lacking = "" if os.environ.get("KAFKA_BOOTSTRAP") else missing_tools()
    if lacking:
        assert not in_ci, lacking
        pytest.skip(lacking)


def bootstrap() -> str:
    """Address of the broker that the tests of this process share."""
    global _server
    given = os.environ.get("KAFKA_BOOTSTRAP")
    if given:
        return given
    if _server is None:
        folder = Path(tempfile.mkdtemp(prefix="centralino-kafka-"))
        # What waits for a dead member's session to end should not wait for the ten seconds of a real one.
        server = LocalKafka(folder, more={"group.min.session.timeout.ms": "1000"})
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(server.kill)
        server.start()
        _server = server
    return _server.bootstrap


def fresh_broker(**options: object) -> Broker:
    """The shared broker under a prefix that nobody else uses."""
    return Broker(bootstrap(), prefix=f"test{os.getpid()}x{next(_numbers)}.", **options)  # type: ignore[arg-type]


async def topics_of(broker: Broker, admin: AIOKafkaAdminClient) -> list[str]:
    """The topics of a fresh broker that are there."""
    return [name for name in await admin.list_topics() if name.startswith(broker.prefix)]


async def remove_topics(broker: Broker) -> None:
    """Removes the topics of a fresh broker, and returns once they are gone."""
    admin = AIOKafkaAdminClient(**broker.options())
    await admin.start()
    try:
        there = await topics_of(broker, admin)
        if there:
            await admin.delete_topics(there)
        while await topics_of(broker, admin):
            await asyncio.sleep(0.02)
    finally:
        await admin.close()
