"""The `centralino` commands of an operator, against a host that runs: accounts, tokens, topics, dead letters."""

import json
from pathlib import Path

from libs.contracts import TOPICS
from libs.storage.embedded import EmbeddedPostgres
from tests.system.conftest import RunningHost
from tests.system.desk import Desk, refused
from tests.system.processes import command


def test_an_account_that_was_made_signs_in_and_its_token_opens_what_its_role_may(
    desk: Desk, host: RunningHost
) -> None:
    secret = "open sesame, please"
    made = command(host.data, "admin", "create", "ada", "--role", "supervisor", CENTRALINO_PASSWORD=secret)
    assert made.returncode == 0, made.stderr
    assert "'ada'" in made.stderr
    assert secret not in made.stdout + made.stderr
    wrong = desk.ask("POST", "/agent/v1/sessions", None, json={"username": "ada", "password": "sesame"})
    nobody = desk.ask("POST", "/agent/v1/sessions", None, json={"username": "bob", "password": secret})
    told = [refused(one, 401, one.json()["type"].rpartition(":")[2]) for one in (wrong, nobody)]
    assert told[0]["detail"] == told[1]["detail"], "who has an account is nobody's business"
    session = desk.done("POST", "/agent/v1/sessions", None, json={"username": "ada", "password": secret})
    bearer = {"Authorization": f"Bearer {session['token']}"}
    assert desk.client.get("/agent/v1/me", headers=bearer).json()["subject"] == "ada"
    assert desk.client.get("/analytics/v1/outcomes", headers=bearer).status_code == 200


def test_an_account_that_makes_no_sense_is_refused_in_a_sentence(host: RunningHost) -> None:
    made = command(host.data, "admin", "create", "eve", "--role", "king", CENTRALINO_PASSWORD="long enough")
    assert made.returncode == 2
    said = " ".join(made.stderr.replace("│", " ").split())
    assert "role 'king' cannot sign in; expected one of agent, supervisor, admin" in said
    assert "Traceback" not in made.stderr


def test_a_token_of_the_command_is_taken_by_the_host_and_is_all_that_is_printed(
    desk: Desk, host: RunningHost
) -> None:
    made = command(host.data, "token", "--role", "service", "--subject", "shop")
    assert (made.returncode, made.stderr, made.stdout.count("\n")) == (0, "", 1)
    bearer = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert desk.client.get("/analytics/v1/outcomes", headers=bearer).status_code == 200


def test_the_topics_are_listed_for_programs(host: RunningHost) -> None:
    listed = json.loads(command(host.data, "topics", "--json").stdout)
    assert {row["name"] for row in listed} == set(TOPICS)
    assert all(row["purpose"] and row["producer"] and row["messages"] for row in listed)


def test_migrating_a_database_in_use_again_changes_nothing_and_leaves_it_running(
    desk: Desk, host: RunningHost
) -> None:
    before = EmbeddedPostgres(host.data).pid()
    done = command(host.data, "migrate")
    assert done.returncode == 0, done.stderr
    assert EmbeddedPostgres(host.data).pid() == before
    assert desk.client.get("/readyz").status_code == 200


def test_what_is_no_dead_letter_and_no_stopped_group_is_said_so(host: RunningHost) -> None:
    unknown = command(host.data, "dead-letters", "retry", "none")
    assert unknown.returncode == 2
    assert "no dead letter has the id none" in unknown.stderr
    resumed = command(host.data, "dead-letters", "resume", "triage")
    assert (resumed.returncode, resumed.stdout) == (0, "triage was not stopped\n")


def test_a_log_in_use_keeps_its_generation_and_says_who_uses_it(host: RunningHost) -> None:
    refused = command(host.data, "log", "new-generation")
    assert refused.returncode == 1
    assert "of a running service are on this database; nothing was changed" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_rows_that_are_there_are_neither_given_up_nor_sent_where_nobody_relays(host: RunningHost) -> None:
    kept = command(host.data, "log", "accept-loss", "triage", "ingest.messages.v1", "0")
    assert kept.returncode == 2
    assert "triage does not stand still: nothing was changed" in " ".join(
        kept.stderr.replace("│", " ").split()
    )
    local = command(host.data, "log", "send-again", "routing.commands.v1", "0", "1")
    assert "routing.commands.v1 is not relayed" in " ".join(local.stderr.replace("│", " ").split())
    gone = command(host.data, "log", "send-again", "ingest.messages.v1", "0", "1000000")
    assert "the log has no row 1000001" in " ".join(gone.stderr.replace("│", " ").split())


def test_a_back_up_is_made_while_the_host_runs_and_never_over_another(
    host: RunningHost, tmp_path: Path
) -> None:
    file = tmp_path / "centralino.dump"
    made = command(host.data, "backup", str(file))
    assert made.returncode == 0, made.stderr
    assert file.read_bytes().startswith(b"PGDMP")
    assert file.stat().st_mode & 0o077 == 0
    again = command(host.data, "backup", str(file))
    assert again.returncode == 2
    assert "is there already" in again.stderr
