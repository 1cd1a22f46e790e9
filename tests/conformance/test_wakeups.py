"""Wake-ups between processes that share a database: here two ends in one process, over a real PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from libs.contracts import PARTITIONS, TOPICS
from libs.runtime import SystemClock
from libs.runtime.wakeups import Wakeups
from libs.storage import Database
from libs.streams import Log, PostgresTransport, TopicPartition
from tests.support.rig import TOPIC, Rig, message, postgres_rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with postgres_rig() as made:
        yield made


@asynccontextmanager
async def _end(rig: Rig, *services: str) -> AsyncIterator[tuple[Wakeups, Log]]:
    """One process's end, with what it knows of the log; without services, all concern it."""
    every = {topic.producer for topic in TOPICS.values()}
    wakeups, stop = Wakeups(rig.url, services or every), asyncio.Event()
    log = Log(rig.engines.streams, appended=wakeups.appended)
    await log.start()
    running = asyncio.create_task(wakeups.run(log, stop))
    try:
        yield wakeups, log
    finally:
        stop.set()
        await running
        await log.stop()


async def _listens(rig: Rig) -> None:
    """Returns once the one end listens."""
    async with asyncio.timeout(10):
        while not await rig.run_sql(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'centralino wakeups'"
            " AND query LIKE '%pg_notify%' AND datname = current_database()"
        ):
            await asyncio.sleep(0.02)


async def _met(service: str, *ends: Wakeups) -> None:
    """Returns once the ends know each other, and have made good what they had not been told before."""
    async with asyncio.timeout(10):
        while any(end.others(service) < len(ends) - 1 for end in ends):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)


async def test_a_bell_rings_in_the_other_process_and_for_its_service_alone(rig: Rig) -> None:
    async with _end(rig) as (here, _), _end(rig) as (there, _):
        mine, theirs, others = here.bells("routing"), there.bells("routing"), there.bells("ingest")
        await _met("routing", here, there)
        key = ("thread", "c1")
        with theirs.listen(key) as bell, others.listen(key) as silent:
            await bell.wait(0.5)
            await silent.wait(0)
            mine.notify(key)
            assert await bell.wait(5)
            assert not await silent.wait(0.1)


async def test_who_rings_hears_it_once(rig: Rig) -> None:
    async with _end(rig) as (here, _):
        bells = here.bells("routing")
        await _listens(rig)
        with bells.listen("a") as bell:
            await bell.wait(0.5)
            bells.notify("a")
            assert await bell.wait(1)
            assert not await bell.wait(0.2)


async def test_an_append_is_known_elsewhere_long_before_the_next_poll(rig: Rig) -> None:
    async with _end(rig) as (here, mine), _end(rig) as (there, theirs):
        await _met(TOPICS[TOPIC].producer, here, there)
        await theirs.stop()  # its polls; what is left is the wake-up
        async with Database(rig.engines, rig.database.schema, SystemClock(), mine).begin() as uow:
            uow.emit(message("c", 1))
            await uow.commit()
        (rows,) = await rig.run_sql("SELECT partition FROM log.events")
        async with asyncio.timeout(5):
            while theirs.head(TopicPartition(TOPIC, int(str(rows[0])))) == 0:
                await asyncio.sleep(0.005)
        await theirs.start()


async def test_news_of_a_service_wake_nobody_whom_it_does_not_concern(rig: Rig) -> None:
    producer = TOPICS[TOPIC].producer
    other = next(topic.producer for topic in TOPICS.values() if topic.producer != producer)
    async with _end(rig) as (here, mine), _end(rig, other) as (there, theirs), _end(rig) as (third, seen):
        await _met(producer, here, third)
        await _met(other, here, there)
        await theirs.stop()
        await seen.stop()
        silent_bells, loud_bells = there.bells(producer), third.bells(producer)
        with silent_bells.listen("a") as silent, loud_bells.listen("a") as loud:
            await asyncio.gather(silent.wait(0.5), loud.wait(0.5))
            async with Database(rig.engines, rig.database.schema, SystemClock(), mine).begin() as uow:
                uow.emit(message("c", 1))
                await uow.commit()
            here.bells(producer).notify("a")
            assert await loud.wait(5)
            ((partition,),) = await rig.run_sql("SELECT partition FROM log.events")
            place = TopicPartition(TOPIC, int(str(partition)))
            async with asyncio.timeout(5):
                while seen.head(place) == 0:
                    await asyncio.sleep(0.005)
            assert not await silent.wait(0.1)
            assert theirs.head(place) == 0
        await theirs.start()
        await seen.start()


async def test_after_a_lost_connection_every_bell_rings_once(rig: Rig) -> None:
    async with _end(rig) as (here, _):
        bells = here.bells("routing")
        await _listens(rig)
        with bells.listen("a") as bell:
            await bell.wait(0.5)
            await rig.run_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'centralino wakeups'"
                " AND datname = current_database()"
            )
            assert await bell.wait(10)


