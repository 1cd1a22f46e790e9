"""Mails of every kind that arrives are read right: sender, subject, text, what is quoted, thread, robot, files."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import command_line
from services.ingest.adapters.inspecting import inspect_mail
from services.ingest.domain.attachments import safe_name, serving_headers, sniff
from tests.service.ingest.mail_kinds import KINDS

_LOOKED_UP = {
    "thread": lambda found: found["thread_keys"]["references"][0],
    "cases": lambda found: found["thread_keys"]["case_references"],
    "names": lambda found: [one["name"] for one in found["attachments"]],
    "types": lambda found: [one["type"] for one in found["attachments"]],
    "left_out": lambda found: found["attachments_left_out"],
}


def test_there_are_sixty_kinds_and_more() -> None:
    assert len(KINDS) >= 60


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_mail_of_each_kind_is_read_right(name: str) -> None:
    kind = KINDS[name]
    found = inspect_mail(kind.raw, b"key")
    seen: dict[str, Any] = {
        what: _LOOKED_UP[what](found) if what in _LOOKED_UP else found[what] for what in kind.expect
    }
    assert seen == kind.expect
    json.dumps(found).encode()


def test_parse_prints_what_is_made_of_a_mail_and_of_a_payload(tmp_path: Any) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(KINDS["attached picture"].raw)
    said = CliRunner().invoke(command_line(["ingest"]), ["ingest", "parse", str(path)])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["attachments"][0]["type"] == "image/png"
    (tmp_path / "other.eml").write_bytes(KINDS["signature"].raw)
    lines = (
        CliRunner()
        .invoke(command_line(["ingest"]), ["ingest", "parse", str(tmp_path)])
        .stdout.strip()
        .split("\n")
    )
    assert [json.loads(line)["automatic"] for line in lines] == [False, False]
    hook = tmp_path / "update.json"
    hook.write_text('{"update_id": 1, "message": {"chat": {"id": 7}, "text": "hi"}}')
    said = CliRunner().invoke(
        command_line(["ingest"]), ["ingest", "parse", str(hook), "--channel", "telegram"]
    )
    assert json.loads(said.stdout)["items"][0]["says"][0]["text"] == "hi"
    said = CliRunner().invoke(command_line(["ingest"]), ["ingest", "parse", str(hook), "--channel", "pigeon"])
    assert said.exit_code == 2
    assert "pigeon" in said.output


def test_a_strangers_file_is_never_handed_out_as_a_page() -> None:
    for data in (b"<svg onload=x>", b"<html>", b"\xef\xbb\xbf <!-- c --><script>", b"%PDF-1", b"text"):
        headers = serving_headers("a.png", sniff(data, "image/png"))
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert serving_headers("a.png", sniff(b"\x89PNG\r\n\x1a\n", "text/html"))["Content-Type"] == "image/png"


@pytest.mark.parametrize("name", ["", "..", "a\r\nX: y", "x" * 500 + ".pdf", "\u202e", "C:\\a\\b", "a/b"])
def test_a_file_name_is_safe(name: str) -> None:
    safe = safe_name(name, "application/pdf")
    assert 0 < len(safe) <= 120
    assert not set(safe) & set("\r\n/\\\u202e")
    assert "\r" not in serving_headers(safe, "application/pdf")["Content-Disposition"]
