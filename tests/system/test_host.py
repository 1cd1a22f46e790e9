"""The embedded host as an operator meets it: it says what is where, stops cleanly, goes on, and outlives its database."""

import contextlib
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from bench.hosts import free_port
from libs.storage.embedded import EmbeddedPostgres
from services.registry import NAMES
from tests.support.servers import OLDEST, need_oldest, server
from tests.system.desk import PROBLEM, TEXT, until
from tests.system.processes import Host, a_host, command

STOP_SECONDS = 5.0
AWAY_SECONDS = 8.0
# An offer that ran out while nothing answered is not made to the same agent again for half a minute.
OFFER_SECONDS = 45.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder which another user, as whom root runs PostgreSQL, can reach."""
    made = Path(tempfile.mkdtemp(prefix="centralino-host-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def live() -> Iterator[Host]:
    """One host for the tests that leave it running."""
    with a_host() as made:
        yield made


def test_the_host_says_on_its_terminal_what_is_where(live: Host) -> None:
    until(lambda: "Ctrl-C" in live.terminal or None, what="the greeting")
    assert "Centralino answers." in live.terminal
    for place in ("/docs", "/ingest/v1/messages", "/routing/v1/feed", "/analytics/v1/outcomes", "/metrics"):
        assert live.url + place in live.terminal
    assert "centralino token --role" in live.terminal


def test_the_default_port_is_on_this_machine_alone(live: Host) -> None:
    assert live.process is not None
    listening = [
        c.laddr
        for c in psutil.Process(live.process.pid).net_connections("inet")
        if c.status == psutil.CONN_LISTEN
    ]
    assert [(a.ip, a.port) for a in listening] == [("127.0.0.1", live.port)]


@pytest.mark.parametrize("name", NAMES)
def test_every_service_answers_its_health_metrics_and_document(live: Host, name: str) -> None:
    ask = live.desk.client.get
    assert ask(f"/{name}/livez").json()["status"] == "ok"
    ready = ask(f"/{name}/readyz")
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"].values()) == {"ok"}
    assert "centralino_http_requests_total" in ask(f"/{name}/metrics").text
    document = ask(f"/{name}/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert any(path.startswith("/v1/") for path in document["paths"])


def test_there_are_six_services_and_the_host_answers_for_all(live: Host) -> None:
    ask = live.desk.client.get
    names = {"ingest", "triage", "routing", "agent", "survey", "analytics"}
    assert {one["name"] for one in ask("/").json()} == names
    assert {check.split(".")[0] for check in ask("/readyz").json()["checks"]} == names
    assert {path.split("/")[1] for path in ask("/openapi.json").json()["paths"]} >= names


def test_a_second_host_on_the_same_data_is_refused_and_the_first_goes_on(live: Host) -> None:
    assert live.process is not None
    refused = command(live.data, "run", "--port", str(free_port()))
    assert refused.returncode == 1
    said = " ".join(refused.stderr.split())
    assert f"{live.data} is in use by process {live.process.pid}" in said
    assert "stop that one, or set CENTRALINO_DATA" in said
    assert "Traceback" not in refused.stdout + refused.stderr
    assert live.desk.client.get("/readyz").status_code == 200


def test_a_taken_port_is_refused_in_a_sentence(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = command(folder, "run", "--port", port)
    assert refused.returncode == 1
    said = " ".join(refused.stderr.split())
    assert f"127.0.0.1:{port} is taken by another program: stop that one, or give another --port" in said
    assert "Traceback" not in refused.stdout + refused.stderr
    assert not (folder / "postgres").exists(), "no database was made for a host that could not answer"


@pytest.mark.parametrize(
    ("host", "said"), [("192.0.2.7", "give an address of this machine"), ("2001:db8::7", "as --host")]
)
def test_an_address_of_another_machine_is_refused_in_a_sentence(folder: Path, host: str, said: str) -> None:
    refused = command(folder, "run", "--host", host, "--port", "0")
    assert refused.returncode == 1
    assert said in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stdout + refused.stderr
    assert not (folder / "postgres").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the database as another user")
def test_as_root_a_folder_that_the_database_cannot_reach_is_named_with_what_to_do(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    folder.chmod(0o755)
    refused = command(private / "data", "migrate")
    assert refused.returncode == 1
    said = " ".join(refused.stderr.split())
    assert f"runs as a user of its own, which cannot pass {private} (mode 0700)" in said
    assert "Set CENTRALINO_DATA to a folder that every user can reach" in said
    assert "Traceback" not in refused.stdout + refused.stderr
    assert private.stat().st_mode & 0o777 == 0o700, "it is not opened up behind root's back"


def test_the_settings_are_printed_with_their_meaning_and_without_a_password(folder: Path) -> None:
    printed = command(
        folder,
        "run",
        "--print-config",
        DATABASE_URL="postgresql://anna:open-sesame@db.example/desk",
        CENTRALINO_SURVEY_KEYS="k1:bm90LWEtcmVhbC1rZXktYnV0LWxvbmctZW5vdWdoLWZvci1pdA==",
    )
    assert printed.returncode == 0, printed.stderr
    groups = json.loads(printed.stdout)
    assert set(groups) == {"platform", *NAMES}
    rows = [row for group in groups.values() for row in group]
    assert [row["variable"] for row in rows if not row["meaning"].strip()] == []
    assert len({row["variable"] for row in rows}) == len(rows) > 30
    given = next(row["value"] for row in rows if row["variable"] == "DATABASE_URL")
    assert given == "postgresql://***@db.example/desk"
    assert "open-sesame" not in printed.stdout + printed.stderr
    assert "bm90LWEt" not in printed.stdout + printed.stderr


def test_a_stop_is_quick_and_complete_and_a_start_goes_on_where_it_was() -> None:
    with a_host() as host, contextlib.ExitStack() as streams:
        assert host.process is not None
        desk = host.desk
        desk.agent("stella")
        bearer = {"Authorization": f"Bearer {desk.token('agent', 'stella')}"}
        for _ in range(3):
            stream = httpx.stream("GET", f"{host.url}/routing/v1/feed", headers=bearer, timeout=20)
            answer = streams.enter_context(stream)
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert next(answer.iter_bytes())
        case = desk.write()
        visitor = {"Authorization": f"Bearer {case['visitor_token']}"}
        family = psutil.Process(host.process.pid).children(recursive=True)
        database = EmbeddedPostgres(host.data).pid()
        assert any("services.triage" in " ".join(one.cmdline()) for one in family)
        assert database is not None

        assert host.interrupt() < STOP_SECONDS
        assert host.process.returncode == 0, host.terminal
        assert "Traceback" not in host.terminal
        _gone, alive = psutil.wait_procs(family, timeout=1)
        assert [one.cmdline() for one in alive] == []
        assert not psutil.pid_exists(database)

        host.start()
        thread = host.desk.client.get(
            f"/ingest/v1/conversations/{case['conversation_id']}/messages", headers=visitor
        )
        assert [one["text"] for one in thread.json()["items"]] == [TEXT]
        assert host.desk.client.get("/routing/v1/presence", headers=bearer).status_code == 200
        host.desk.presence("stella", "online")
        offer = host.desk.offer("stella", case["conversation_id"], OFFER_SECONDS)
        accepted = host.desk.client.post(f"/routing/v1/offers/{offer}/accept", headers=bearer)
        assert accepted.status_code == 200, accepted.text
        host.desk.resolve("stella", case["conversation_id"])
        assert host.desk.outcome(case["conversation_id"])["conversation_id"] == case["conversation_id"]


def test_a_given_database_of_the_oldest_version_carries_a_conversation_to_its_outcome(in_ci: bool) -> None:
    need_oldest(in_ci)
    with server(OLDEST) as database, a_host(DATABASE_URL=database.url) as host:
        desk = host.desk
        desk.agent("otto")
        case = desk.write()["conversation_id"]
        assert desk.accept("otto", desk.offer("otto", case)).status_code == 200
        desk.resolve("otto", case)
        assert desk.outcome(case)["conversation_id"] == case
        assert not (host.data / "postgres").exists()
        assert host.interrupt() < STOP_SECONDS


def _says_the_database_is_away(answer: httpx.Response) -> bool:
    assert answer.status_code in (202, 200, 503), answer.text
    if answer.status_code != 503:
        return False
    assert answer.headers["content-type"] == PROBLEM
    assert int(answer.headers["retry-after"]) >= 1
    problem = answer.json()
    assert problem["type"] == "urn:centralino:problem:unavailable"
    assert problem["status"] == 503
    assert "database" in problem["detail"].lower()
    return True


def test_a_database_that_is_away_costs_503s_and_nothing_that_was_accepted() -> None:
    with server(None) as database, a_host(DATABASE_URL=database.url) as host:
        desk = host.desk
        desk.agent("wanda")
        cases = [desk.write()["conversation_id"] for _ in range(2)]
        database.stop()
        ends = time.monotonic() + AWAY_SECONDS
        refused = {"post": 0, "read": 0}
        while time.monotonic() < ends:
            post = desk.client.post("/ingest/v1/messages", json={"channel": "chat", "text": TEXT})
            refused["post"] += _says_the_database_is_away(post)
            read = desk.ask("GET", f"/agent/v1/conversations/{cases[0]}")
            refused["read"] += _says_the_database_is_away(read)
            assert post.status_code == read.status_code == 503
            time.sleep(0.5)
        assert min(refused.values()) >= 3, refused
        assert desk.client.get("/livez").status_code == 200
        assert desk.client.get("/readyz").status_code == 503

        database.start()
        until(
            lambda: desk.client.get("/readyz").status_code == 200 or None,
            20,
            what="readiness after the outage",
        )
        cases.append(desk.write()["conversation_id"])
        desk.presence("wanda", "online")
        for case in cases:
            assert desk.accept("wanda", desk.offer("wanda", case, OFFER_SECONDS)).status_code == 200
            desk.resolve("wanda", case)
        assert [desk.outcome(case)["conversation_id"] for case in cases] == cases
        metrics = desk.client.get("/metrics").text
        assert "centralino_http_unavailable_total" in metrics
        assert host.process is not None
        assert host.process.poll() is None
