"""A customer is forgotten: a marker that came by every channel, in texts, names and files, is nowhere afterwards."""

import asyncio
import json
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.hosts import platform
from libs.contracts import CustomerErased, full_name
from libs.storage import async_url
from services.registry import NAMES, services
from services.simulator.command import account_of
from services.simulator.shapes import SHAPES
from tests.support.postgres import create_database, drop_database
from tests.system.desk import TEXT, Desk, refused, until
from tests.system.processes import command

MARK = "zqmarker7f3"
SECRET = "secret-of-a-provider"
_FORGETTING = [
    service.name
    for service in services()
    if service.name == "ingest"
    or any(full_name(CustomerErased) in stream.events for stream in service.streams)
]
_MISSING = sorted(set(NAMES) - set(_FORGETTING))


@pytest.fixture
def database() -> Iterator[str]:
    url = asyncio.run(create_database())
    yield url
    asyncio.run(drop_database(url))


async def _where(url: str, mark: str) -> list[str]:
    """The tables, the log's too, in which the mark stands in a text or in bytes."""
    engine = create_async_engine(async_url(url))
    try:
        async with engine.connect() as connection:
            tables = await connection.execute(
                text(
                    "SELECT schemaname, tablename FROM pg_tables"
                    " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
                )
            )
            found = []
            for schema, table in tables.all():
                count = await connection.scalar(
                    text(
                        f'SELECT count(*) FROM "{schema}"."{table}" t WHERE t::text ILIKE :plain OR t::text ILIKE :hex'
                    ),
                    {"plain": f"%{mark}%", "hex": f"%{mark.encode().hex()}%"},
                )
                if count:
                    found.append(f"{schema}.{table}: {count}")
            return found
    finally:
        await engine.dispose()


async def _customers(url: str) -> dict[str, str]:
    """Customers with the channel by which they are known."""
    engine = create_async_engine(async_url(url))
    try:
        async with engine.connect() as connection:
            rows = await connection.execute(text("SELECT customer_id, channel FROM ingest.identities"))
            return {str(customer): str(channel) for customer, channel in rows.all()}
    finally:
        await engine.dispose()


def _mail() -> bytes:
    mail = EmailMessage()
    mail["From"] = f"{MARK} Smith <{MARK}@mail.example>"
    mail["To"] = "support@localhost.localdomain"
    mail["Subject"] = f"My order {MARK}"
    mail["Message-ID"] = f"<{MARK}@mail.example>"
    mail.set_content(f"{TEXT} {MARK}")
    mail.add_attachment(f"bill of {MARK}".encode(), "text", "plain", filename=f"{MARK}.txt")
    return mail.as_bytes()


def _plant(desk: Desk, url: str) -> int:
    """The marker comes in by every door. Returns by how many people."""
    by_mail = desk.ask(
        "POST",
        "/ingest/v1/mail?account=default",
        "service",
        content=_mail(),
        headers={"Content-Type": "message/rfc822", "Idempotency-Key": MARK},
    )
    assert by_mail.status_code == 202, by_mail.text
    sender = {"external_id": f"{MARK}-42", "name": MARK, "email": f"{MARK}@shop.example"}
    body = {"channel": "api", "sender": sender, "text": f"{TEXT} {MARK}"}
    desk.done("POST", "/ingest/v1/messages", "service", json=body, headers={"Idempotency-Key": f"api-{MARK}"})
    form = {"channel": "web", "sender": {"email": f"{MARK}@form.example"}, "text": f"{TEXT} {MARK}"}
    desk.done("POST", "/ingest/v1/messages", None, json=form)
    session = desk.done("POST", "/ingest/v1/widget/chat/default/sessions", None, json={})
    said = {"id": "one", "text": f"{TEXT} {MARK}", "name": MARK, "email": f"{MARK}@chat.example"}
    desk.done(
        "POST",
        "/ingest/v1/widget/chat/default/messages",
        None,
        json=said,
        headers={"X-Widget-Session": session["session"]},
    )
    for number, (name, shape) in enumerate(sorted(SHAPES.items())):
        payload = shape.message(number, f"+4072200{number:04d}", f"{TEXT} {MARK}")
        hook = f"{url}/ingest/v1/hooks/{name}/{name}"
        headers = {"Content-Type": payload.media_type}
        headers |= shape.sign(payload.body, hook, SECRET, int(time.time()))
        answer = desk.client.post(hook, content=payload.body, headers=headers)
        assert answer.status_code < 300, f"{name}: {answer.status_code} {answer.text}"
    return 4 + len(SHAPES)


def _work(desk: Desk, case: str) -> None:
    """An agent writes of them too, and they rate it."""
    desk.agent("anna")
    seen = desk.reads(case)
    version = seen["human_version"]
    desk.act("anna", case, "notes", {"text": f"She is called {MARK}"}, None)
    answer = desk.act("anna", case, "replies", {"text": f"Dear {MARK}, done.", "after_seq": 1}, version)
    assert answer.status_code == 201, answer.text
    resolved = desk.act("anna", case, "resolve", {"through_seq": 1}, version + 1)
    assert resolved.status_code == 200, resolved.text
    desk.outcome(case)

    def link() -> str | None:
        page = desk.done("GET", f"/survey/v1/invitations?conversation_id={case}", "supervisor")
        asked = [one for one in page["items"] if one["state"] == "requested"]
        return asked[0]["id"] if asked else None

    invitation = until(link, what="the invitation")
    path = desk.done("GET", f"/survey/v1/invitations/{invitation}/link", "service")["link"]
    token = path.rpartition("/")[2]
    rated = desk.client.post(
        f"/survey/v1/s/{token}", data={"score": "5", "comment": f"I am {MARK}"}, follow_redirects=True
    )
    assert rated.status_code < 400, rated.text
    until(lambda: desk.outcome(case)["csat_score"] or None, what="the answer in the outcome")


