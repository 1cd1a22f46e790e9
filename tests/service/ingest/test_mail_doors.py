"""Mail by SMTP, LMTP and IMAP: taken only when durable, sent again while it is not, and read on where it was."""

import asyncio
import smtplib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import ValidationError

from libs.storage import fetch_all
from libs.web import Unavailable
from services.ingest.account_parts import ImapBox
from services.ingest.accounts import Accounts, ChannelAccount
from services.ingest.api.mail_door import MailDoor, traced
from services.ingest.domain.fetching import Position, begin
from services.ingest.domain.model import ChannelName
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from tests.service.ingest.mails import mail
from tests.support.harness import ServiceUnderTest, running
from tests.support.imap import imap_server

T = TypeVar("T")
HELP, MEBIBYTE = "help@shop.example", 1024 * 1024


class Storing:
    """Takes what is put before it, and fails as often as it is told."""

    def __init__(self) -> None:
        self.accounts = Accounts((ChannelAccount(channel=ChannelName.MAIL, id="help", address=HELP),))
        self.faults: list[Exception] = []
        self.taken: list[tuple[str, bytes]] = []

    async def mail(self, account: str, raw: bytes, key: str | None, wait_s: float) -> Any:
        if self.faults:
            raise self.faults.pop(0)
        self.taken.append((account, raw))
        return type("State", (), {"message_id": f"m{len(self.taken)}"})


@asynccontextmanager
async def door(storing: Any, **options: Any) -> AsyncIterator[MailDoor]:
    made = MailDoor(storing, IngestSettings(mail_in_port=0, **options))
    stop = asyncio.Event()
    running_ = asyncio.create_task(made.run(stop))
    async with asyncio.timeout(10):
        while not made.port:
            await asyncio.sleep(0.01)
    try:
        yield made
    finally:
        stop.set()
        await running_


async def speaking(work: Callable[[], T]) -> T:
    """A client that blocks, beside the server."""
    return await asyncio.to_thread(work)


def hand_over(port: int, raw: bytes, *recipients: str, kind: type[smtplib.SMTP] = smtplib.SMTP) -> Any:
    with kind("127.0.0.1", port, timeout=30) as client:
        lines = raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")
        return client.sendmail("ada@example.org", list(recipients or (HELP,)), lines)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key in one file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [*made, "-keyout", key, "-out", path, "-days", "2", "-subj", "/CN=localhost"],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + key.read_text())
    return path


async def test_a_mail_by_smtp_gets_its_account_its_sender_and_its_recipient() -> None:
    storing = Storing()
    async with door(storing) as opened:
        raw = mail("Dots:\n.\n..\n.hidden", to=HELP)
        assert await speaking(lambda: hand_over(opened.port, raw, "HELP+c1234@shop.example")) == {}
    [(account, taken)] = storing.taken
    assert account == "help"
    head, _, body = taken.partition(b"\r\n\r\n")
    assert head.splitlines()[:2] == [
        b"Return-Path: <ada@example.org>",
        b"Delivered-To: <HELP+c1234@shop.example>",
    ]
    assert body.splitlines()[:4] == [b"Dots:", b".", b"..", b".hidden"]


async def test_lmtp_is_spoken_where_it_is_chosen() -> None:
    storing = Storing()
    async with door(storing, mail_in_protocol="lmtp") as opened:
        await speaking(lambda: hand_over(opened.port, mail(to=HELP), kind=smtplib.LMTP))
        with pytest.raises(smtplib.SMTPException):
            await speaking(lambda: hand_over(opened.port, mail(to=HELP)))
    assert len(storing.taken) == 1


@pytest.mark.parametrize(
    "fault", [Unavailable("too many"), ConnectionRefusedError(111, "away"), RuntimeError("unforeseen")]
)
async def test_what_cannot_be_stored_is_asked_for_again_and_never_given_up(fault: Exception) -> None:
    storing = Storing()
    storing.faults = [fault]
    async with door(storing) as opened:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await speaking(lambda: hand_over(opened.port, mail(to=HELP)))
        assert refused.value.smtp_code == 451
        await speaking(lambda: hand_over(opened.port, mail(to=HELP)))
    assert len(storing.taken) == 1


