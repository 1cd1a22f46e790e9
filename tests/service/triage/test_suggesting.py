"""`centralino models suggest`, run as the command: groups of what nobody could name, accepted by a person."""

import csv
import json
from pathlib import Path

import pytest

from libs.runtime import SystemClock
from libs.runtime.assembly import prepare_database
from libs.storage import Database, Engines
from libs.streams import Log
from services.registry import services
from services.triage.adapters.tables import UNNAMED, Unnamed
from tests.support.postgres import create_database, drop_database
from tests.system.processes import command

_RECYCLING = (
    ("do you take back old toasters for recycling", "en"),
    ("where can I hand in my old kettle for recycling", "en"),
    ("can I bring you my old vacuum cleaner to be recycled", "en"),
    ("ritirate i vecchi elettrodomestici per il riciclo?", "it"),
    ("dove posso portare il vecchio frullatore da riciclare", "it"),
    ("kann ich mein altes Bügeleisen bei euch zum Recycling abgeben", "de"),
)
_OTHERS = (
    ("my neighbour plays the trumpet at night", "en"),
    ("il gatto dorme sul divano", "it"),
    ("qqx wvv zzkp", "und"),
)


async def _waiting(url: str, texts: list[tuple[str, str]]) -> None:
    engines = Engines.connect(url, web_connections=2, stream_connections=1)
    log = Log(engines.streams)
    async with Database(engines, "triage", SystemClock(), log).begin() as uow:
        rows = uow.rows(UNNAMED)
        for number, (text, language) in enumerate(texts):
            rows.put(Unnamed(f"c{number}", 1, "anna", text, language, uow.now_ms - number))
        await uow.commit()
    await engines.dispose()


@pytest.mark.slow
async def test_a_person_runs_it_names_a_group(tmp_path: Path) -> None:
    url = await create_database()
    try:
        await prepare_database(url, services())

        def run(*arguments: str) -> tuple[int, str, str]:
            done = command(tmp_path / "data", "models", "suggest", *arguments, DATABASE_URL=url)
            return done.returncode, done.stdout, done.stderr

        to = tmp_path / "groups.csv"
        code, out, err = run("--to", str(to))
        assert (code, out) == (0, "")
        assert "Nothing to suggest: 0 conversations wait" in err
        assert not to.exists()

        await _waiting(url, [*_RECYCLING, *_OTHERS])
        code, out, err = run("--to", str(to), "--name", "1=recycling", "--json")
        assert code == 0, err
        (group,) = json.loads(out)
        assert (group["label"], len(group["texts"])) == ("recycling", 6)
        with to.open(encoding="utf-8", newline="") as source:
            rows = list(csv.DictReader(source))
        assert {row["label"] for row in rows} == {"recycling"}
        assert {(row["text"], row["lang"]) for row in rows} == set(_RECYCLING)

        code, _, err = run("--to", str(to), "--name", "7=recycling")
        assert code == 2
        assert "there is no group 7" in " ".join(err.split()), err
    finally:
        await drop_database(url)
