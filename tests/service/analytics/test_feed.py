"""The outcome feed over HTTP: order, cursor, long poll, roles."""

import asyncio
import time

from libs.streams import Due
from libs.web import Broadcast
from services.analytics import publishing, retention
from services.analytics.context import PUBLISH, context_of
from services.analytics.service import definition
from services.analytics.settings import AnalyticsSettings
from tests.service.analytics.events import MINUTE, Life
from tests.support.harness import START_MS, ServiceUnderTest, running

AT = START_MS - 60 * MINUTE


async def _publish(service: ServiceUnderTest, *lives: Life) -> None:
    for life in lives:
        await service.publish(*life.until_resolved())
    await service.settle()
    service.clock.advance(600)
    await service.settle()


async def test_the_feed_gives_every_revision_once_in_order_by_cursor() -> None:
    lives = [Life(f"c{number}", AT) for number in range(7)]
    async with running(definition) as service:
        await _publish(service, *lives)
        seen: list[str] = []
        async with service.client("service", "crm") as client:
            cursor = ""
            for expected in (3, 3, 1, 0):
                page = (await client.get(f"/v1/outcomes?limit=3&after={cursor}")).json()
                assert len(page["items"]) == expected
                seen += [item["episode_id"] for item in page["items"]]
                cursor = page["next_cursor"]
            await service.publish(lives[2].answer(5))
            await service.settle()
            service.clock.advance(600)
            await service.settle()
            (newest,) = (await client.get(f"/v1/outcomes?after={cursor}")).json()["items"]
    assert sorted(seen) == [f"c{number}:1" for number in range(7)]
    assert (newest["episode_id"], newest["revision"], newest["csat_score"]) == ("c2:1", 2, 5)
    assert newest["resolved_at"].endswith("Z")


async def test_positions_of_the_feed_are_dense() -> None:
    async with running(definition) as service:
        await _publish(service, *[Life(f"c{number}", AT) for number in range(30)])
        async with service.database.read() as connection:
            result = await connection.exec_driver_sql(
                "SELECT count(*), min(position), max(position) FROM analytics.outcome_feed"
            )
            assert tuple(result.one()) == (30, 1, 30)


async def test_positions_stay_dense_and_appear_in_order_when_owners_publish_at_once() -> None:
    lives = [Life(f"c{number}", AT) for number in range(12)]
    async with running(definition) as service:
        for life in lives:
            await service.publish(*life.until_resolved())
        await service.settle()
        context = context_of(AnalyticsSettings(), Broadcast())

        async def publish(conversation_id: str) -> None:
            due = Due(PUBLISH, conversation_id, 0, b"", START_MS)
            async with service.database.begin() as uow:
                ctx = context(uow)
                for stage in (publishing.wanted, publishing.wanted_episodes):
                    for want in stage(due, ctx):
                        await want.rows.load([want.key])
                uow.emit(*publishing.publish(due, ctx))
                await uow.commit()

        async def watch() -> None:
            seen = 0
            while seen < len(lives):
                async with service.database.read() as connection:
                    result = await connection.exec_driver_sql(
                        "SELECT count(*), coalesce(max(position), 0) FROM analytics.outcome_feed"
                    )
                    seen, newest = tuple(result.one())
                assert seen == newest

        await asyncio.wait_for(asyncio.gather(watch(), *[publish(life.conversation) for life in lives]), 20)


async def test_a_waiting_reader_is_answered_as_soon_as_there_is_an_outcome() -> None:
    async with running(definition) as service, service.client("service", "crm") as client:
        started = time.monotonic()
        reader = asyncio.create_task(client.get("/v1/outcomes?wait=20"))
        await asyncio.sleep(0.2)
        assert not reader.done()
        await _publish(service, Life("c1", AT))
        page = (await reader).json()
    assert [item["episode_id"] for item in page["items"]] == ["c1:1"]
    assert time.monotonic() - started < 10


