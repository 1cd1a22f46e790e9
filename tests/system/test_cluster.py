"""The distributed way of running, from outside: a real Kafka, a process for each service, two of some, a gateway."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from bench.hosts import Clustered, clustered, free_port
from libs.contracts import TOPICS
from services.cluster.kafka import fetch_jars, missing_tools
from services.cluster.plan import gateway_environment, members, replicas_of
from services.cluster.supervisor import Process
from services.registry import NAMES
from tests.support.otlp import Collector, collector
from tests.system.desk import Desk, until
from tests.system.processes import PATIENCE_SECONDS, command

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = {
    "CENTRALINO_SURVEY_DELAY_SECONDS": "1",
    "CENTRALINO_SURVEY_CAP_DAYS": "0",
    "CENTRALINO_ANALYTICS_SETTLE_MS": "300",
}
# Of the load nothing is recorded, only what comes with a trace that its sender records.
TRACED = {"OTEL_TRACES_SAMPLER": "parentbased_always_off", "OTEL_BSP_SCHEDULE_DELAY": "200"}
TWICE = ("triage", "routing", "ingest")


def _command(cluster: Clustered, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return command(cluster.data, *arguments, **more)


def _processes(cluster: Clustered) -> list[tuple[str, str]]:
    """(service, port) of each, from the first table that was printed."""
    table = cluster.said().partition("Centralino answers")[0]
    return re.findall(r"│ (\w+)-\d\s+│ \d+\s+│ (\d+)\s+│ 0\s+│ ready", table)


def _kafka(cluster: Clustered) -> dict[str, str]:
    return {"CENTRALINO_TRANSPORT": "kafka", "CENTRALINO_KAFKA_BOOTSTRAP": cluster.bootstrap}


@pytest.fixture
def traces() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture
def cluster(in_ci: bool, traces: Collector) -> Iterator[Clustered]:
    lacking = missing_tools() or ("" if caddy_is_there() else "Caddy is not installed")
    if lacking:
        assert not in_ci, lacking
        pytest.skip(lacking)
    replicas = [f"--replicas={service}=2" for service in TWICE]
    with clustered(*replicas, **DEMO, **TRACED, OTEL_EXPORTER_OTLP_ENDPOINT=traces.url) as made:
        yield made
        children = psutil.Process(made.process.pid).children(recursive=True)
    _, left = psutil.wait_procs(children, timeout=1)
    for one in left:
        one.kill()
    assert left == []
    assert made.process.returncode == 0


def caddy_is_there() -> bool:
    return any((Path(place) / "caddy").exists() for place in os.environ["PATH"].split(":"))


@pytest.mark.slow
def test_a_cluster_under_load_and_what_it_shows_afterwards(cluster: Clustered, traces: Collector) -> None:
    """One test, because what comes after the demo needs what the demo has left."""
    _a_rolling_restart_under_the_load_of_the_demo_loses_and_doubles_nothing(cluster)
    _every_process_is_ready_and_both_of_a_service_own_partitions(cluster)
    _the_gateway_says_what_it_has_and_refuses_other_paths_with_a_problem(cluster)
    _a_stream_that_its_client_leaves_is_closed_behind_the_gateway_at_once(cluster)
    _a_stranger_reads_a_topic_by_the_published_contract_alone(cluster)
    _the_brokers_own_tool_shows_readable_headers(cluster)
    _tail_shows_decoded_events(cluster, "triage.decisions.v1")
    _tail_shows_decoded_events(cluster, "routing.commands.v1")
    _topics_apply_says_that_there_is_nothing_to_do(cluster)
    _one_trace_leads_through_the_broker_to_the_outcome(cluster, traces)


def _a_rolling_restart_under_the_load_of_the_demo_loses_and_doubles_nothing(cluster: Clustered) -> None:
    arguments = ("--url", cluster.url, "--conversations", "80", "--rate", "2", "--alone", "--json")
    with ThreadPoolExecutor(1) as background:
        playing = background.submit(_command, cluster, "demo", *arguments)
        time.sleep(8)
        restarted = _restart_each(cluster, playing)
        done = playing.result()
    assert done.returncode == 0, done.stderr[-3000:]
    account = json.loads(done.stdout)
    assert account["differences"] == []
    assert account["conversations"] == 80
    assert account["episodes"] == account["outcomes"] >= 60
    assert account["survey_answers"] > 0
    assert restarted >= 6


def _restart_each(cluster: Clustered, playing: "Future[subprocess.CompletedProcess[str]]") -> int:
    """Ends the processes of the services one after the other, each when the one before is ready again. How many."""
    count = 0
    for _service, port in _processes(cluster):
        if playing.done():
            break
        _owner(port).send_signal(signal.SIGTERM)
        count += 1
        time.sleep(1)
        until = time.monotonic() + PATIENCE_SECONDS
        while not _ready(port):
            assert time.monotonic() < until
            time.sleep(0.2)
    return count


def _owner(port: str) -> psutil.Process:
    """The process that listens on a port."""
    return next(
        psutil.Process(connection.pid)
        for connection in psutil.net_connections("tcp")
        if connection.pid
        and connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port == int(port)
    )


def _ready(port: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=3).status_code == 200
    return False


def _every_process_is_ready_and_both_of_a_service_own_partitions(cluster: Clustered) -> None:
    ports = _processes(cluster)
    assert sorted(service for service, _ in ports) == sorted(list(NAMES) + list(TWICE))
    for service, port in ports:
        checks = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).json()["checks"]
        assert set(checks.values()) == {"ok"}
        relayed = [t for t, topic in TOPICS.items() if topic.producer == service and not topic.local]
        assert {f"{service}.relay.{topic}" for topic in relayed} <= checks.keys()
    triage = [port for service, port in ports if service == "triage"]
    lags = [httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text for port in triage]
    owned = [set(re.findall(r'lag_events\{group="triage",partition="(\d+)"', text)) for text in lags]
    assert owned[0] | owned[1] == {str(n) for n in range(12)}


def _the_gateway_says_what_it_has_and_refuses_other_paths_with_a_problem(cluster: Clustered) -> None:
    assert {entry["name"] for entry in httpx.get(cluster.url).json()} == set(NAMES)
    paths = httpx.get(f"{cluster.url}/openapi.json").json()["paths"]
    assert {path.split("/")[1] for path in paths} == set(NAMES)
    assert "ingest_messages_v1" in httpx.get(f"{cluster.url}/asyncapi.json").json()["channels"]
    for path in ("/", "/docs"):
        page = httpx.get(f"{cluster.url}{path}", headers={"Accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        assert "/docs/reference.js" in page.text
    assert httpx.get(f"{cluster.url}/routing/openapi.json").json()["info"]
    refused = httpx.get(f"{cluster.url}/nowhere")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"
    assert "/ingest" in refused.json()["detail"]


def _a_stream_that_its_client_leaves_is_closed_behind_the_gateway_at_once(cluster: Clustered) -> None:
    ports = [port for service, port in _processes(cluster) if service == "ingest"]
    sent = Desk(cluster.url, cluster.data).write()

    def open_streams() -> float:
        texts = [httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text for port in ports]
        return sum(
            float(count)
            for text in texts
            for count in re.findall(r"^centralino_http_streams\{.*\} (\S+)$", text, re.M)
        )

    assert open_streams() == 0
    url = f"{cluster.url}/ingest/v1/conversations/{sent['conversation_id']}/events"
    with httpx.stream("GET", url, headers={"Authorization": f"Bearer {sent['visitor_token']}"}) as answer:
        # The first line comes while nothing else is said: the gateway holds nothing back.
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        until(lambda: open_streams() == 1 or None, 5, what="an open stream")
    until(lambda: open_streams() == 0 or None, 5, what="no open stream")


def _a_stranger_reads_a_topic_by_the_published_contract_alone(cluster: Clustered) -> None:
    script = CHECKOUT / "tests" / "support" / "foreign_consumer.py"
    assert "centralino" not in re.sub(r'""".*?"""', "", script.read_text(), flags=re.S).lower()
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            str(script),
            cluster.bootstrap,
            str(CHECKOUT / "openapi" / "asyncapi.json"),
            str(CHECKOUT / "proto" / "published.binpb"),
            "analytics.outcomes.v1",
            "5",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        seen = json.loads(line)
        assert seen["headers"]["ce_specversion"] == "1.0"
        assert seen["key"] == seen["event"]["episodeId"] == seen["headers"]["ce_subject"]
        assert seen["event"]["resolution"]


def _the_brokers_own_tool_shows_readable_headers(cluster: Clustered) -> None:
    done = subprocess.run(
        [
            *("java", "-cp", f"{fetch_jars()}/*", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
            *("--bootstrap-server", cluster.bootstrap, "--topic", "triage.decisions.v1", "--from-beginning"),
            *("--max-messages", "1", "--property", "print.headers=true", "--property", "print.key=true"),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    assert "ce_type:centralino.triage.v1.ConversationTriaged" in done.stdout
    assert re.search(r"ce_sequence:\d+,", done.stdout)
    assert re.search(r"ce_time:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", done.stdout)


def _tail_shows_decoded_events(cluster: Clustered, topic: str) -> None:
    url = _database_url(cluster)
    done = _command(
        cluster, "tail", topic, "--from-beginning", "--limit", "3", DATABASE_URL=url, **_kafka(cluster)
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 3
    assert {line["topic"] for line in lines} == {topic}
    assert all(line["event"] for line in lines)


def _database_url(cluster: Clustered) -> str:
    for child in psutil.Process(cluster.process.pid).children():
        with contextlib.suppress(psutil.Error):
            url = child.environ().get("DATABASE_URL")
            if url:
                return url
    raise AssertionError("no process has DATABASE_URL")


def _topics_apply_says_that_there_is_nothing_to_do(cluster: Clustered) -> None:
    done = _command(cluster, "topics", "apply", **_kafka(cluster))
    assert (done.returncode, done.stdout.strip()) == (
        0,
        "Every topic is as it should be; nothing was changed.",
    )


def _one_trace_leads_through_the_broker_to_the_outcome(cluster: Clustered, traces: Collector) -> None:
    desk = Desk(cluster.url, cluster.data)
    trace_id = "7ace" * 8
    desk.client.headers["traceparent"] = f"00-{trace_id}-{'a' * 16}-01"
    case = desk.write()["conversation_id"]
    desk.resolve("anybody", case)
    desk.outcome(case)
    sent = {
        f"send {topic}" for topic in ("ingest.messages.v1", "triage.decisions.v1", "agent.conversations.v1")
    }
    wanted = {*sent, "triage MessageReceived", "analytics outcome.publish", "send analytics.outcomes.v1"}
    until(lambda: wanted <= {span.name for span in traces.of(trace_id)} or None, 60, what=f"one of {wanted}")
    spans = {span.span_id: span for span in traces.of(trace_id)}
    read = [span for span in spans.values() if span.name == "triage MessageReceived"]
    assert {spans[span.parent_id].name for span in read} == {"send ingest.messages.v1"}
    assert {span.trace_id for span in traces.spans} == {trace_id}


def test_a_broker_that_does_not_answer_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", "topics", "apply"],
        env={**os.environ, "CENTRALINO_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Kafka, applying topics: KafkaConnectionError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["triage", "triage=0", "triage=10", "nobody=2", "triage=x"])
def test_replicas_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected SERVICE=NUMBER with one of ingest, triage"):
        replicas_of([text])


def test_a_plan_gives_every_process_its_port_and_the_gateway_all_of_them(tmp_path: Path) -> None:
    counts = replicas_of(["triage=3"])
    made = members(
        counts, list(range(9001, 9009)), database_url="d", bootstrap="b", gateway_url="g", data=tmp_path
    )
    assert [m.name for m in made if m.service == "triage"] == ["triage-1", "triage-2", "triage-3"]
    assert {m.environment["CENTRALINO_PORT"] for m in made} == {str(n) for n in range(9001, 9009)}
    connections = sum(
        int(m.environment["CENTRALINO_WEB_CONNECTIONS"])
        + int(m.environment["CENTRALINO_STREAM_CONNECTIONS"])
        + 1
        for m in made
    )
    assert connections <= 95
    gateway = gateway_environment(made, "127.0.0.1", 8600, tmp_path)
    assert gateway["TRIAGE"] == "127.0.0.1:9002 127.0.0.1:9003 127.0.0.1:9004"


async def test_a_process_that_ends_is_started_again(tmp_path: Path) -> None:
    import asyncio

    process = Process("short", [sys.executable, "-c", "print('here')"], {}, tmp_path / "short.log")
    stop = asyncio.Event()
    keeping = asyncio.create_task(process.keep(stop))
    async with asyncio.timeout(30):
        while process.restarts < 2:
            await asyncio.sleep(0.05)
    stop.set()
    await keeping
    assert (tmp_path / "short.log").read_text().count("here") >= 2
