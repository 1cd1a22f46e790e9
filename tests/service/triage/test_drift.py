"""Drift in the real service: days of messages, quiet and then not, an alarm with its evidence, and what a person does."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from libs.storage import fetch_all
from libs.telemetry import render_metrics
from services.triage import drifting
from services.triage.adapters.drift_alarms import Look
from services.triage.adapters.tables import DECISIONS
from services.triage.domain.drift import Limits
from services.triage.service import definition
from tests.service.triage.test_triage import _message
from tests.support.harness import ServiceUnderTest, running

DAY_MS = 86_400_000
DATA = Path(__file__).resolve().parents[3] / "services" / "triage" / "data" / "messages"
PER_DAY = 60


def _texts(language: str, topic: str = "") -> list[str]:
    rows = [json.loads(line) for line in (DATA / f"{language}.jsonl").read_text().splitlines()]
    return [row["text"] for row in rows if row.get("kind", "request") == "request" and topic in row["topic"]]


async def _decide(service: ServiceUnderTest, name: str, texts: list[str]) -> None:
    await service.publish(*(_message(text, 1, f"{name}-{n}") for n, text in enumerate(texts)))
    await service.settle()


async def _day(service: ServiceUnderTest, day: int, name: str, rng: random.Random) -> Look:
    """A day on which conversations begin as those that were decided under a name, and what is seen at its end."""
    service.clock.advance(DAY_MS)
    async with service.database.begin() as uow:
        decided = await fetch_all(
            uow.connection,
            f"SELECT {DECISIONS.columns} FROM triage.decisions WHERE conversation_id LIKE $1 ORDER BY 1",
            f"{name}-%",
        )
        for number, row in enumerate(rng.choices(decided, k=PER_DAY)):
            one = replace(
                DECISIONS.value_of(row), conversation_id=f"d{day}-{number}", decided_at_ms=uow.now_ms
            )
            uow.rows(DECISIONS).put(one)
        await uow.commit()
    return await drifting.once(service.database, Limits())


def _gauge(signal: str) -> float:
    name = f'centralino_triage_drifting{{signal="{signal}"}}'
    (line,) = [line for line in render_metrics().decode().splitlines() if line.startswith(name)]
    return float(line.rsplit(" ", 1)[1])


async def test_quiet_days_raise_nothing_and_a_planted_change_is_told_with_evidence_until_accepted() -> None:
    rng = random.Random(7)
    usual = _texts("en") + _texts("it")
    async with running(definition, tasks=False) as service:
        await _decide(service, "usual", rng.sample(usual, 80))
        await _decide(service, "outage", usual[:10] + _texts("ro", "technical")[:20])
        service.clock.advance(100 * DAY_MS)
        for day in range(8):
            quiet = await _day(service, day, "usual", rng)
            assert {v.state for v in quiet.verdicts.values()} <= {"learning", "steady"}, (day, quiet.verdicts)
        assert {v.state for v in quiet.verdicts.values()} == {"steady"}
        assert _gauge("topic") == 0
        async with service.client("supervisor") as client:
            assert (await client.get("/v1/drift/alarms")).json()["items"] == []

        # An outage of the app in Romania: another topic, another language.
        await _day(service, 8, "outage", rng)
        assert (_gauge("topic"), _gauge("language")) == (1, 1)
        async with service.client("supervisor", "sara") as client:
            shown = (await client.get("/v1/drift")).json()
            states: dict[str, Any] = {one["signal"]: one for one in shown["signals"]}
            assert states["topic"]["state"] == "drifting"
            assert states["topic"]["index"] > states["topic"]["needed"]
            first = (await client.get("/v1/drift/alarms", params={"limit": 1})).json()
            rest = (await client.get("/v1/drift/alarms", params={"cursor": first["next_cursor"]})).json()
            alarms = {one["signal"]: one for one in first["items"] + rest["items"]}
            moved = {move["value"]: move for move in alarms["topic"]["moves"]}
            assert moved["technical"]["now"] > 2 * moved["technical"]["before"]
            assert moved["technical"]["conversations"][0].startswith("d8-")
            assert alarms["language"]["moves"][0]["value"] == "ro"
            assert alarms["topic"]["model_before"] == alarms["topic"]["model_now"] != ""

            # The next day of it belongs to the same alarm, and does not become the baseline.
            await _day(service, 9, "outage", rng)
            again = (await client.get("/v1/drift/alarms")).json()["items"]
            for signal in ("topic", "language"):
                (same,) = (one for one in again if one["signal"] == signal)
                assert (same["alarm_id"], same["closed_at"]) == (alarms[signal]["alarm_id"], None)
                assert same["seen_at"] > same["opened_at"]

            alarm_id = alarms["language"]["alarm_id"]
            accepted = await client.post(f"/v1/drift/alarms/{alarm_id}/accept")
            assert (accepted.status_code, accepted.json()["accepted_by"]) == (200, "sara")
            assert (await client.post("/v1/drift/alarms/none/accept")).status_code == 404
        # It is over for topics; languages are learnt anew.
        over = await _day(service, 10, "usual", rng)
        assert over.verdicts["topic"].state == "steady"
        assert over.verdicts["language"].state == "learning"
        assert (_gauge("topic"), _gauge("language")) == (0, 0)
        async with service.client("agent") as client:
            assert (await client.get("/v1/drift")).status_code == 403
