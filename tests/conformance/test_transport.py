"""The conformance suite of a transport: whatever carries the log, the processor sees the same."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from libs.contracts import (
    CATALOGUE,
    PARTITIONS,
    ConversationContinued,
    Envelope,
    MessageReceived,
    StatusChanged,
    cloud_event_headers,
    pack,
    partition_of,
)
from libs.streams import EventsLost, Fenced, Place, Processor, Received, Record, TooManyDead, TopicPartition
from libs.streams import dead_letters as letters
from tests.support.kafka import need_kafka
from tests.support.rig import (
    SCHEMA,
    TOPIC,
    Behaviour,
    Context,
    Rig,
    counting_router,
    kafka_rig,
    message,
    postgres_rig,
)


@pytest.fixture(params=[postgres_rig, kafka_rig], ids=["postgres", "kafka"])
async def rig(request: pytest.FixtureRequest, in_ci: bool) -> AsyncIterator[Rig]:
    if request.param is kafka_rig:
        need_kafka(in_ci)
    async with request.param() as made:
        yield made


async def test_every_event_is_handled_once_in_the_order_of_its_key(rig: Rig) -> None:
    keys = [f"conversation-{i}" for i in range(40)]
    for seq in range(1, 6):
        await rig.publish(*(message(key, seq) for key in keys))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    seen = await rig.seen()
    assert {key: seen[key].trail for key in keys} == dict.fromkeys(keys, ",1,2,3,4,5")


async def test_numbers_are_dense_in_each_partition_under_concurrent_appends(rig: Rig) -> None:
    await asyncio.gather(
        *(rig.publish(*(message(f"k{writer}-{i}", 1) for i in range(20))) for writer in range(10))
    )
    rows = await rig.run_sql(
        "SELECT e.partition, count(*), min(e.number), max(e.number), max(c.number) FROM log.events e"
        " JOIN log.counters c USING (topic, partition) GROUP BY 1"
    )
    assert sum(int(str(row[1])) for row in rows) == 200
    assert all(row[1] == row[3] == row[4] and row[2] == 1 for row in rows)


async def test_a_key_keeps_its_partition_in_every_topic(rig: Rig) -> None:
    await rig.publish(message("same", 1), StatusChanged(conversation_id="same"))
    rows = await rig.run_sql("SELECT DISTINCT partition FROM log.events")
    assert rows == [(partition_of("same"),)]
    assert 0 <= partition_of("same") < PARTITIONS


async def test_two_members_share_the_partitions_and_handle_everything_once(rig: Rig) -> None:
    behaviour = Behaviour()
    first, second = (rig.member(counting_router("g", behaviour)) for _ in range(2))
    await rig.share(first, second)
    for seq in range(1, 4):
        await rig.publish(*(message(f"c{i}", seq) for i in range(60)))
    await rig.drain(first, second)
    assert first.claims.partitions.isdisjoint(second.claims.partitions)
    assert {s.trail for s in (await rig.seen()).values()} == {",1,2,3"}


async def test_an_owner_that_slept_too_long_is_fenced_and_changes_nothing(rig: Rig) -> None:
    asleep, woken = asyncio.Event(), asyncio.Event()
    router = counting_router("g", Behaviour())

    @router.prepare(MessageReceived)
    async def sleep(batch: Sequence[Received[MessageReceived]], _resources: object) -> Sequence[None]:
        asleep.set()
        await woken.wait()
        return [None] * len(batch)

    sleeper, heir = rig.member(router), rig.member(counting_router("g", Behaviour()))
    await rig.publish(*(message(f"c{i}", 1) for i in range(30)))
    await rig.carry()
    sleeping = asyncio.create_task(_round(sleeper))
    await asleep.wait()
    await rig.desert()
    async with asyncio.timeout(30):
        while not heir.claims.partitions:
            await heir.round(5)
    woken.set()
    with pytest.raises(Fenced):
        await sleeping
    sleeper.claims.forget()
    await rig.drain(heir, sleeper)
    assert {s.count for s in (await rig.seen()).values()} == {1}


async def _round(member: Processor[Context]) -> None:
    """One round that finds something."""
    while not await member.round(20):
        pass


async def test_a_restarted_member_goes_on_where_it_was(rig: Rig) -> None:
    await rig.publish(*(message(f"c{i}", 1) for i in range(10)))
    first = rig.member(counting_router("g", Behaviour()))
    await rig.drain(first)
    await first.leave()
    await rig.publish(*(message(f"c{i}", 2) for i in range(10)))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert {s.trail for s in (await rig.seen()).values()} == {",1,2"}


async def test_rows_handed_over_again_are_dropped_by_number(rig: Rig) -> None:
    await rig.publish(message("c", 1), message("c", 2))
    member = rig.member(counting_router("g", Behaviour()))
    await rig.drain(member)
    source = TopicPartition(TOPIC, partition_of("c"))
    again = await member.subscription.poll({source: Place(0)}, 10, 1_000_000, 1000)
    assert [record.number for record in again] == [1, 2]
    assert member.claims.fresh(again) == ([], 2)


async def test_a_jump_in_the_numbers_stops_the_group(rig: Rig) -> None:
    await rig.publish(*(message("c", seq) for seq in range(1, 5)))
    await rig.tamper({2: None})
    with pytest.raises(EventsLost, match="the next row is 3, expected 2"):
        await rig.drain(rig.member(counting_router("g", Behaviour())))


async def test_a_message_that_cannot_be_handled_becomes_a_dead_letter_and_the_next_of_its_key_goes_on(
    rig: Rig,
) -> None:
    await rig.publish(message("c", 1), message("c", 2, "poison"), message("c", 3), message("d", 1))
    await rig.drain(rig.member(counting_router("g", Behaviour(reject={"poison"}))))
    seen = await rig.seen()
    assert seen["c"].trail == ",1,3"
    assert seen["d"].trail == ",1"
    (letter,) = await rig.letters()
    assert letter.number == 2
    assert "refused 'poison'" in letter.error


async def test_a_corrupt_value_and_a_torn_envelope_are_dead_letters_and_an_unknown_type_is_skipped(
    rig: Rig,
) -> None:
    await rig.publish(message("c", 1), message("c", 2), message("c", 3), message("c", 4))
    broken = Envelope(b"x" * 16, 1, 1, "centralino.ingest.v1.MessageReceived", "c", "", b"\xff\xff\xff")
    newer = Envelope(b"y" * 16, 1, 1, "centralino.ingest.v9.Unheard", "c", "", b"")
    await rig.tamper({1: pack(broken), 2: pack(newer), 3: pack(newer)[:20]})
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert (await rig.seen())["c"].trail == ",4"
    assert [letter.number for letter in await rig.letters()] == [1, 3]


async def test_what_a_group_does_not_handle_is_passed_by_and_its_position_stored_later(rig: Rig) -> None:
    source = TopicPartition(TOPIC, partition_of("c"))

    async def stored() -> object:
        (row,) = await rig.run_sql(
            f"SELECT number FROM {SCHEMA}.positions WHERE group_name = 'g' AND topic = $1 AND partition = $2",
            *source,
        )
        return row[0]

    async def pass_by(count: int, until: int) -> None:
        await rig.publish(*(ConversationContinued(conversation_id="c") for _ in range(count)))
        await rig.carry()
        async with asyncio.timeout(30):
            while member.claims.positions[source].number < until:
                await member.round(20)

    await rig.publish(message("c", 1))
    member = rig.member(counting_router("g", Behaviour()), store_passed_seconds=600)
    await rig.drain(member)
    await pass_by(10, until=11)
    assert await stored() == 1, "a batch of them alone takes no transaction"
    await rig.publish(message("c", 2))
    await rig.drain(member)
    for _ in range(3):
        await member.round(20)
    assert await stored() == 12
    await pass_by(1, until=13)
    await member.leave()  # before it was stored: who comes next passes it by again, and stores it by itself
    heir = rig.member(counting_router("g", Behaviour()), store_passed_seconds=0)
    await rig.drain(heir)
    assert await stored() == 13
    await rig.publish(message("c", 3))
    await rig.drain(heir)
    assert (await rig.seen())["c"].trail == ",1,2,3"


async def test_a_transient_fault_is_tried_again_and_loses_nothing(rig: Rig) -> None:
    await rig.publish(*(message("c", seq) for seq in range(1, 4)))
    await rig.carry()
    stop = asyncio.Event()
    running = asyncio.create_task(rig.member(counting_router("g", Behaviour(unready=3))).run(stop))
    async with asyncio.timeout(30):
        while (await rig.seen()).get("c") is None:
            await asyncio.sleep(0.02)
    stop.set()
    await running
    assert (await rig.seen())["c"].trail == ",1,2,3"


async def test_a_group_stops_when_20_of_its_last_100_messages_died_and_resumes_on_request(rig: Rig) -> None:
    await rig.publish(*(message(f"c{i}", 1, "poison") for i in range(25)))
    behaviour = Behaviour(reject={"poison"})
    first = rig.member(counting_router("g", behaviour))
    with pytest.raises(TooManyDead, match="20 of the last 100"):
        await rig.drain(first)
    await first.leave()
    stop = asyncio.Event()
    await rig.run_sql(f"INSERT INTO {SCHEMA}.stopped_groups VALUES ('g', 0, 'too many')")
    member = rig.member(counting_router("g", behaviour))
    running = asyncio.create_task(member.run(stop))
    await rig.publish(message("later", 1))
    await rig.carry()
    await asyncio.sleep(0.5)
    assert "later" not in await rig.seen()
    assert member.stopped_because == "too many"
    behaviour.reject.clear()
    async with rig.database.begin() as uow:
        assert await letters.resume_group(uow.connection, SCHEMA, "g")
        await uow.commit()
    async with asyncio.timeout(30):
        while "later" not in await rig.seen():
            await asyncio.sleep(0.05)
    stop.set()
    await running


async def test_a_slow_consumer_takes_no_more_than_its_bounds_at_once(rig: Rig) -> None:
    await rig.publish(*(message(f"c{i}", 1, "x" * 100_000) for i in range(200)))
    await rig.carry()
    member = rig.member(counting_router("g", Behaviour()))
    while not member.claims.partitions:
        await member.claims.renew()
        await asyncio.sleep(0.01)
    rows = await member.subscription.poll(member.claims.places, 50, 1_000_000, 1000)
    assert 1 <= len(rows) <= 50
    assert sum(len(row.data) for row in rows) <= 1_000_000 + 12 * 100_200
    await rig.drain(member)
    assert len(await rig.seen()) == 200


async def test_who_is_about_to_stop_waits_no_longer_for_rows_and_what_comes_then_is_kept(rig: Rig) -> None:
    await rig.publish(message("c", 1))
    member = rig.member(counting_router("g", Behaviour()))
    await rig.drain(member)

    async def ten_minutes_at_most() -> list[Record]:
        return await member.subscription.poll(member.claims.places, 50, 1_000_000, 600_000)

    async with asyncio.timeout(30):
        while True:
            # It may come back without a row before its time, when partitions are given out anew.
            waiting = asyncio.create_task(ten_minutes_at_most())
            done, _ = await asyncio.wait({waiting}, timeout=0.2)
            if not done:
                break
            assert await waiting == []
        member.subscription.hurry()
        assert await waiting == []
        assert await ten_minutes_at_most() == []
    await member.leave()
    await rig.publish(message("c", 2))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert (await rig.seen())["c"].trail == ",1,2"


async def test_a_value_of_one_megabyte_passes(rig: Rig) -> None:
    await rig.publish(message("big", 1, "x" * 1_000_000), message("big", 2))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert (await rig.seen())["big"].count == 2


async def test_an_event_too_large_to_be_carried_is_refused_before_it_is_appended(rig: Rig) -> None:
    with pytest.raises(
        ValueError, match=r"MessageReceived of key big has 4,100,\d+ bytes, at most 4,000,000"
    ):
        await rig.publish(message("small", 1), message("big", 1, "x" * 4_100_000))
    await rig.publish(message("big", 1, "x" * 3_990_000), message("small", 2))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    assert {key: s.trail for key, s in (await rig.seen()).items()} == {"big": ",1", "small": ",2"}


async def test_what_handlers_emit_is_appended_in_the_same_transaction_with_ids_a_second_run_would_repeat(
    rig: Rig,
) -> None:
    await rig.publish(*(message("c", seq) for seq in range(1, 4)))
    first = rig.member(counting_router("g", Behaviour()))
    await rig.drain(first)
    await first.leave()
    await rig.rewind("g")
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    rows = await rig.run_sql(
        "SELECT substring(data FROM 2 FOR 16), count(*) FROM log.events e JOIN log.topics t ON t.id = e.topic"
        " WHERE t.name = 'triage.decisions.v1' GROUP BY 1"
    )
    assert [row[1] for row in rows] == [2, 2, 2]


async def test_a_new_group_starts_at_the_oldest_row(rig: Rig) -> None:
    await rig.publish(*(message("c", seq) for seq in range(1, 6)))
    await rig.retire(TopicPartition(TOPIC, partition_of("c")), 2)
    await rig.drain(rig.member(counting_router("late", Behaviour())))
    assert (await rig.seen())["c"].trail == ",3,4,5"


async def test_a_timer_is_delivered_once_when_due_and_not_when_cancelled(rig: Rig) -> None:
    member = rig.member(counting_router("g", Behaviour()))
    while not member.claims.partitions:
        await member.round(5)
    async with rig.database.begin() as uow:
        uow.set_timer("rig.wake", "a", uow.now_ms - 5, b"first")
        uow.set_timer("rig.wake", "b", uow.now_ms + 3_600_000, b"later")
        uow.set_timer("rig.wake", "c", uow.now_ms - 5, b"never")
        await uow.commit()
    async with rig.database.begin() as uow:
        uow.cancel_timer("rig.wake", "c")
        uow.set_timer("rig.wake", "a", uow.now_ms - 4, b"moved")
        await uow.commit()
    async with asyncio.timeout(10):
        while not await rig.seen():
            await member.round(20)
    await rig.drain(member)
    assert {key: s.trail for key, s in (await rig.seen()).items()} == {"a": ",timer:moved"}
    assert await rig.run_sql(f"SELECT key FROM {SCHEMA}.timers") == [("b",)]


async def test_a_timer_is_delivered_while_batches_follow_each_other_without_a_pause(rig: Rig) -> None:
    member = rig.member(counting_router("g", Behaviour()))
    await rig.publish(message("a", 1))
    await rig.drain(member)
    for seq in range(2, 102):
        await rig.publish(message("a", seq))
        await rig.carry()
        while not await member.round(50):
            pass
        if seq == 7:
            async with rig.database.begin() as uow:
                uow.set_timer("rig.wake", "b", uow.now_ms, b"due")
                await uow.commit()
        if "b" in await rig.seen():
            break
        await asyncio.sleep(0.02)
    assert (await rig.seen())["b"].trail == ",timer:due"


def test_the_envelope_becomes_cloudevents_headers_in_binary_mode() -> None:
    name = "centralino.ingest.v1.MessageReceived"
    envelope = Envelope(bytes(range(16)), 1_700_000_000_123, 3, name, "key", "00-a-b-01", b"payload")
    headers = dict(cloud_event_headers(envelope, 42))
    assert headers["ce_type"] == name.encode()
    assert headers["ce_source"] == b"/centralino/ingest"
    assert headers["ce_time"] == b"2023-11-14T22:13:20.123Z"
    assert headers["ce_sequence"] == b"42"
    assert headers["ce_subject"] == b"key"
    assert headers["content-type"] == b"application/protobuf"
    assert CATALOGUE[name].topic == TOPIC
