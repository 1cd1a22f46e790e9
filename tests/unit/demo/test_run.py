"""What holds a run together."""

import asyncio

import pytest

from services.demo.office import faster
from services.demo.run import Plan
from services.demo.stories import Story, Turn
from services.demo.together import Together

DIRECTORY = {
    "teams": [{"id": "billing", "name": "Billing"}],
    "queues": [{"id": "billing", "offer_timeout_ms": 30_000, "affinity_hold_ms": 60_000, "sla": {}}],
    "capacities": [{"id": "default", "budget": 6, "interruptible_budget": 4, "channels": []}],
}


async def test_the_first_failure_ends_the_run_and_what_else_was_spawned():
    ended = asyncio.Event()

    async def work_for_ever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        async with Together() as together:
            together.spawn(work_for_ever())
            together.spawn(fail())
            await together.until(asyncio.sleep(60))
    assert ended.is_set()


async def test_a_run_without_failure_gives_what_its_main_part_returns():
    async def three() -> int:
        await asyncio.sleep(0)
        return 3

    async with Together() as together:
        together.spawn(asyncio.sleep(60))
        assert await together.until(three()) == 3


def test_a_faster_office_keeps_the_rules_and_doing_it_twice_changes_nothing():
    once = faster(DIRECTORY)
    assert once["teams"] == DIRECTORY["teams"]
    assert once["queues"][0]["sla"] == {}
    assert once["queues"][0]["offer_timeout_ms"] < 30_000
    assert [(one["id"], one["budget"]) for one in once["capacities"]] == [
        ("default", 6),
        ("senior", 9),
        ("junior", 3),
    ]
    assert faster(once) == once


def test_the_day_of_a_plan_follows_the_rate_or_the_seconds():
    stories = [Story(str(n), "web", "en", "Ada", (Turn("start", "hi"),)) for n in range(50)]
    assert Plan(stories, rate=5).day().seconds == 10
    assert Plan(stories, seconds=7).day().seconds == 7
    assert len(Plan(stories, seconds=7).day().arrivals_s) == 50
