"""What an operator has set wrongly is said in a sentence: the variable, what was seen, what to do; never a trace."""

import asyncio
from pathlib import Path

import pytest

from tests.support.postgres import create_database, drop_database
from tests.system.processes import command


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CENTRALINO_PORT", "abc", "CENTRALINO_PORT: Input should be a valid integer"),
        ("CENTRALINO_SURVEY_CAP_DAYS", "-3", "CENTRALINO_SURVEY_CAP_DAYS: Input should be greater"),
        ("CENTRALINO_SURVEY_QUIET_FROM", "10:00", "quiet_from and quiet_until go together"),
        ("DATABASE_URL", "nonsense", "expected postgresql://user:password@host/name"),
        ("DATABASE_URL", "mysql://db/desk", "DATABASE_URL names 'mysql'; expected a postgresql:// address"),
        ("DATABASE_URL", "postgresql://me:open-sesame@127.0.0.1:1/desk", "check that it runs, and that"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, variable: str, value: str, said: str) -> None:
    port = {} if variable == "CENTRALINO_PORT" else {"CENTRALINO_PORT": "0"}
    refused = command(tmp_path, "run", **port, **{variable: value})
    assert refused.returncode == 1, refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert not (tmp_path / "postgres").exists(), "no database was made"
    assert "open-sesame" not in refused.stdout + refused.stderr


def test_a_key_file_that_is_none_is_refused(tmp_path: Path) -> None:
    keys = tmp_path / "token-keys.json"
    keys.write_text("{broken")
    keys.chmod(0o600)
    refused = command(tmp_path, "token")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{keys} holds no usable key: it begins like JSON and is none" in refused.stderr
    assert "expected a JWK Set" in refused.stderr
    assert "Restore it from a backup, or move it away" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["token-keys.json", "ingest-keys.json", "survey-keys.json"])
async def test_a_key_file_of_any_service_that_is_none_stops_the_start_in_a_sentence(
    tmp_path: Path, name: str
) -> None:
    keys = tmp_path / name
    keys.write_text("{}")
    keys.chmod(0o600)
    url = await create_database()
    try:
        refused = await asyncio.to_thread(command, tmp_path, "run", CENTRALINO_PORT="0", DATABASE_URL=url)
    finally:
        await drop_database(url)
    assert refused.returncode == 1
    assert f"{keys} holds no usable key" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
