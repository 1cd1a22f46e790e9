"""Figures over HTTP: each by its own clock, with n and interval, and the way down to the episodes."""

from typing import Any

from libs.contracts import DeliveryFailed, PersonChanged, PresenceChanged, PresenceState, TeamChanged
from libs.storage import fetch_all
from libs.web import encode_cursor
from services.analytics.adapters.records import rfc3339
from services.analytics.service import definition
from services.analytics.settings import AnalyticsSettings
from tests.service.analytics.events import MINUTE, Life
from tests.support.harness import START_MS, ServiceUnderTest, running

AT = START_MS - 60 * MINUTE


async def _settle(service: ServiceUnderTest, *events: Any) -> None:
    for start in range(0, len(events), 200):
        await service.publish(*events[start : start + 200])
    await service.settle()
    service.clock.advance(600)
    await service.settle()


async def _summary(service: ServiceUnderTest, query: str = "") -> dict[str, Any]:
    async with service.client("supervisor") as client:
        answer = await client.get(f"/v1/summary?{query}")
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    return summary


def _group(summary: dict[str, Any], key: str) -> dict[str, Any]:
    return next(group for group in summary["groups"] if group["key"] == key)


async def test_means_are_sums_by_counts_and_never_means_of_means() -> None:
    fast = [Life(f"f{n}", AT, team="orders", wait_min=2) for n in range(9)]
    slow = [Life("s1", AT, team="billing", wait_min=10)]
    async with running(definition) as service:
        await _settle(service, *[event for life in fast + slow for event in life.until_resolved()])
        total = (await _summary(service))["total"]
    assert total["wait"]["mean_ms"] == 2.8 * MINUTE
    assert (total["wait"]["n"], total["wait"]["median_ms"]) == (10, 2 * MINUTE)


async def test_groups_have_names_volume_times_promises_and_satisfaction() -> None:
    lives = [Life(f"b{n}", AT) for n in range(6)]
    late = Life("o1", AT, team="orders", topic="delivery", reply_min=15)
    async with running(definition) as service:
        await _settle(
            service,
            TeamChanged(team_id="billing", name="Billing", version=1),
            PersonChanged(person_id="anna", name="Anna", version=1),
            *[event for life in [*lives, late] for event in life.until_resolved()],
            *[life.invitation() for life in lives],
            *[life.answer(score) for life, score in zip(lives[:5], (5, 5, 4, 5, 1), strict=True)],
        )
        summary = await _summary(service)
    billing, orders = _group(summary, "billing"), _group(summary, "orders")
    assert billing["name"] == "Billing"
    assert (billing["volume"]["n"], billing["volume"]["opened"]) == (6, 6)
    assert (billing["csat"]["n"], billing["csat"]["top2"], billing["csat"]["mean_score"]) == (5, 0.8, 4.0)
    assert (round(billing["csat"]["low"], 4), round(billing["csat"]["high"], 4)) == (0.3755, 0.9638)
    assert (billing["response_rate"]["part"], billing["response_rate"]["n"]) == (5, 6)
    assert billing["sla_first_response"]["rate"] == 1.0
    assert (orders["sla_first_response"]["part"], orders["sla_first_response"]["n"]) == (0, 1)
    assert orders["csat"] == {
        "n": 0,
        "hidden": False,
        "top2": None,
        "low": None,
        "high": None,
        "mean_score": None,
        "cohort": "answered in the period",
    }
    assert summary["total"]["volume"]["n"] == 7
    assert billing["first_response"]["clock"].startswith("calendar")
    assert billing["reopen"]["immature"]


async def test_satisfaction_of_few_is_hidden_unless_asked_for() -> None:
    lives = [Life(f"b{n}", AT) for n in range(4)]
    async with running(definition) as service:
        await _settle(
            service,
            *[
                event
                for life in lives
                for event in [*life.until_resolved(), life.invitation(), life.answer(5)]
            ],
        )
        hidden = (await _summary(service))["total"]["csat"]
        shown = (await _summary(service, "min_n=4"))["total"]["csat"]
    assert (hidden["n"], hidden["hidden"], hidden["top2"]) == (4, True, None)
    assert (shown["n"], shown["hidden"], shown["top2"]) == (4, False, 1.0)


async def test_a_survey_that_bounced_is_not_in_the_response_rate() -> None:
    lives = [Life("b1", AT), Life("b2", AT)]
    async with running(definition) as service:
        await _settle(
            service, *[event for life in lives for event in [*life.until_resolved(), life.invitation()]]
        )
        await _settle(
            service,
            lives[0].answer(5),
            DeliveryFailed(conversation_id="b2", source_id="i-b2-1", failed_at_ms=AT),
        )
        rate = (await _summary(service))["total"]["response_rate"]
    assert (rate["part"], rate["n"]) == (1, 1)


async def test_open_episodes_stand_beside_what_was_resolved() -> None:
    waiting, done = Life("w1", AT - 30 * MINUTE), Life("d1", AT)
    async with running(definition) as service:
        await _settle(
            service,
            *done.until_resolved(),
            *waiting.messages(),
            *waiting.signals(),
            waiting.opening(),
            waiting.assignments()[0],
        )
        total = (await _summary(service))["total"]
    assert (total["backlog"]["n"], total["backlog"]["unanswered"]) == (1, 1)
    assert total["backlog"]["oldest_opened_at"] is not None
    assert (total["volume"]["n"], total["volume"]["opened"]) == (1, 2)
    assert total["first_response"]["n"] == 1


