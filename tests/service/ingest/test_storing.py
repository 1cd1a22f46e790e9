"""Payloads are kept safely, for as long as promised, and what cannot be read or stored is said so."""

import asyncio
import base64
import os
import stat
from pathlib import Path

import httpx
import pytest

from libs.contracts import PayloadAccepted
from libs.storage import Database, Engines, execute, fetch_all
from libs.telemetry import metrics
from libs.web import KeyFileError, Unavailable
from services.ingest.adapters.keys import SealBroken, Sealer, load_keys
from services.ingest.adapters.raw_writer import RawMessage, RawWriter
from services.ingest.settings import IngestSettings
from services.ingest.workers.retention import RawRetention
from services.ingest.workers.watching import Watch
from tests.support.harness import START_MS, ServiceUnderTest

DAY_MS = 86_400_000


def raw(id_: str, key: str | None = None) -> RawMessage:
    return RawMessage(id_, "scope", key, b"hash", "web", "k", b"sealed", START_MS, f"sender-{id_}")


async def count(ingest: ServiceUnderTest, where: str) -> int:
    async with ingest.database.read() as connection:
        [(number,)] = await fetch_all(connection, f"SELECT count(*) FROM ingest.raw_messages WHERE {where}")
    return int(number)


async def test_payloads_leave_after_a_week_and_keys_after_three_months(
    ingest: ServiceUnderTest, backend: httpx.AsyncClient
) -> None:
    retention = RawRetention(ingest.database, IngestSettings())
    body, headers = {"channel": "api", "text": "Hello"}, {"Idempotency-Key": "k"}
    first = (await backend.post("/v1/messages", json=body, headers=headers)).json()
    await ingest.settle()
    await backend.post("/v1/messages", json=body, headers={"Idempotency-Key": "late"})
    ingest.clock.advance(7 * DAY_MS)
    assert await retention.sweep() == (0, 0)
    ingest.clock.advance(1)
    assert await retention.sweep() == (1, 0)
    assert await count(ingest, "payload IS NOT NULL AND provider_id = 'late'") == 1
    again = (await backend.post("/v1/messages", json=body, headers=headers)).json()
    assert again["message_id"] == first["message_id"]
    ingest.clock.advance(83 * DAY_MS)
    assert await retention.sweep() == (0, 2)
    later = (await backend.post("/v1/messages", json=body, headers=headers)).json()
    assert later["message_id"] != first["message_id"]