def test_a_marker_planted_in_every_channel_is_nowhere_after_the_erasure(database: str) -> None:
    accounts: list[Any] = [{"channel": channel} for channel in ("web", "chat", "api")]
    accounts.append({"channel": "mail", "address": "support@localhost.localdomain"})
    accounts += [account_of(shape, shape.name, SECRET, "http://127.0.0.1:9") for shape in SHAPES.values()]
    quick = {
        "DATABASE_URL": database,
        "CENTRALINO_SURVEY_DELAY_SECONDS": "0",
        "CENTRALINO_ANALYTICS_SETTLE_MS": "200",
        "CENTRALINO_INGEST_ACCOUNTS": json.dumps(accounts),
    }
    with platform(**quick) as (url, data):
        desk = Desk(url, data)
        people = _plant(desk, url)

        def all_here() -> Any:
            found = asyncio.run(_customers(database))
            return found if len(found) == people else None

        customers = until(all_here, 120, what=f"{people} customers")
        [case] = [
            one["id"]
            for one in until(
                lambda: desk.done("GET", "/agent/v1/conversations")["items"] or None, what="a conversation"
            )
            if one["channel"] == "api"
        ] or [None]
        assert case
        _work(desk, case)
        assert {row.split(":")[0] for row in asyncio.run(_where(database, MARK))} >= {
            "agent.messages",
            "agent.notes",
            "ingest.thread_entries",
            "log.events",
            "survey.answers",
        }
        assert _files_with(data, MARK), "the mail's attachment is kept"

        # Two of them are one person: one order forgets both.
        first, second = (
            next(customer for customer, known in customers.items() if known == channel)
            for channel in ("customer", "mail")
        )
        linked = {"customer_id": second, "reason": "same person"}
        desk.done("POST", f"/ingest/v1/customers/{first}/links", "agent", json=linked)
        order = {"customer_id": second, "reason": "asked for by letter"}
        refused(desk.ask("POST", "/ingest/v1/erasures", "supervisor", json=order), 403, "forbidden")
        made = desk.done("POST", "/ingest/v1/erasures", json=order)
        assert sorted(made["customer_ids"]) == sorted([first, second])
        again = desk.done("POST", "/ingest/v1/erasures", json=order)
        assert again["erasure_id"] == made["erasure_id"]
        ordered = [made["erasure_id"]]
        others = sorted(set(customers) - {first, second})
        by_command = command(
            data, "erase", others[0], "--reason", order["reason"], "--yes", "--json", "--url", url,
            "--wait", "1" if _MISSING else "60",
        )  # fmt: skip
        assert by_command.returncode == (1 if _MISSING else 0), by_command.stderr
        assert json.loads(by_command.stdout)["customer_ids"] == [others[0]]
        unknown = command(data, "erase", "nobody", "--reason", "x", "--yes", "--url", url)
        assert (unknown.returncode, "There is no customer nobody" in unknown.stderr) == (2, True)
        for customer in others:
            ordered.append(
                desk.done("POST", "/ingest/v1/erasures", json=order | {"customer_id": customer})["erasure_id"]
            )

        def done() -> Any:
            states = [desk.done("GET", f"/ingest/v1/erasures/{one}") for one in ordered]
            return states if all(one["missing"] == _MISSING for one in states) else None

        states = until(done, 120, what="all reports")
        assert {one["state"] for one in states} == ({"running"} if _MISSING else {"done"})
        reports = states[0]["reports"]
        assert reports["agent"]["notes"] == 1
        assert reports["agent"]["messages"] >= 3
        assert reports["survey"]["answers"] == 1
        assert reports["analytics"]["episodes"] == 1
        assert reports["ingest"]["attachments"] == 1
        assert reports["ingest"]["log"] > 0

        left = [one for one in asyncio.run(_where(database, MARK)) if one.split(".")[0] not in _MISSING]
        assert left == []
        assert _files_with(data, MARK) == []
        outcome = desk.done("GET", f"/analytics/v1/outcomes/{case}:1", "supervisor")
        assert (outcome["customer_id"], outcome["revision_cause"], outcome["csat_score"]) == ("", "erased", 5)
        kept = desk.done("GET", f"/analytics/v1/outcomes/{case}:1/revisions", "supervisor")["items"]
        assert {one["customer_id"] for one in kept} == {""}
        assert [one["revision"] for one in kept] == list(range(1, len(kept) + 1))
        audit = desk.done("GET", "/ingest/v1/erasures?limit=200")["items"]
        assert {(one["actor"], one["reason"]) for one in audit} == {
            ("tester", "asked for by letter"),
            ("erase", "asked for by letter"),
        }
        shown = desk.done("GET", f"/agent/v1/conversations/{case}")
        assert (shown["customer"]["name"], shown["subject"]) == ("", "")
        assert desk.unexpected() == 0


def _files_with(folder: Path, mark: str) -> list[str]:
    """Files of customers that hold the mark."""
    files = [path for path in (folder / "attachments").rglob("*") if path.is_file()]
    return [path.name for path in files if mark.encode() in path.read_bytes()]
