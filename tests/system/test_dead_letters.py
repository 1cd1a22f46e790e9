"""A dead letter by the command line, against a real database: listed, shown, handled again, gone."""

import asyncio
import json
from pathlib import Path
from subprocess import CompletedProcess

from libs.contracts import MessageReceived
from services.triage.service import definition
from tests.support.harness import ServiceUnderTest, running
from tests.system.processes import command

TEXT = "where is my parcel? the courier should have delivered it on monday"
BREAK = "ALTER TABLE triage.decisions ADD CONSTRAINT broken CHECK (conversation_id <> 'c1')"
MEND = "ALTER TABLE triage.decisions DROP CONSTRAINT broken"


async def _run_sql(triage: ServiceUnderTest, statement: str) -> None:
    async with triage.database.engines.web.begin() as connection:
        await connection.exec_driver_sql(statement)


async def test_a_dead_letter_is_handled_again_once_its_cause_is_mended(tmp_path: Path) -> None:
    async with running(definition) as triage:

        async def letters(*arguments: str) -> CompletedProcess[str]:
            """The command as a process of its own, on the database of the service."""
            return await asyncio.to_thread(
                command, tmp_path, "dead-letters", *arguments, DATABASE_URL=triage.url
            )

        async def listed() -> list[dict[str, str]]:
            done = await letters("list", "--json")
            assert done.returncode == 0, done.stderr
            return [json.loads(line) for line in done.stdout.splitlines()]

        async def decided() -> list[str]:
            return sorted(event.message_id for event in await triage.events("ConversationTriaged"))

        await _run_sql(triage, BREAK)
        await triage.publish(
            MessageReceived(message_id="m1", conversation_id="c1", message_seq=1, text=TEXT),
            MessageReceived(message_id="m2", conversation_id="c2", message_seq=1, text=TEXT),
        )
        await triage.settle()
        assert await decided() == ["m2"], "the message that cannot be stored dies alone"

        [letter] = await listed()
        assert (letter["service"], letter["group"], letter["key"]) == ("triage", "triage", "c1")
        assert letter["type"].endswith(".MessageReceived")
        assert "broken" in letter["error"]
        shown = json.loads((await letters("show", letter["id"])).stdout)
        assert (shown["state"], shown["content"]["message_id"], shown["content"]["text"]) == (
            "dead",
            "m1",
            TEXT,
        )

        too_early = await letters("retry", letter["id"])
        assert (too_early.returncode, too_early.stdout) == (1, "")
        assert f"{letter['id']} could not be handled by group triage and is kept" in too_early.stderr
        assert 'violates check constraint "broken"' in too_early.stderr
        assert f"centralino dead-letters show {letter['id']}" in too_early.stderr
        assert "Traceback" not in too_early.stderr
        assert TEXT not in too_early.stderr
        assert await listed() == [letter]
        assert await decided() == ["m2"]

        await _run_sql(triage, MEND)
        retried = await letters("retry", letter["id"])
        assert (retried.returncode, retried.stdout) == (0, f"{letter['id']} was handled\n"), retried.stderr
        assert await decided() == ["m1", "m2"]
        assert await listed() == []
        again = await letters("retry", letter["id"])
        assert again.returncode == 2
        assert f"{letter['id']} is retried already" in again.stderr
