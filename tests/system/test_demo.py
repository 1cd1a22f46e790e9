"""The main job, whole: simulated customers and agents on a real platform, and the account that must come out even."""

import json
import mailbox
import os
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from services.demo.books import read_books
from services.demo.command import document
from services.demo.host import DemoHost, HostFailed
from services.demo.record import read_record
from services.demo.run import Plan, run
from services.demo.stories import own_stories

pytestmark = pytest.mark.slow


async def test_forty_stories_end_in_as_many_outcomes_as_episodes_with_nothing_lost_or_doubled(tmp_path):
    plan = Plan(own_stories()[:40], seed=5, seconds=8, folder=tmp_path)
    report = await run(plan, Console(stderr=True), lambda _text: None)
    account = report.account
    assert [one.what for one in account.differences] == []
    assert account.conversations == 40
    assert account.episodes == account.outcomes > 30
    assert account.surveys > 5
    assert account.trailing["thanks"] > 0
    assert report.surprises == []
    assert {"billing", "orders"} <= {group["key"] for group in report.by_team["groups"]}
    assert report.by_topic["total"]["volume"]["n"] == account.outcomes
    books = read_books(read_record(tmp_path / "record.jsonl"))
    assert len(books.messages) == account.messages
    json.dumps(document(report, []))


async def test_a_platform_that_cannot_start_says_why(tmp_path):
    with pytest.raises(HostFailed, match="ended with code"):
        async with DemoHost({"CENTRALINO_PORT": "-1", "CENTRALINO_LEASE_SECONDS": "-1"}):
            pass


def played(messages: Path, seconds: int) -> dict[str, Any]:
    """What the command says, and nothing else on stdout, of two conversations played from a file."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "services",
            "demo",
            "--json",
            f"--input={messages}",
            f"--seconds={seconds}",
        ],
        capture_output=True,
        timeout=180,
        env={**os.environ, "COLUMNS": "120"},
        check=False,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, told["lost"], told["doubled"], told["differences"]) == (0, 0, 0, [])
    assert told["conversations"] == 2
    return told


def test_the_command_prints_one_json_document_and_nothing_else_on_stdout(tmp_path: Path):
    messages = tmp_path / "some.csv"
    messages.write_text("text,lang\nwhere is my parcel?,en\n ,en\nnon riesco ad accedere,it\n")
    told = played(messages, 2)
    assert told["skipped"] == [{"source": "some.csv", "line": 3, "reason": "empty text"}]
    Path(told["record"]).unlink()


def test_a_mailbox_is_played_and_its_threads_become_conversations(tmp_path: Path):
    box_path = tmp_path / "some.mbox"
    box = mailbox.mbox(box_path)
    for number, (sender, answers, text) in enumerate(
        (
            ("Tom <tom@customers.example>", 0, "Where is my parcel? It should have come on Monday."),
            ("Ina <ina@customers.example>", 0, "Non riesco ad accedere al mio conto."),
            ("Tom <tom@customers.example>", 1, "It is still not here."),
            ("Eve <eve@customers.example>", 0, ""),
        ),
        1,
    ):
        mail = EmailMessage()
        mail["From"], mail["Subject"] = sender, "Please help"
        mail["Message-ID"] = f"<mail-{number}@customers.example>"
        if answers:
            mail["In-Reply-To"] = f"<mail-{answers}@customers.example>"
        mail.set_content(text)
        box.add(mail)
    box.close()
    told = played(box_path, 4)
    [skipped] = told["skipped"]
    assert (skipped["source"], skipped["line"]) == ("some.mbox", 4)
    assert "no plain text in it" in skipped["reason"]
    record = read_books(read_record(Path(told["record"])))
    assert len(record.messages) == told["messages"] >= 3
    Path(told["record"]).unlink()
