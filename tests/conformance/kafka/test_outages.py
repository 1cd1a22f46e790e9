"""Brokers that go away and come back."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from libs.streams.broker import Broker
from services.cluster.kafka import LocalKafka
from tests.support.rig import (
    Behaviour,
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
