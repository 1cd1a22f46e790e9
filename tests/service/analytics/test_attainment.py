"""Attainment by due date over HTTP: over what was due in the period, open ones past due included."""

from typing import Any

from google.protobuf.message import Message

from libs.contracts import SlaBreached, SlaCancelled, SlaMet, SlaMetric, SlaStarted, TeamChanged
from services.analytics.adapters.records import rfc3339
from services.analytics.service import definition
from tests.support.harness import START_MS, running

MINUTE = 60_000
FIRST, NEXT = SlaMetric.SLA_METRIC_FIRST_RESPONSE, SlaMetric.SLA_METRIC_NEXT_RESPONSE


def promise(
    conversation_id: str,
    due_min: int,
    end: str,
    *,
    metric: Any = FIRST,
    team: str = "billing",
    queue: str = "invoices",
    urgency: str = "normal",
) -> list[Message]:
    """The life of a clock that is due so many minutes from the start of the test, negative before it."""
    key: dict[str, Any] = {"conversation_id": conversation_id, "episode": 1, "metric": metric, "instance": 1}
    place: dict[str, Any] = {"team_id": team, "queue_id": queue, "urgency": urgency}
    due_ms = START_MS + due_min * MINUTE
    started = SlaStarted(**key, due_at_ms=due_ms, target_ms=MINUTE, **place)
    met = SlaMet(**key, met_at_ms=due_ms - 1, due_at_ms=due_ms, in_time=True, **place)
    late = SlaMet(**key, met_at_ms=due_ms + 1, due_at_ms=due_ms, **place)
    breached = SlaBreached(**key, due_at_ms=due_ms, **place)
    lives: dict[str, list[Message]] = {
        "met": [started, met],
        "late": [started, breached, late],
        "breached": [started, breached],
        "heard late": [started, breached, met],
        "open": [started],
        "paused": [started, SlaStarted(**key, due_at_ms=0, target_ms=MINUTE, **place)],
        "cancelled": [started, SlaCancelled(**key, reason="resolved-without-reply")],
    }
    return lives[end]


LIVES = (
    promise("a1", -50, "met"),
    promise("a2", -40, "heard late"),
    promise("a3", -30, "late", urgency="high"),
    promise("a4", -20, "open", queue="refunds"),
    promise("a5", -10, "paused"),
    promise("a6", -10, "cancelled"),
    promise("a7", 30, "met"),
    promise("a8", 40, "open"),
    promise("b1", -5, "met", metric=NEXT, team="desk", queue="desk"),
    promise("z1", -10 * 24 * 60, "breached"),
)


async def test_attainment_counts_what_was_due_in_the_period_and_leads_to_the_promises() -> None:
    async with running(definition) as service:
        await service.publish(TeamChanged(team_id="billing", name="Billing", version=1))
        for life in LIVES:
            await service.publish(*life)
        await service.settle()
        async with service.client("supervisor") as client:

            async def get(path: str, **query: Any) -> Any:
                answer = await client.get(path, params=query)
                assert answer.status_code == 200, answer.text
                return answer.json()

            teams = await get("/v1/attainment")
            by = {
                dimension: {
                    g["key"]: (g["met"], g["n"]) for g in (await get("/v1/attainment", by=dimension))["items"]
                }
                for dimension in ("team", "queue", "class", "metric")
            }
            coming = await get("/v1/attainment", to=rfc3339(START_MS + 60 * MINUTE))
            one = await get("/v1/attainment", limit=1)
            two = await get("/v1/attainment", limit=1, cursor=one["next_cursor"])
            behind = await get("/v1/attainment/promises", team="billing", limit=3)
            rest = await get("/v1/attainment/promises", team="billing", limit=3, cursor=behind["next_cursor"])
            refused = await client.get("/v1/attainment", params={"from": rfc3339(START_MS + MINUTE)})
            nul = await client.get("/v1/attainment", params={"team": "\x00"})
        async with service.client("agent") as agent:
            forbidden = await agent.get("/v1/attainment")
    billing = teams["items"][0]
    assert (billing["key"], billing["name"]) == ("billing", "Billing")
    assert (billing["n"], billing["met"], billing["breached"], billing["overdue"]) == (4, 2, 2, 1)
    assert billing["low"] < billing["rate"] == 0.5 < billing["high"]
    assert by == {
        "team": {"billing": (2, 4), "desk": (1, 1)},
        "queue": {"invoices": (2, 3), "refunds": (0, 1), "desk": (1, 1)},
        "class": {"normal": (3, 4), "high": (0, 1)},
        "metric": {"first_response": (2, 4), "next_response": (1, 1)},
    }
    assert coming["items"][0]["n"] == 5
    assert [page["items"][0]["key"] for page in (one, two)] == ["billing", "desk"]
    assert two["next_cursor"] is None
    listed = [(p["conversation_id"], p["state"]) for p in behind["items"] + rest["items"]]
    assert listed == [("a1", "met"), ("a2", "met"), ("a3", "breached"), ("a4", "overdue")]
    assert (refused.status_code, nul.status_code, forbidden.status_code) == (422, 400, 403)
