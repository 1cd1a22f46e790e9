"""One trace from a customer's message to the outcome, as a collector of traces sees it; nothing unless asked for."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import httpx
import pytest

from bench.hosts import free_port
from libs.contracts import Envelope, unpack
from libs.storage.embedded import EmbeddedPostgres
from libs.telemetry.otel import wanted
from tests.support.otlp import Collector, collector
from tests.system.desk import TEXT, Desk, until
from tests.system.processes import Host, a_host

SURVEYED = {"CENTRALINO_SURVEY_DELAY_SECONDS": "1", "CENTRALINO_SURVEY_CAP_DAYS": "0"}
STOP_SECONDS = 5.0
QUICKLY = {"OTEL_BSP_SCHEDULE_DELAY": "200"}


@pytest.fixture(scope="module")
def traces() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture(scope="module")
def host(traces: Collector) -> Iterator[Host]:
    with a_host(OTEL_EXPORTER_OTLP_ENDPOINT=traces.url, **QUICKLY, **SURVEYED) as made:
        yield made


def envelopes(host: Host) -> list[Envelope]:
    """Everything on the log of the host."""

    async def read() -> list[Envelope]:
        connection = await asyncpg.connect(EmbeddedPostgres(host.data).url)
        try:
            return [unpack(row["data"]) for row in await connection.fetch("SELECT data FROM log.events")]
        finally:
            await connection.close()

    return asyncio.run(read())


def a_life(desk: Desk, name: str) -> tuple[str, str]:
    """A conversation from its first message to its outcome; its id, and the trace that the first answer names.

    The customer sends no trace. The agent's front-end goes on with the one that the conversation shows.
    """
    written = desk.ask(
        "POST",
        "/ingest/v1/messages",
        None,
        json={"channel": "chat", "text": TEXT},
        headers={"Prefer": "wait=10"},
    )
    assert written.status_code < 300, written.text
    case, trace_id = written.json()["conversation_id"], written.headers["x-request-id"]
    offer = desk.offer(name, case)
    shown = desk.reads(case)["traceparent"]
    if shown is not None:
        desk.client.headers["traceparent"] = shown
    assert desk.accept(name, offer).status_code == 200
    desk.resolve(name, case)
    desk.client.headers.pop("traceparent", None)
    desk.outcome(case)
    return case, trace_id


LIFE = {
    ("ingest", "server", "POST /ingest/v1/messages"),
    ("ingest", "consumer", "ingest-normaliser PayloadAccepted"),
    ("triage", "consumer", "triage MessageReceived"),
    ("agent", "consumer", "agent ConversationTriaged"),
    ("routing", "consumer", "routing EpisodeOpened"),
    ("routing", "consumer", "routing-engine PoolCommand"),
    ("routing", "server", "POST /routing/v1/offers/{offer_id}/accept"),
    ("agent", "consumer", "agent AgentAssigned"),
    ("agent", "server", "POST /agent/v1/conversations/{conversation_id}/replies"),
    ("ingest", "consumer", "ingest-outbound ReplySent"),
    ("agent", "server", "POST /agent/v1/conversations/{conversation_id}/resolve"),
    ("survey", "consumer", "survey ConversationResolved"),
    ("survey", "internal", "survey survey.send"),
    ("ingest", "consumer", "ingest-outbound SurveyRequested"),
    ("ingest", "client", "deliver survey chat"),
    ("survey", "server", "GET /survey/v1/invitations/{invitation_id}/link"),
    ("agent", "consumer", "agent MessageDelivered"),
    ("analytics", "consumer", "analytics ConversationResolved"),
    ("analytics", "internal", "analytics outcome.publish"),
}


def test_one_trace_leads_from_the_message_to_the_outcome(host: Host, traces: Collector) -> None:
    desk = host.desk
    desk.agent("tracy")
    case, trace_id = a_life(desk, "tracy")

    def seen() -> set[tuple[str, str, str]]:
        return {(span.service, span.kind, span.name) for span in traces.of(trace_id)}

    until(lambda: seen() >= LIFE or None, 30, what=f"a span of {sorted(LIFE - seen())}")
    spans = traces.of(trace_id)
    ids = {span.span_id for span in spans}
    (first,) = [span for span in spans if not span.parent_id]
    assert first.name == "POST /ingest/v1/messages"
    assert [span.name for span in spans if span.parent_id and span.parent_id not in ids] == []
    assert [span.name for span in spans if span.failed] == []
    keyed = {
        s.attributes["centralino.key"]
        for s in spans
        if s.attributes.get("centralino.event", "").endswith("MessageReceived")
    }
    assert keyed == {case}


def test_the_outcome_on_the_log_names_the_trace_to_whoever_reads_it(host: Host) -> None:
    desk = host.desk
    desk.agent("theo")
    case, trace_id = a_life(desk, "theo")
    outcomes = [
        envelope
        for envelope in envelopes(host)
        if envelope.type.endswith(".ConversationOutcome") and envelope.key == f"{case}:1"
    ]
    assert outcomes
    assert {one.traceparent.split("-")[1] for one in outcomes} == {trace_id}


def test_each_of_several_messages_in_a_batch_stays_in_its_own_trace(host: Host, traces: Collector) -> None:
    given = [f"{number:032x}" for number in range(1, 31)]

    def write(trace_id: str) -> str:
        headers = {"traceparent": f"00-{trace_id}-{'b' * 16}-01", "Prefer": "wait=10"}
        body = {"channel": "chat", "text": TEXT}
        answer = httpx.post(f"{host.url}/ingest/v1/messages", json=body, headers=headers, timeout=30)
        case: str = answer.json()["conversation_id"]
        return case

    with ThreadPoolExecutor(10) as pool:
        cases = list(pool.map(write, given))
    for trace_id, case in zip(given, cases, strict=True):

        def opened(wanted: str = trace_id) -> bool | None:
            return any(span.name == "routing EpisodeOpened" for span in traces.of(wanted)) or None

        until(opened, what="the trace")
        keys = {
            span.attributes["centralino.key"]
            for span in traces.of(trace_id)
            if span.attributes.get("messaging.destination.name")
            in ("ingest.messages.v1", "triage.decisions.v1")
        }
        assert keys == {case}
    together = [
        s for s in traces.spans if s.trace_id in given and s.attributes.get("centralino.batch", 1) > 1
    ]
    assert together, "no batch held more than one message: this test has shown nothing"


def test_an_unsampled_trace_is_carried_and_not_recorded(host: Host, traces: Collector) -> None:
    trace_id = "c" * 32
    headers = {"traceparent": f"00-{trace_id}-{'d' * 16}-00", "Prefer": "wait=10"}
    answer = host.desk.ask(
        "POST", "/ingest/v1/messages", None, json={"channel": "chat", "text": TEXT}, headers=headers
    )
    case = answer.json()["conversation_id"]
    shown = host.desk.reads(case)["traceparent"]
    assert shown.split("-")[1] == trace_id
    assert shown.endswith("-00")
    assert traces.of(trace_id) == []


def test_no_span_tells_what_a_customer_wrote_or_an_address_with_a_token(
    host: Host, traces: Collector
) -> None:
    secret = "marmalade-and-cheese"
    desk = host.desk
    written = desk.write(f"{TEXT} {secret}")
    desk.reads(written["conversation_id"])
    page = desk.client.get(f"/survey/v1/s/{secret}")
    assert page.status_code == 404
    until(
        lambda: any(s.name == "GET /survey/v1/s/{token}" for s in list(traces.spans)) or None,
        what="the page's span",
    )
    until(
        lambda: (
            any(s.attributes.get("centralino.key") == written["conversation_id"] for s in list(traces.spans))
            or None
        ),
        what="the message's span",
    )
    assert [body for body in traces.bodies if secret.encode() in body] == []


def test_health_checks_and_open_streams_are_no_spans(host: Host, traces: Collector) -> None:
    desk = host.desk
    for path in ("/livez", "/readyz", "/metrics", "/triage/readyz"):
        assert desk.client.get(path).status_code == 200
    last = desk.client.get("/triage/v1/nothing").headers["x-request-id"]
    until(lambda: traces.of(last) or None, what="the span of what was asked last")
    assert [s.name for s in traces.spans if s.name.endswith(("livez", "readyz", "metrics"))] == []


def test_a_collector_that_is_away_holds_up_neither_work_nor_the_stop() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with a_host(OTEL_EXPORTER_OTLP_ENDPOINT=nowhere, **QUICKLY) as host:
        desk = host.desk
        desk.agent("nora")
        a_life(desk, "nora")
        assert host.interrupt() < STOP_SECONDS
        assert host.process is not None
        assert host.process.returncode == 0


def test_without_a_collector_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, services.cli; from libs.telemetry.otel import recording_traces\n"
        "with recording_traces('1'):\n"
        "    print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=inherited, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_variables_of_opentelemetry_switch_it_on(variables: dict[str, str], expected: bool) -> None:
    assert wanted(variables) is expected
