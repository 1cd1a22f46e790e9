"""Rows of the log stay as long as their topic's file says, and never leave before every reader has passed them."""

from collections.abc import AsyncIterator

import pytest

from libs.contracts import TOPICS, TeamChanged
from libs.streams.retention import retain
from tests.support.rig import Behaviour, Rig, counting_router, message, postgres_rig

TOPIC = "ingest.messages.v1"
DAY_MS = 86_400_000


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with postgres_rig() as made:
        yield made


async def _rows(rig: Rig, topic: str) -> int:
    rows = await rig.run_sql(
        "SELECT count(*) FROM log.events e JOIN log.topics t ON t.id = e.topic WHERE t.name = $1", topic
    )
    return int(str(rows[0][0]))


async def _clean(rig: Rig, days: float) -> dict[str, int]:
    return await retain(rig.engines.web, rig.log, rig.database.clock.now_ms() + int(days * DAY_MS))


async def test_rows_leave_when_they_are_old_and_every_reader_has_passed_them(rig: Rig) -> None:
    await rig.publish(*(message(f"c{i}", 1) for i in range(30)))
    await rig.drain(rig.member(counting_router("fast", Behaviour())))
    assert await _clean(rig, TOPICS[TOPIC].retention_days - 1) == {}
    gone = await _clean(rig, TOPICS[TOPIC].retention_days + 1)
    assert gone[TOPIC] == 30
    assert await _rows(rig, TOPIC) == 0


async def test_a_reader_that_has_not_come_by_holds_its_rows(rig: Rig) -> None:
    await rig.publish(*(message(f"c{i}", 1) for i in range(30)))
    slow = rig.member(counting_router("slow", Behaviour()))
    await slow.claims.renew()
    await rig.drain(rig.member(counting_router("fast", Behaviour())))
    await _clean(rig, 365)
    assert await _rows(rig, TOPIC) == 30
    await rig.drain(slow)
    assert (await _clean(rig, 365))[TOPIC] == 30


async def test_numbers_go_on_after_everything_has_left(rig: Rig) -> None:
    await rig.publish(message("c", 1))
    member = rig.member(counting_router("g", Behaviour()))
    await rig.drain(member)
    await _clean(rig, 365)
    await rig.publish(message("c", 2))
    await rig.drain(member)
    assert (await rig.seen())["c"].trail == ",1,2"


async def test_a_compacted_topic_keeps_the_newest_row_of_each_key(rig: Rig) -> None:
    for version in range(1, 4):
        await rig.publish(*(TeamChanged(team_id=f"t{i}", name="x", version=version) for i in range(5)))
    await rig.publish(TeamChanged(team_id="t0", name="newest", version=9))
    gone = await _clean(rig, 0)
    assert gone["routing.directory.v1"] == 11
    assert await _rows(rig, "routing.directory.v1") == 5
