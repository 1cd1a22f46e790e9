"""A log that was restored from a back-up: its numbers are given out again, and nothing is taken for what it is not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from libs.contracts import ConversationTriaged, TeamChanged, unpack
from libs.runtime import SystemClock
from libs.storage import async_url
from libs.streams import (
    EventsLost,
    LogRestored,
    Processor,
    Received,
    Record,
    StillRunning,
    StreamRouter,
    Subscriber,
    generations,
)
from libs.streams.broker import Broker, read_through
from libs.streams.kafka import KafkaTransport
from libs.streams.kafka_topics import apply_topics
from libs.streams.relay import Relay
from tests.support.kafka import fresh_broker, need_kafka
from tests.support.rig import (
    SCHEMA,
    SEEN,
    TOPIC,
    Behaviour,
    Context,
    KafkaRig,
    Seen,
    counting_router,
    kafka_rig,
    message,
)

DECISIONS, DIRECTORY = "triage.decisions.v1", "routing.directory.v1"


@pytest.fixture(autouse=True)
def kafka_there(in_ci: bool) -> None:
    need_kafka(in_ci)


@asynccontextmanager
async def _by_operator(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(async_url(url))
    try:
        async with engine.begin() as connection:
            await generations.refuse_while_running(connection)
            yield connection
    finally:
        await engine.dispose()


async def _later(connection: AsyncConnection, broker: Broker, topic: str) -> list[Record]:
    _, heads = await generations.heads(connection, [topic])
    return generations.beyond([row async for row in read_through(broker, topic)], heads)


async def _cut(url: str, broker: Broker, topic: str = TOPIC) -> list[Record]:
    """What the command does where one database holds everything."""
    now_ms = SystemClock().now_ms()
    async with _by_operator(url) as connection:
        later = await _later(connection, broker, topic)
        generation = await generations.begin(connection, now_ms)
        await generations.cut(connection, generation, [topic])
        if topic == DIRECTORY:
            await generations.repeat_newest(connection, later, generation, now_ms)
    return later


async def _gone(rig: KafkaRig) -> None:
    """Everybody has left: what the rig has is as lost as its database."""
    for one in rig.members:
        await one.leave()
    rig.members.clear()
    await rig.relay.close()


async def test_readers_that_were_restored_with_the_log_pass_over_what_came_after_the_back_up() -> None:
    async with kafka_rig() as before:
        member, late = (before.member(counting_router(group, Behaviour())) for group in ("g", "late"))
        await before.publish(message("c", 1))
        await before.drain(member)
        await before.drain(late)
        await before.publish(message("c", 2), message("c", 3))
        await before.drain(member)
        await _gone(before)
        copied = await before.back_up()
        await before.publish(message("c", 4), message("c", 5), message("d", 1))
        await before.drain(before.member(counting_router("g", Behaviour())))
        await _gone(before)
        assert {unpack(row.data).key for row in await _cut(copied, before.broker)} == {"c", "d"}
        async with kafka_rig(before.broker, copied) as after:
            await after.publish(message("c", 4), message("e", 1))
            await after.drain(after.member(counting_router("g", Behaviour())))
            assert {key: seen.trail for key, seen in (await after.seen()).items()} == {
                "c": ",1,1,2,3,4",
                "e": ",1",
            }
            await after.drain(after.member(counting_router("late", Behaviour())))
            await after.drain(after.member(counting_router("new", Behaviour())))
            seen = await after.seen()
            assert (seen["c"].trail, seen["e"].count) == (",1,1,2,3,4,2,3,4,1,2,3,4", 3)
            assert "d" not in seen


async def test_a_log_that_was_restored_sends_nothing_until_its_new_generation_has_begun() -> None:
    async with kafka_rig() as before:
        await before.publish(message("c", 1), message("d", 1))
        await before.carry()
        await _gone(before)
        copied = await before.back_up()
        await before.publish(message("c", 2))
        await before.carry()
        await _gone(before)
        async with kafka_rig(before.broker, copied) as after:
            await after.publish(message("d", 2), message("d", 3))
            for _ in range(2):
                with pytest.raises(
                    LogRestored, match=r"ends with row 2 of generation 1, .* row 1 of generation 1"
                ):
                    await after.relay.round()
            stop = asyncio.Event()
            running = asyncio.create_task(after.relay.run(stop))
            async with asyncio.timeout(20):
                while after.relay.trouble is None:
                    await asyncio.sleep(0.05)
            stop.set()
            await running
            assert "run `centralino log new-generation`" in after.relay.trouble
            assert len([row async for row in read_through(after.broker, TOPIC)]) == 3


async def test_a_row_that_is_missing_behind_the_cut_is_noticed() -> None:
    async with kafka_rig() as before:
        await before.publish(message("c", 1))
        await before.drain(before.member(counting_router("g", Behaviour())))
        await _gone(before)
        copied = await before.back_up()
        await _cut(copied, before.broker)
        async with kafka_rig(before.broker, copied) as after:
            await after.tamper({2: None})
            await after.publish(message("c", 2), message("c", 3))
            with pytest.raises(EventsLost, match=r"the next row is 3, expected 2"):
                await after.drain(after.member(counting_router("g", Behaviour())))


async def test_a_back_up_that_is_restored_twice_begins_two_generations() -> None:
    async with kafka_rig() as before:
        await before.publish(message("c", 1))
        await before.drain(before.member(counting_router("g", Behaviour())))
        await _gone(before)
        first, second = await before.back_up(), await before.back_up()
        await _cut(first, before.broker)
        async with kafka_rig(before.broker, first) as lost:
            await lost.publish(message("c", 20))
            await lost.carry()
            await _gone(lost)
            async with _by_operator(second) as connection:
                made = await generations.begin(connection, SystemClock().now_ms() + 60_000)
                await generations.cut(connection, made, [TOPIC])
            async with kafka_rig(before.broker, second) as after:
                await after.publish(message("c", 2))
                await after.drain(after.member(counting_router("g", Behaviour())))
                assert (await after.seen())["c"].trail == ",1,2"


async def test_a_compacted_topic_ends_with_the_true_row_of_each_key() -> None:
    broker = fresh_broker()
    await apply_topics(broker, names=[DIRECTORY])
    async with kafka_rig(broker) as before:

        async def carried(rig: KafkaRig) -> None:
            relay = Relay(DIRECTORY, rig.database, rig.transport_of_log, rig.broker)
            while await relay.round(5):
                pass
            await relay.round(5)
            await relay.close()

        await before.publish(TeamChanged(team_id="t", name="old"), TeamChanged(team_id="u", name="other"))
        await carried(before)
        copied = await before.back_up()
        await before.publish(TeamChanged(team_id="t", name="withdrawn"))
        await carried(before)
        await _gone(before)
        await _cut(copied, broker, DIRECTORY)
        async with kafka_rig(broker, copied) as after:
            await carried(after)
            rows = [unpack(row.data) async for row in read_through(broker, DIRECTORY)]
            names = [TeamChanged.FromString(row.payload).name for row in rows if row.key == "t"]
            assert names == ["old", "withdrawn", "old"]
            assert len(rows) == 4


def _downstream() -> StreamRouter[Context]:
    router = StreamRouter[Context](group="down")

    @router.on(ConversationTriaged, load=lambda e, ctx: [ctx.seen.want(f"down-{e.conversation_id}")])
    async def note(received: Received[ConversationTriaged], ctx: Context) -> Sequence[Message]:
        key = f"down-{received.event.conversation_id}"
        old = ctx.seen.get(key) or Seen(key, 0, "")
        ctx.seen.put(replace(old, count=old.count + 1, trail=f"{old.trail},{received.event.message_seq}"))
        return []

    return router


async def _read_down(rig: KafkaRig, wanted: int) -> str:
    """Runs a reader of another service in the rig's database until it has so many, and a little longer; its trail."""
    subscriber = Subscriber(_downstream(), lambda uow: Context(uow, uow.rows(SEEN)))
    down = Processor(subscriber, rig.database, KafkaTransport(rig.broker, rig.transport), SystemClock())
    quiet = 0
    while quiet < 10:
        quiet = (
            0
            if await down.round(50)
            else quiet + ("down-c" in (seen := await rig.seen()) and seen["down-c"].count >= wanted)
        )
    await down.leave()
    return (await rig.seen())["down-c"].trail


