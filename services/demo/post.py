"""Mail: letters of simulated customers, and the loopback letter box where the platform's answers arrive."""

import asyncio
import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

_LINK: Final = re.compile(r"https?://\S+/survey/v1/\S+")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that reached a customer. `link` is that of a survey, empty in any other mail."""

    message_id: str
    references: str
    subject: str
    text: str
    link: str
    reply_to: str


def compose(
    name: str,
    address: str,
    to: str,
    subject: str,
    text: str,
    message_id: str,
    answers: Letter | None,
    before: str,
) -> bytes:
    """A raw mail. `before` is the Message-ID of the customer's own earlier mail, used when there is nothing to answer."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = formataddr((name, address))
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = message_id
    if answers is not None:
        mail["In-Reply-To"] = answers.message_id
        mail["References"] = f"{answers.references} {answers.message_id}".strip()
    elif before:
        mail["In-Reply-To"] = before
        mail["References"] = before
    mail.set_content(text)
    return mail.as_bytes()


def read_letter(raw: bytes) -> Letter:
    """What a mail program shows of a raw mail."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(preferencelist=("plain", "html"))
    text = str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
    return Letter(
        message_id=str(mail.get("Message-ID", "")).strip(),
        references=" ".join(str(mail.get("References", "")).split()),
        subject=str(mail.get("Subject", "")),
        text=text.strip(),
        link=survey_link(text),
        reply_to=str(mail.get("Reply-To") or mail.get("From") or ""),
    )


def survey_link(text: str) -> str:
    """The address of the survey page in a text, empty when there is none."""
    found = _LINK.search(text)
    return found.group().rstrip(".,)>\"'") if found else ""


class LetterBox:
    """An SMTP server on loopback. Letters go to whoever `expect`s them; one that comes twice is given once."""

    def __init__(self) -> None:
        self.port = 0
        self.unexpected = 0
        self.repeated = 0
        self._server: asyncio.Server | None = None
        self._readers: dict[str, Callable[[Letter], None]] = {}
        self._seen: set[tuple[str, str]] = set()

    async def __aenter__(self) -> "LetterBox":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, hostname="localhost", loop=loop), "127.0.0.1", 0
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    def expect(self, address: str, read: Callable[[Letter], None]) -> None:
        """Letters to that address are given to `read` from now on."""
        self._readers[address.lower()] = read

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by the SMTP server for each mail."""
        content: Any = envelope.content
        raw = content.encode() if isinstance(content, str) else bytes(content or b"")
        letter = read_letter(raw)
        for recipient in envelope.rcpt_tos:
            read = self._readers.get(recipient.lower())
            if read is None:
                self.unexpected += 1
            elif (recipient, letter.message_id) in self._seen:
                self.repeated += 1
            else:
                self._seen.add((recipient, letter.message_id))
                read(letter)
        return "250 taken"