async def test_the_door_is_no_relay_and_takes_one_recipient_a_mail() -> None:
    storing = Storing()
    async with door(storing) as opened:
        for stranger in ("you@elsewhere.example", "help@shop.example.evil.example", "helper@shop.example"):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                await speaking(lambda to=stranger: hand_over(opened.port, mail(to=HELP), to))  # type: ignore[misc]
            assert refused.value.recipients[stranger][0] == 550
        left = await speaking(lambda: hand_over(opened.port, mail(to=HELP), HELP, "help+2@shop.example"))
        assert left["help+2@shop.example"][0] == 452
    assert len(storing.taken) == 1


async def test_25_megabytes_are_told_taken_and_the_limit() -> None:
    storing = Storing()
    line = b"x" * 990 + b"\r\n"

    def announced(port: int, size: int) -> tuple[int, str]:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.ehlo()
            code, _ = client.mail("ada@example.org", [f"size={size}"])
            return code, client.esmtp_features["size"]

    async with door(storing) as opened:
        assert await speaking(lambda: announced(opened.port, 26 * MEBIBYTE)) == (552, str(25 * MEBIBYTE))
        assert (await speaking(lambda: announced(opened.port, 24 * MEBIBYTE)))[0] == 250
        large = mail(to=HELP).replace(b"\n", b"\r\n") + line * (24 * MEBIBYTE // len(line))
        await speaking(lambda: hand_over(opened.port, large))
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            # Without SIZE, as old programs send.
            await speaking(lambda: _without_size(opened.port, large + line * (2 * MEBIBYTE // len(line))))
        assert refused.value.smtp_code == 552
    assert [len(raw) > 23 * MEBIBYTE for _, raw in storing.taken] == [True]


def _without_size(port: int, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.helo()
        client.sendmail("ada@example.org", [HELP], raw)


async def test_starttls_is_offered_with_a_certificate_and_can_be_demanded(certificate: Path) -> None:
    storing = Storing()
    trusted = ssl.create_default_context(cafile=str(certificate))
    trusted.check_hostname = False

    def secretly(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.starttls(context=trusted)
            client.sendmail("ada@example.org", [HELP], mail(to=HELP) + b"\r\n")

    async with door(storing, mail_in_certificate=certificate, mail_in_require_tls=True) as opened:
        with pytest.raises(smtplib.SMTPException, match="STARTTLS"):
            await speaking(lambda: hand_over(opened.port, mail(to=HELP)))
        await speaking(lambda: secretly(opened.port))
    assert len(storing.taken) == 1
    with pytest.raises(ValidationError, match="need mail_in_certificate"):
        IngestSettings(mail_in_port=0, mail_in_require_tls=True)


async def test_connections_beyond_the_limit_are_told_to_come_again() -> None:
    storing = Storing()
    async with door(storing, mail_in_connections=1) as opened:

        def two() -> int:
            with smtplib.SMTP("127.0.0.1", opened.port, timeout=30) as first:
                first.ehlo()
                with pytest.raises(smtplib.SMTPException) as refused:
                    hand_over(opened.port, mail(to=HELP))
                first.sendmail("ada@example.org", [HELP], mail(to=HELP))
            return getattr(refused.value, "smtp_code", 0)

        assert await speaking(two) in (421, 0, -1)
        await asyncio.sleep(0.05)
        await speaking(lambda: hand_over(opened.port, mail(to=HELP)))
    assert len(storing.taken) == 2


async def test_a_connection_cut_in_the_middle_of_a_mail_leaves_nothing() -> None:
    storing = Storing()
    async with door(storing) as opened:
        reader, writer = await asyncio.open_connection("127.0.0.1", opened.port)
        for line in (b"EHLO a", b"MAIL FROM:<a@b.example>", f"RCPT TO:<{HELP}>".encode(), b"DATA"):
            await reader.readline()
            writer.write(line + b"\r\n")
        writer.write(b"Subject: half\r\n\r\nnot the en")
        await writer.drain()
        writer.close()
        await asyncio.sleep(0.05)
        await speaking(lambda: hand_over(opened.port, mail(to=HELP)))
    assert len(storing.taken) == 1


def test_headers_cannot_be_slipped_in_by_an_address() -> None:
    assert traced(b"A: b\r\n\r\n", "", HELP).startswith(b"Return-Path: <>\r\nDelivered-To: <")
    assert traced(b"", "a@b.example>\r\nBcc: x", "h\r\nX: y") == b""


def test_reading_goes_on_where_it_was_and_after_new_numbers_since_the_last_mail() -> None:
    never = Position(0, 0, 0)
    assert begin(never, 7, 100, 5_000, all_at_first=False) == Position(7, 99, 5_000)
    assert begin(never, 7, 100, 5_000, all_at_first=True) == Position(7, 0, 0)
    known = Position(7, 99, 4_000)
    assert begin(known, 7, 120, 5_000, all_at_first=False) == known
    again = begin(known, 8, 3, 5_000, all_at_first=False)
    assert again == Position(8, 0, 4_000, 4_000)
    assert begin(again.at(2), 8, 3, 6_000, all_at_first=False) == Position(8, 2, 4_000, 4_000)
    assert again.at(2).caught_up(6_000, 9) == Position(8, 8, 6_000)
    assert known.caught_up(6_000, 200) == Position(7, 99, 6_000)


def _box(port: int, **fields: Any) -> ChannelAccount:
    box = ImapBox(
        host="127.0.0.1",
        port=port,
        tls="none",
        user="help",
        **{"password": "right", "first": "all", **fields},
    )
    return ChannelAccount(channel=ChannelName.MAIL, address="support@localhost.localdomain", imap=box)


@asynccontextmanager
async def reading(port: int, **fields: Any) -> AsyncIterator[ServiceUnderTest]:
    async with running(
        definition, IngestSettings(accounts=(_box(port, **fields),), imap_poll_s=0.3)
    ) as service:
        yield service


async def stored(service: ServiceUnderTest, count: int) -> int:
    async with asyncio.timeout(30):
        while True:
            async with service.database.read() as connection:
                [(found,)] = await fetch_all(connection, "SELECT count(*) FROM ingest.raw_messages")
            if found >= count:
                return int(found)
            await asyncio.sleep(0.02)


def _numbered(number: int) -> bytes:
    return mail(f"Mail {number}", message_id=f"<{number}@example.org>")


async def test_a_mailbox_is_read_on_over_cuts_new_numbers_large_mails_and_other_passwords() -> None:
    async with imap_server(hang_up_at=2) as server:
        for number in (1, 2, 3):
            server.add(_numbered(number))
        async with reading(server.port) as service:
            # The connection broke at the second mail: nothing is skipped, nothing doubled.
            assert await stored(service, 3) == 3
            server.add(_numbered(4))
            assert await stored(service, 4) == 4
            assert "IDLE" in server.commands
            assert not {"STORE", "EXPUNGE", "COPY", "MOVE", "SELECT"} & set(server.commands)
            # The mailbox was made anew: other numbers, one mail that is old, one that is new.
            before = list(server.fetched)
            server.mails = {10: _numbered(3), 11: _numbered(4), 12: _numbered(5), 13: _numbered(99)}
            server.days = {13: date(2001, 1, 1)}
            server.uid_validity = 8
            server.restart()
            assert await stored(service, 5) == 5
            huge = mail("x" * 100, subject="Too large", message_id="<6@example.org>") + b"x" * (
                25 * MEBIBYTE + 1
            )
            server.add(huge)
            assert await stored(service, 6) == 6
            await service.settle()
            received = await service.events("MessageReceived")
            told = sorted(event.text.split("\n")[0] for event in received)
            assert told[1:] == [f"Mail {number}" for number in (1, 2, 3, 4, 5)]
            assert "too large to be taken" in told[0]
            assert "Too large" in {event.subject for event in received}
            assert 13 not in server.fetched[len(before) :]


async def test_a_mailbox_that_lets_nobody_in_is_tried_again_and_only_new_mails_are_read() -> None:
    async with imap_server(password="other", idle=False) as server:
        server.add(_numbered(1))
        async with reading(server.port, first="new") as service:
            async with asyncio.timeout(20):
                while "LOGIN" not in server.commands:
                    await asyncio.sleep(0.02)
            server.password = "right"
            async with asyncio.timeout(20):
                while "SEARCH" not in " ".join(server.commands) and "NOOP" not in server.commands:
                    await asyncio.sleep(0.02)
            server.add(_numbered(2))
            assert await stored(service, 1) == 1
            await service.settle()
            assert [event.text for event in await service.events("MessageReceived")] == ["Mail 2"]
