"""`centralino config` against a running platform: what it exports goes in again, and one changed word is one change."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from services.operators.configuration import app
from tests.system.conftest import RunningHost


def run(host: RunningHost, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--url", host.url, "--data", str(host.data)])


def test_what_is_exported_goes_in_again_and_a_change_is_one_change(host: RunningHost, tmp_path: Path) -> None:
    file = tmp_path / "now.yaml"
    exported = run(host, "export", str(file))
    assert exported.exit_code == 0, exported.output
    assert run(host, "diff", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    renamed = text.replace("{id: general, name: General}", "{id: general, name: Everything else}")
    assert renamed != text
    file.write_text(renamed, encoding="utf-8")
    told = run(host, "diff", str(file), "--json")
    [change] = json.loads(told.stdout)
    assert (told.exit_code, change["entity"], change["becomes"]) == (1, "team general", "Everything else")
    applied = run(host, "apply", str(file), "--yes", "--reason", "a better name")
    assert applied.stdout == "~ team general: name: General -> Everything else\n"
    assert run(host, "apply", str(file), "--yes").stdout == "no difference\n"
    file.write_text(text, encoding="utf-8")
    assert run(host, "apply", str(file), "--yes").exit_code == 0


def test_a_platform_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    nobody = CliRunner().invoke(app, ["export", "--url", "http://127.0.0.1:9", "--data", str(tmp_path)])
    assert nobody.exit_code == 2
    assert "no answer from http://127.0.0.1:9" in nobody.stderr