async def test_a_reader_who_waits_in_vain_gets_an_empty_page_and_the_same_cursor() -> None:
    async with running(definition) as service, service.client("service", "crm") as client:
        first = (await client.get("/v1/outcomes")).json()
        again = (await client.get(f"/v1/outcomes?wait=0.3&after={first['next_cursor']}")).json()
    assert again == first == {"items": [], "next_cursor": first["next_cursor"]}


async def test_the_newest_revision_and_all_revisions_of_an_episode_can_be_read() -> None:
    life = Life("c1", AT)
    async with running(definition) as service:
        await _publish(service, life)
        await service.publish(life.answer(2))
        await service.settle()
        service.clock.advance(600)
        await service.settle()
        async with service.client("supervisor") as client:
            newest = (await client.get("/v1/outcomes/c1:1")).json()
            revisions = (await client.get("/v1/outcomes/c1:1/revisions")).json()["items"]
    assert newest == revisions[-1]
    assert [one["revision_cause"] for one in revisions] == ["resolved", "answered"]


async def test_an_unknown_episode_is_not_found() -> None:
    async with running(definition) as service, service.client("supervisor") as client:
        for episode_id in ("c9:1", "c1", "c1:99999999999", "c1:x", ":1"):
            for path in (episode_id, f"{episode_id}/revisions"):
                answer = await client.get(f"/v1/outcomes/{path}")
                assert answer.status_code == 404, path
                assert answer.json()["type"] == "urn:centralino:problem:not-found"


async def test_agents_visitors_and_strangers_do_not_read_the_feed() -> None:
    async with running(definition) as service:
        statuses = []
        for role in ("agent", "customer", None):
            async with service.client(role) as client:
                statuses.append((await client.get("/v1/outcomes")).status_code)
        async with service.client("admin") as client:
            statuses.append((await client.get("/v1/outcomes")).status_code)
    assert statuses == [403, 403, 401, 200]


async def test_a_request_that_makes_no_sense_is_refused() -> None:
    async with running(definition) as service, service.client("service") as client:
        statuses = [
            (await client.get(f"/v1/outcomes?{query}")).status_code
            for query in ("after=nonsense", "wait=31", "limit=0", "limit=1001", "wait=NaN")
        ]
    assert statuses == [400, 422, 422, 422, 422]


async def test_retention_takes_superseded_revisions_and_never_the_newest() -> None:
    life = Life("c1", AT)
    settings = AnalyticsSettings(feed_days=1)
    async with running(definition, settings, tasks=False) as service:
        await _publish(service, life)
        await service.publish(life.answer(2))
        await service.settle()
        service.clock.advance(600)
        await service.settle()
        assert (await retention.prune(service.database, settings)).revisions == 0
        service.clock.advance(2 * 86_400_000)
        assert (await retention.prune(service.database, settings)).revisions == 1
        assert (await retention.prune(service.database, settings)).revisions == 0
        async with service.client("service") as client:
            items = (await client.get("/v1/outcomes")).json()["items"]
    assert [item["revision"] for item in items] == [2]


async def test_retention_takes_the_facts_behind_final_outcomes_and_a_late_fact_changes_nothing() -> None:
    life = Life("c1", AT)
    settings = AnalyticsSettings(facts_days=1)
    async with running(definition, settings, tasks=False) as service:
        await service.publish(*life.until_resolved(), life.invitation(), life.answer(5))
        await service.settle()
        for _ in range(3):
            service.clock.advance(15 * 86_400_000)
            await service.settle()
        assert len(await service.events("ConversationOutcome")) == 1
        assert (await retention.prune(service.database, settings)).conversations == 1
        await service.publish(*life.replies(), life.answer(1, revision=9))
        service.clock.advance(600)
        await service.settle()
        async with service.client("service") as client:
            newest = (await client.get("/v1/outcomes/c1:1")).json()
    assert (newest["revision"], newest["final"], newest["csat_score"]) == (1, True, 5)