async def test_what_was_late_to_be_normalised_is_blanked_later(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    retention = RawRetention(ingest.database, IngestSettings())
    await visitor.post("/v1/messages", json={"channel": "web", "text": "Hello"})
    ingest.clock.advance(7 * DAY_MS + 1)
    assert await retention.sweep() == (0, 0)
    await ingest.settle()
    assert await retention.sweep() == (1, 0)


async def test_a_payload_that_does_not_decrypt_is_a_dead_letter(
    ingest: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    for text in ("one", "two", "three"):
        await visitor.post("/v1/messages", json={"channel": "web", "text": text})
    async with ingest.database.begin() as uow:
        await execute(
            uow.connection,
            "UPDATE ingest.raw_messages SET payload = set_byte(payload, 20, get_byte(payload, 20) # 1)"
            " WHERE id = (SELECT min(id) FROM ingest.raw_messages)",
        )
        await uow.commit()
    await ingest.settle()
    assert len(await ingest.events("MessageReceived")) == 2
    async with ingest.database.read() as connection:
        [(error,)] = await fetch_all(connection, "SELECT error FROM ingest.dead_letters")
    assert "does not decrypt" in error


async def test_a_payload_that_is_gone_is_a_dead_letter(ingest: ServiceUnderTest) -> None:
    await ingest.publish(PayloadAccepted(raw_id="nothing", sender_key="x"))
    await ingest.settle()
    async with ingest.database.read() as connection:
        [(error,)] = await fetch_all(connection, "SELECT error FROM ingest.dead_letters")
    assert "not stored" in error


async def test_writers_of_one_group_get_their_own_answers(ingest: ServiceUnderTest) -> None:
    writer = RawWriter(ingest.database, most_pending=100, group_rows=3)
    stored = await asyncio.gather(*[writer.write(raw(f"id-{n}", f"key-{n % 4}")) for n in range(12)])
    assert [one.id for one in stored] == [f"id-{n % 4}" for n in range(12)]
    assert [one.repeated for one in stored] == [n >= 4 for n in range(12)]


async def test_more_than_may_wait_are_asked_to_come_back(ingest: ServiceUnderTest) -> None:
    writer = RawWriter(ingest.database, most_pending=2, group_rows=1)
    answers = await asyncio.gather(*[writer.write(raw(f"id-{n}")) for n in range(5)], return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 3
    assert (await writer.write(raw("id-9"))).id == "id-9"


async def test_a_caller_who_goes_away_takes_nobody_with_them(ingest: ServiceUnderTest) -> None:
    writer = RawWriter(ingest.database, most_pending=100, group_rows=100)
    tasks = [asyncio.create_task(writer.write(raw(f"id-{n}"))) for n in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert [one.id for one in results if not isinstance(one, BaseException)] == ["id-0", "id-2", "id-3"]


async def test_with_the_database_away_everybody_is_told_and_later_it_goes_on(
    ingest: ServiceUnderTest,
) -> None:
    away = Engines.connect("postgresql://nobody@127.0.0.1:9/none", web_connections=2, stream_connections=1)
    writer = RawWriter(Database(away, "ingest", ingest.clock, ingest.log), most_pending=100, group_rows=100)
    for _ in range(2):
        answers = await asyncio.gather(
            *[writer.write(raw(f"id-{n}")) for n in range(5)], return_exceptions=True
        )
        assert all(isinstance(answer, OSError) for answer in answers), answers
    await away.dispose()


def test_the_key_file_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    sealer, signer = load_keys(tmp_path, "", "")
    path = tmp_path / "ingest-keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, same = load_keys(tmp_path, "", "")
    assert again.open(sealer.seal(b"text", "id"), "id", sealer.key_id) == b"text"
    assert same.receipt("m") == signer.receipt("m")
    os.chmod(path, 0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keys(tmp_path, "", "")


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("", "it is no JSON"),
        ("{}", "the lists raw and signing are not there"),
        ("[]", "the lists raw and signing are not there"),
        ('{"raw": ["x"], "signing": ["y"]}', "1 characters that are no base64"),
        ('{"raw": ["c2hvcnQ="], "signing": ["y"]}', "5 bytes"),
        ('{"raw": [], "signing": []}', "a list of keys is empty"),
    ],
)
def test_a_key_file_that_is_none_stops_the_start(tmp_path: Path, content: str, seen: str) -> None:
    path = tmp_path / "ingest-keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        load_keys(tmp_path, "", "")
    said = str(caught.value)
    assert said.startswith(f"{path} holds no usable key: {seen}")
    assert '; expected {"raw": [KEY, ...]' in said
    assert "Restore it from a backup, or move it away" in said


def test_a_key_in_a_setting_that_is_none_names_the_setting(tmp_path: Path) -> None:
    good = base64.b64encode(b"k" * 32).decode()
    for raw, signing, said in (
        ("c2hvcnQ=", good, "CENTRALINO_INGEST_RAW_KEY is no key: 5 bytes; expected 32 bytes in base64"),
        (good, "c2hvcnQ", "CENTRALINO_INGEST_SIGNING_KEY is no key: 7 characters that are no base64"),
    ):
        with pytest.raises(KeyFileError) as caught:
            load_keys(tmp_path, raw, signing)
        assert str(caught.value).startswith(said)
        assert "openssl rand" in str(caught.value)
        assert "c2hvcnQ" not in str(caught.value)


def test_old_keys_still_open_what_they_sealed() -> None:
    old, new = b"o" * 32, b"n" * 32
    sealed = Sealer([old]).seal(b"text", "id")
    rotated = Sealer([new, old])
    assert rotated.open(sealed, "id", Sealer([old]).key_id) == b"text"
    assert rotated.key_id == Sealer([new]).key_id
    with pytest.raises(SealBroken, match="not configured"):
        Sealer([new]).open(sealed, "id", Sealer([old]).key_id)


def test_a_payload_opens_under_its_own_id_only() -> None:
    sealer = Sealer([b"k" * 32])
    with pytest.raises(SealBroken, match="does not decrypt"):
        sealer.open(sealer.seal(b"text", "one"), "two", sealer.key_id)


async def test_what_waits_is_counted(ingest: ServiceUnderTest, visitor: httpx.AsyncClient) -> None:
    watch = Watch(ingest.database, ingest.log)
    for _ in range(3):
        await visitor.post("/v1/messages", json={"channel": "web", "text": "Hello"})
    await watch.look()
    assert metrics.ingest_backlog._value.get() == 3
    await ingest.settle()
    await watch.look()
    assert metrics.ingest_backlog._value.get() == 0
