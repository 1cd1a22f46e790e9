"""One trace from a customer's message to the outcome, as a collector of traces sees it; and nothing of it unless asked for."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from bench.hosts import free_port
from tests.support.otlp import Collector, Seen, collector
from tests.system.desk import TEXT, Desk, until
from tests.system.processes import Host, a_host

SURVEYED = {"CENTRALINO_SURVEY_DELAY_SECONDS": "1", "CENTRALINO_SURVEY_CAP_DAYS": "0"}
QUICKLY = {"OTEL_BSP_SCHEDULE_DELAY": "200"}


@pytest.fixture(scope="module")
def traces() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture(scope="module")
def host(traces: Collector) -> Iterator[Host]:
    with a_host(OTEL_EXPORTER_OTLP_ENDPOINT=traces.url, **QUICKLY, **SURVEYED) as made:
        yield made


def names(spans: list[Seen]) -> set[tuple[str, str]]:
    return {(span.service, span.name) for span in spans}


def a_life(desk: Desk, name: str) -> tuple[str, str]:
    """A conversation from its first message to its outcome; its id and the trace that the first answer names.

    The customer sends no trace; the agent's front-end goes on with the conversation's.
    """
    written = desk.ask(
        "POST",
        "/ingest/v1/messages",
        None,
        json={"channel": "chat", "text": TEXT},
        headers={"Prefer": "wait=10"},
    )
    case, trace_id = written.json()["conversation_id"], written.headers["x-request-id"]
    offer = desk.offer(name, case)
    desk.reads(case)
    traceparent = f"00-{trace_id}-{'a' * 16}-01"
    desk.client.headers["traceparent"] = traceparent
    assert desk.accept(name, offer).status_code == 200
    desk.resolve(name, case)
    del desk.client.headers["traceparent"]
    desk.outcome(case)
    return case, trace_id


def test_one_trace_leads_from_the_message_to_the_outcome(host: Host, traces: Collector) -> None:
    desk = host.desk
    desk.agent("tracy")
    case, trace_id = a_life(desk, "tracy")
    wanted = {
        ("ingest", "POST /ingest/v1/messages"),
        ("ingest", "ingest-normaliser PayloadAccepted"),
        ("triage", "triage MessageReceived"),
        ("agent", "agent ConversationTriaged"),
        ("routing", "routing-intake EpisodeOpened"),
        ("routing", "routing-engine PoolCommand"),
        ("routing", "POST /routing/v1/offers/{offer_id}/accept"),
        ("agent", "agent AgentAssigned"),
        ("agent", "POST /agent/v1/conversations/{conversation_id}/replies"),
        ("ingest", "ingest-outbound ReplySent"),
        ("agent", "POST /agent/v1/conversations/{conversation_id}/resolve"),
        ("survey", "survey ConversationResolved"),
        ("survey", "survey survey.send"),
        ("ingest", "ingest-outbound SurveyRequested"),
        ("ingest", "deliver survey chat"),
        ("survey", "GET /survey/v1/invitations/{invitation_id}/link"),
        ("analytics", "analytics ConversationResolved"),
        ("analytics", "analytics analytics.publish"),
    }
    until(lambda: wanted <= names(traces.of(trace_id)) or None, 30, what=f"spans {wanted - names(traces.of(trace_id))}")
    spans = traces.of(trace_id)
    print(*[f"{s.service:10} {s.kind:9} {s.name}" for s in spans], sep="\n")
    assert False, case
