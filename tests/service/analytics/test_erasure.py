"""Outcomes of a customer who is forgotten get a revision without the person, and late facts bring nobody back."""

from typing import Any

from libs.contracts import CustomerErased, EpisodeOpened
from libs.storage import fetch_all
from services.analytics.service import definition
from services.analytics.settings import AnalyticsSettings
from tests.service.analytics.events import Life
from tests.service.analytics.test_summary import AT, _settle
from tests.support.harness import ServiceUnderTest, running


async def _revisions(service: ServiceUnderTest, conversation: str) -> list[tuple[Any, ...]]:
    events = [e for e in await service.events("ConversationOutcome") if e.conversation_id == conversation]
    return sorted((e.revision, e.revision_cause, e.customer_id, e.final) for e in events)


async def test_an_erasure_revises_every_outcome_once_and_for_ever() -> None:
    open_life, done_life, late_life = Life("open", AT), Life("done", AT), Life("late", AT)
    settings = AnalyticsSettings(reopen_window_days=0.01)
    async with running(definition, settings) as service:
        await _settle(service, *done_life.until_resolved(), done_life.invitation(), done_life.answer(5))
        service.clock.advance(30 * 86_400_000)
        await _settle(service)
        assert (await _revisions(service, "done"))[-1][3], "it is final"
        told = [e for e in open_life.until_resolved() if type(e).__name__ != "ConversationResolved"]
        await _settle(service, *told)
        before = await _revisions(service, "done")
        assert {one[2] for one in before} == {"k1"}
        await _settle(service, CustomerErased(customer_id="k1"))
        last = (await _revisions(service, "done"))[-1]
        assert last == (before[-1][0] + 1, "erased", "", True)
        rest = [e for e in open_life.until_resolved() if type(e).__name__ == "ConversationResolved"]
        await _settle(service, *rest, *late_life.until_resolved())
        for conversation in ("open", "late"):
            assert {one[2] for one in await _revisions(service, conversation)} == {""}, conversation
        await _settle(service, CustomerErased(customer_id="k1"))
        assert (await _revisions(service, "done"))[-1] == last, "forgotten twice is forgotten once"
        async with service.database.read() as connection:
            for table in ("episodes", "conversations", "outcome_feed"):
                rows = await fetch_all(
                    connection, f"SELECT count(*) FROM analytics.{table} t WHERE t::text LIKE '%\"k1\"%'"
                )
                assert rows == [(0,)], table
    assert any(isinstance(e, EpisodeOpened) and e.customer_id == "k1" for e in late_life.until_resolved())