async def test_each_figure_is_counted_by_its_own_clock() -> None:
    life = Life("c1", AT, reply_min=5, resolve_min=30)
    between = START_MS - 45 * MINUTE
    async with running(definition) as service:
        await _settle(service, *life.until_resolved())
        early = (await _summary(service, f"from={_iso(AT)}&to={_iso(between)}"))["total"]
        late = (await _summary(service, f"from={_iso(between)}&to={_iso(START_MS)}"))["total"]
    assert (early["first_response"]["n"], early["resolution"]["n"], early["volume"]["opened"]) == (1, 0, 1)
    assert (late["first_response"]["n"], late["resolution"]["n"], late["volume"]["opened"]) == (0, 1, 0)


def _iso(at_ms: int) -> str:
    return rfc3339(at_ms) or ""


async def test_percentiles_of_many_come_from_histograms_within_their_error() -> None:
    lives = [Life(f"c{n}", AT, wait_min=n + 1) for n in range(20)]
    events = [event for life in lives for event in life.until_resolved()]
    async with running(definition, AnalyticsSettings(exact_rows=5)) as service:
        await _settle(service, *events)
        wait = (await _summary(service))["total"]["wait"]
    assert wait["method"] == "histogram"
    assert wait["mean_ms"] == 10.5 * MINUTE
    assert abs(wait["median_ms"] / (10 * MINUTE) - 1) <= wait["relative_error"] + 0.001
    assert abs(wait["p90_ms"] / (18 * MINUTE) - 1) <= wait["relative_error"] + 0.001


async def test_the_groups_of_every_dimension_add_up_to_the_total() -> None:
    lives = [Life(f"a{n}", AT) for n in range(3)] + [Life("b", AT, team="orders", topic="x", channel="mail")]
    async with running(definition) as service:
        await _settle(service, *[event for life in lives for event in life.until_resolved()])
        for by in ("team", "topic", "channel", "language"):
            summary = await _summary(service, f"by={by}")
            assert (
                sum(group["volume"]["n"] for group in summary["groups"])
                == summary["total"]["volume"]["n"]
                == 4
            )


async def test_an_empty_platform_has_a_summary_that_says_no_data() -> None:
    async with running(definition) as service:
        summary = await _summary(service)
    assert summary["groups"] == []
    assert summary["from"] < summary["to"]
    assert summary["total"]["wait"]["median_ms"] is None
    assert summary["total"]["reopen"]["rate"] is None


async def test_a_period_that_makes_no_sense_is_refused() -> None:
    queries = (
        "by=agent",
        "from=yesterday",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2026-01-01T00:00:00",
        "min_n=0",
        "to=9999-12-31T23:59:59.999999Z&from=9999-12-30T00:00:00Z",
        "to=9999-12-31T23:59:59-12:00&from=9999-12-30T00:00:00Z",
        "from=0001-01-01T00:00:00%2B14:00",
    )
    async with running(definition) as service, service.client("supervisor") as client:
        for query in queries:
            assert (await client.get(f"/v1/summary?{query}")).status_code == 422, query


async def test_episodes_behind_a_figure_are_listed_page_by_page() -> None:
    lives = [Life(f"c{n}", AT + n * MINUTE) for n in range(5)] + [Life("o", AT, team="orders")]
    async with running(definition) as service:
        await _settle(service, *[event for life in lives for event in life.until_resolved()])
        seen: list[str] = []
        async with service.client("supervisor") as client:
            url = "/v1/episodes?team=billing&limit=2"
            while url:
                page = (await client.get(url)).json()
                seen += [item["conversation_id"] for item in page["items"]]
                cursor = page["next_cursor"]
                url = f"/v1/episodes?team=billing&limit=2&cursor={cursor}" if cursor else ""
            forged = encode_cursor("episodes-by-resolution", 2**62, "c", 2**62)
            answer = await client.get(f"/v1/episodes?cursor={forged}")
            day = _iso(START_MS)[:10]
            of_day = (await client.get(f"/v1/episodes?day={day}&topic=refund")).json()["items"]
            other = (await client.get("/v1/episodes?day=2001-01-01")).json()["items"]
    assert answer.status_code == 200
    assert seen == ["c4", "c3", "c2", "c1", "c0"]
    assert len(of_day) == 6
    assert other == []


async def test_presence_is_kept_as_intervals() -> None:
    online, offline = PresenceState.PRESENCE_STATE_ONLINE, PresenceState.PRESENCE_STATE_OFFLINE
    async with running(definition) as service:
        await _settle(
            service,
            PresenceChanged(agent_id="anna", state=online, changed_at_ms=AT),
            PresenceChanged(agent_id="anna", state=offline, changed_at_ms=AT + MINUTE),
            PresenceChanged(agent_id="anna", state=online, changed_at_ms=AT + 3 * MINUTE),
        )
        async with service.database.read() as connection:
            rows = await fetch_all(
                connection,
                "SELECT from_ms, until_ms, state FROM analytics.presence_intervals ORDER BY from_ms",
            )
    assert [tuple(row) for row in rows] == [
        (AT, AT + MINUTE, "online"),
        (AT + MINUTE, AT + 3 * MINUTE, "offline"),
    ]