async def _answer(rig: KafkaRig, source: KafkaRig) -> None:
    """A service with a database of its own reads the messages of another, and its relay tells what it decided."""
    await source.carry()
    member = rig.member(counting_router("g", Behaviour()))
    behind = True
    while behind:
        await member.round(20)
        rows = await source.run_sql(
            "SELECT sum(number)::bigint FROM log.counters c JOIN log.topics t ON t.id = c.topic WHERE t.name = $1",
            TOPIC,
        )
        read = await rig.run_sql(
            f"SELECT sum(greatest(number, 0))::bigint FROM {SCHEMA}.positions WHERE group_name = 'g'"
        )
        behind = rows != read
    relay = Relay(DECISIONS, rig.database, rig.transport_of_log, rig.broker)
    while await relay.round(20):
        pass
    await relay.round(20)
    await relay.close()
    await _gone(rig)


async def test_a_service_restored_alone_catches_up_from_the_topics_and_tells_nothing_twice() -> None:
    async with kafka_rig() as source, kafka_rig(source.broker) as before:
        await apply_topics(source.broker, names=[DECISIONS])
        await source.publish(*(message("c", seq) for seq in range(1, 4)))
        await _answer(before, source)
        assert await _read_down(source, 3) == ",1,2,3"
        copied = await before.back_up()
        await source.publish(*(message("c", seq) for seq in range(4, 7)))
        await _answer(before, source)
        assert await _read_down(source, 6) == ",1,2,3,4,5,6"
        now_ms = SystemClock().now_ms()
        async with _by_operator(copied) as connection:
            later = await _later(connection, source.broker, DECISIONS)
            assert len(later) == 3
            await generations.recover(connection, SCHEMA, f"relay.{DECISIONS}", later, now_ms)
            await generations.begin(connection, now_ms)
        async with kafka_rig(source.broker, copied) as after:
            await source.publish(message("c", 7))
            await _answer(after, source)
            assert (await after.seen())["c"].trail == ",1,2,3,4,5,6,7"
            assert await _read_down(source, 7) == ",1,2,3,4,5,6,7"


async def test_a_log_in_use_is_left_as_it_is() -> None:
    async with kafka_rig() as rig:
        await rig.publish(message("c", 1))
        await rig.carry()
        with pytest.raises(
            StillRunning, match=r"groups relay\.ingest.* of a running service are on this database"
        ):
            async with _by_operator(rig.url):
                pass
        await _gone(rig)
        with pytest.raises(StillRunning, match=r"sessions of a running service"):
            async with _by_operator(rig.url):
                pass
