"""The outcome topic keeps the newest revision of each episode, and whoever reads it is not stopped by what has gone."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from google.protobuf.message import Message

from libs.contracts import PARTITIONS, TOPICS, ConversationOutcome, unpack
from libs.runtime import SystemClock
from libs.streams import Processor, Received, StreamRouter, Subscriber
from libs.streams.broker import Broker, read_through
from libs.streams.kafka_topics import settings_of
from libs.streams.relay import Relay
from tests.support.rig import SEEN, Context, KafkaRig, Seen

OUTCOMES = "analytics.outcomes.v1"
EPISODES, REVISIONS = 6, 20
QUICK = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "100"}


def _outcomes(group: str) -> StreamRouter[Context]:
    router = StreamRouter[Context](group=group)

    @router.on(ConversationOutcome, load=lambda e, ctx: [ctx.seen.want(f"{group} {e.episode_id}")])
    async def note(received: Received[ConversationOutcome], ctx: Context) -> Sequence[Message]:
        key = f"{group} {received.event.episode_id}"
        old = ctx.seen.get(key) or Seen(key, 0, "")
        ctx.seen.put(replace(old, count=received.event.revision))
        return []

    return router


async def _made(broker: Broker) -> None:
    """The topic as it is declared, but cleaned as soon as can be."""
    admin = AIOKafkaAdminClient(**broker.options())
    await admin.start()
    try:
        settings = settings_of(TOPICS[OUTCOMES]) | QUICK
        await admin.create_topics([NewTopic(broker.topic(OUTCOMES), PARTITIONS, 1, topic_configs=settings)])
    finally:
        await admin.close()


async def _kept(broker: Broker) -> list[tuple[str, int]]:
    rows = [unpack(row.data) async for row in read_through(broker, OUTCOMES)]
    events = [ConversationOutcome.FromString(row.payload) for row in rows]
    return sorted((event.episode_id, event.revision) for event in events)


@pytest.mark.slow
async def test_old_revisions_go_and_readers_pass_over_the_gaps(rig: KafkaRig) -> None:
    await _made(rig.broker)
    relay = Relay(OUTCOMES, rig.database, rig.transport_of_log, rig.broker)
    early = _member(rig, "early")

    async def told(revision: int) -> None:
        await rig.publish(
            *(ConversationOutcome(episode_id=f"c{i}:1", revision=revision) for i in range(EPISODES))
        )
        while not await relay.round(20):
            pass

    await told(1)
    await _read(rig, early, "early", 1)
    for revision in range(2, REVISIONS):
        await told(revision)
    async with asyncio.timeout(150):
        while len(await _kept(rig.broker)) >= EPISODES * (REVISIONS - 1) - EPISODES:
            # The segment that is written to is never cleaned, and is closed by a row that comes later.
            await asyncio.sleep(1)
    await told(REVISIONS)
    kept = await _kept(rig.broker)
    assert {(f"c{i}:1", REVISIONS) for i in range(EPISODES)} <= set(kept)
    await _read(rig, early, "early", REVISIONS)
    await _read(rig, _member(rig, "late"), "late", REVISIONS)
    await relay.close()


def _member(rig: KafkaRig, group: str) -> Processor[Context]:
    subscriber = Subscriber(_outcomes(group), lambda uow: Context(uow, uow.rows(SEEN)))
    made = Processor(subscriber, rig.database, rig.transport, SystemClock())
    rig.members.append(made)
    return made


async def _read(rig: KafkaRig, member: Processor[Context], group: str, revision: int) -> None:
    """Runs a reader until it has seen that revision of every episode."""
    async with asyncio.timeout(60):
        while True:
            await member.round(20)
            seen = await rig.seen()
            if all((one := seen.get(f"{group} c{i}:1")) and one.count == revision for i in range(EPISODES)):
                return