async def test_many_bells_at_once_all_ring(rig: Rig) -> None:
    async with _end(rig) as (here, _), _end(rig) as (there, _):
        mine, theirs = here.bells("routing"), there.bells("routing")
        await _met("routing", here, there)
        keys = [f"feed:agent-{number:05}" for number in range(1000)]
        with theirs.listen(*keys[:1]) as first, theirs.listen(*keys[-1:]) as last:
            await asyncio.gather(first.wait(0.5), last.wait(0.5))
            for key in keys:
                mine.notify(key)
            assert await first.wait(5)
            assert await last.wait(5)


async def test_who_comes_later_is_told_what_was_appended_before_it_was_known(rig: Rig) -> None:
    async with _end(rig) as (here, mine):
        await _listens(rig)
        source = TopicPartition(TOPIC, 3)
        here.appended([(source, 7)])  # nobody is there to hear it
        mine.heard([(source, 7)])
        async with _end(rig) as (there, theirs):
            async with asyncio.timeout(5):
                while theirs.head(source) != 7:
                    await asyncio.sleep(0.005)
            assert here.others(TOPICS[TOPIC].producer) == there.others(TOPICS[TOPIC].producer) == 1


async def test_alone_it_tells_nothing(rig: Rig) -> None:
    producer = TOPICS[TOPIC].producer
    heard: list[str] = []
    listener = await asyncpg.connect(make_url(rig.url).set(drivername="postgresql").render_as_string(False))
    await listener.add_listener(f"centralino_{producer}", lambda *said: heard.append(said[-1]))
    async with _end(rig) as (here, _):
        await _listens(rig)
        here.appended([(TopicPartition(TOPIC, 3), 7)])
        here.bells(producer).notify("a")
        await asyncio.sleep(0.2)
        alone = [json.loads(said) for said in heard]
        async with _end(rig) as (there, _):
            await _met(producer, here, there)
            heard.clear()
            here.bells(producer).notify("b")
            async with asyncio.timeout(5):
                while not any('"rung": ["b"]' in said for said in heard):
                    await asyncio.sleep(0.005)
    await listener.close()
    assert len(alone) == 1, "that it is there, and nothing else"
    assert alone[0].keys() == {"from"}


async def test_heads_of_every_partition_at_once_are_all_heard(rig: Rig) -> None:
    async with _end(rig) as (here, _), _end(rig) as (there, theirs):
        await _met(TOPICS[TOPIC].producer, here, there)
        await theirs.stop()
        every = [TopicPartition(topic, partition) for topic in TOPICS for partition in range(PARTITIONS)]
        here.appended((source, 10_000_000_000 + index) for index, source in enumerate(every))
        here.appended((source, 1) for source in every)  # an older word does not take the newer back
        async with asyncio.timeout(5):
            while any(theirs.head(source) == 0 for source in every):
                await asyncio.sleep(0.005)
        assert [theirs.head(source) for source in every] == [10_000_000_000 + i for i in range(len(every))]
        await theirs.start()


async def test_with_one_reader_a_topic_is_told_of_what_others_read_alone_and_who_takes_over_looks(
    rig: Rig,
) -> None:
    told: list[TopicPartition] = []
    mine = Log(rig.engines.streams, appended=lambda heads: told.extend(s for s, _ in heads), one_reader=True)
    theirs = Log(rig.engines.streams, poll_seconds=600, one_reader=True)
    await mine.start()
    await theirs.start()
    try:
        database = Database(rig.engines, rig.database.schema, SystemClock(), mine)

        async def publish() -> set[int]:
            told.clear()
            async with database.begin() as uow:
                uow.emit(*(message(f"c{i}", 1) for i in range(100)))
                await uow.commit()
            return {source.partition for source in told}

        here, there = (
            PostgresTransport(rig.engines.streams, log, lease_seconds=1, process=name).subscribe(
                "relay", [TOPIC], rig.database.schema
            )
            for name, log in (("a", mine), ("b", theirs))
        )
        assert await publish() == set(range(PARTITIONS))
        assert len(await here.owned()) == PARTITIONS
        assert await publish() == set()
        async with asyncio.timeout(20):
            while [len(await end.owned()) for end in (here, there)] != [PARTITIONS // 2] * 2:
                await asyncio.sleep(0.05)
        for partition in range(PARTITIONS):
            source = TopicPartition(TOPIC, partition)
            assert theirs.head(source) == mine.head(source) > 0
        assert await publish() == await there.owned()
        await here.close()
        assert await publish() == set(range(PARTITIONS))
    finally:
        await mine.stop()
        await theirs.stop()
