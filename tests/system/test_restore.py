"""A cluster whose database is restored from a back-up, and a host that becomes a cluster: with conversations open."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.hosts import clustered_at
from libs.storage.embedded import EmbeddedPostgres
from services.cluster.kafka import LocalKafka, missing_tools
from tests.system.desk import Desk, until
from tests.system.processes import QUICK, Host, command
from tests.system.test_cluster import caddy_is_there

pytestmark = pytest.mark.slow

LATE = "The red handle of the fridge came off"


@pytest.fixture(autouse=True)
def everything_there(in_ci: bool) -> None:
    lacking = missing_tools() or ("" if caddy_is_there() else "Caddy is not installed")
    if lacking:
        assert not in_ci, lacking
        pytest.skip(lacking)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's user can pass, removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="centralino-restore-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        for place in (made, made / "postgres"):
            EmbeddedPostgres(place).stop()
        shutil.rmtree(made, ignore_errors=True)


def _accepted(desk: Desk, case: str) -> None:
    answer = desk.accept("ann", desk.offer("ann", case, 60))
    assert answer.status_code == 200, answer.text


def _served(desk: Desk) -> str:
    """A conversation from its first message to its outcome."""
    case: str = desk.write()["conversation_id"]
    _accepted(desk, case)
    desk.resolve("ann", case)
    desk.outcome(case)
    return case


def _online(desk: Desk) -> None:
    """Puts ann to work, once the services let her."""

    def look() -> bool | None:
        entry = {"name": "Ann", "teams": ["it-help-desk"], "languages": ["en"]}
        if desk.ask("PUT", "/routing/v1/agents/ann", json=entry).status_code >= 300:
            return None
        body = {"presence": "online"}
        return desk.ask("PUT", "/routing/v1/presence", "agent", "ann", json=body).status_code < 300 or None

    until(look, 60, what="ann's presence")


def _finished(desk: Desk, case: str) -> None:
    """The rest of a conversation that was accepted before."""
    desk.resolve("ann", case)
    desk.outcome(case)


def _outcomes(desk: Desk) -> list[tuple[str, int]]:
    """Conversation and episode of the first revision of every outcome, as often as the feed has it."""
    page = desk.done("GET", "/analytics/v1/outcomes", "supervisor", params={"limit": 1000})
    return sorted((one["conversation_id"], one["episode"]) for one in page["items"] if one["revision"] == 1)


def _restore(server: EmbeddedPostgres, dump: Path) -> None:
    """As an operator does it, with PostgreSQL's own program: nothing is left of what was there."""
    pid = server.pid()
    assert pid is not None
    program = Path(psutil.Process(pid).exe()).with_name("pg_restore")
    other = server.url.replace("/centralino?", "/postgres?")
    done = subprocess.run(
        [str(program), "--clean", "--if-exists", "--create", f"--dbname={other}", str(dump)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _nothing_died(data: Path, **environment: str) -> None:
    told = command(data, "dead-letters", "list", **environment)
    assert told.stdout.strip() == "no dead letters", told.stdout + told.stderr


def test_a_cluster_whose_database_was_restored_goes_on_from_the_back_up(folder: Path) -> None:
    postgres, dump = EmbeddedPostgres(folder / "postgres"), folder / "back-up"
    on_database = {"DATABASE_URL": postgres.url}
    with clustered_at(folder, **QUICK) as cluster:
        desk = Desk(cluster.url, cluster.data)
        _online(desk)
        done = _served(desk)
        half: str = desk.write()["conversation_id"]
        _accepted(desk, half)
        desk.reads(half)
        made = command(folder / "postgres", "backup", str(dump))
        assert made.returncode == 0, made.stderr
        _finished(desk, half)
        late: str = desk.write(LATE)["conversation_id"]
        desk.reads(late)
        refused = command(cluster.data, "log", "new-generation", **on_database)
        assert refused.returncode == 1
        assert "of a running service are on this database; nothing was changed" in refused.stderr
    postgres.start()
    _restore(postgres, dump)
    kafka = LocalKafka(folder / "kafka")
    kafka.start()
    try:
        on_kafka = {"CENTRALINO_TRANSPORT": "kafka", "CENTRALINO_KAFKA_BOOTSTRAP": kafka.bootstrap}
        forgotten = command(folder / "data", "serve", "ingest", "--port", "0", **on_database, **on_kafka)
        assert forgotten.returncode == 1
        assert "run `centralino log new-generation` before any starts again" in forgotten.stderr
        saved = folder / "late.jsonl"
        begun = command(
            folder / "data",
            "log",
            "new-generation",
            "--json",
            "--save",
            str(saved),
            **on_database,
            **on_kafka,
        )
    finally:
        kafka.stop()
    assert begun.returncode == 0, begun.stderr
    told = json.loads(begun.stdout)
    assert told["generation"] > told["before"] == 1
    assert not told["recovered"]
    assert told["rows"]["ingest.messages.v1"] >= 1
    assert told["rows"]["analytics.outcomes.v1"] >= 1
    assert LATE in saved.read_text()
    postgres.stop()
    with clustered_at(folder, **QUICK) as cluster:
        desk = Desk(cluster.url, cluster.data)
        _online(desk)
        assert desk.ask("GET", f"/agent/v1/conversations/{late}").status_code == 404
        _finished(desk, half)
        more = [_served(desk) for _ in range(3)]
        assert _outcomes(desk) == sorted((case, 1) for case in (done, half, *more))
        assert [desk.outcome(case)["revision"] for case in more] == [1] * len(more)
        _nothing_died(cluster.data, **on_database)


def test_a_host_becomes_a_cluster_with_conversations_open(folder: Path) -> None:
    host = Host(folder / "host")
    host.data.mkdir()
    host.data.chmod(0o755)
    try:
        host.start()
        desk = host.desk
        _online(desk)
        done = _served(desk)
        half: str = desk.write()["conversation_id"]
        _accepted(desk, half)
        desk.reads(half)
        waiting: str = desk.write()["conversation_id"]
        host.interrupt()
    finally:
        if host.process is not None and host.process.poll() is None:
            host.process.kill()
        EmbeddedPostgres(host.data).stop()
    for line in (
        f"mkdir -p {folder}/cluster/data {folder}/cluster/postgres",
        f"cp -p {host.data}/*-keys.json {folder}/cluster/data/",
        f"cp -a {host.data}/postgres {folder}/cluster/postgres/postgres",
    ):
        subprocess.run(line, shell=True, check=True)
    with clustered_at(folder / "cluster", **QUICK) as cluster:
        desk = Desk(cluster.url, cluster.data)
        _online(desk)
        _accepted(desk, waiting)
        _finished(desk, waiting)
        _finished(desk, half)
        more = [_served(desk) for _ in range(2)]
        assert _outcomes(desk) == sorted((case, 1) for case in (done, half, waiting, *more))
        _nothing_died(cluster.data, DATABASE_URL=EmbeddedPostgres(folder / "cluster" / "postgres").url)
