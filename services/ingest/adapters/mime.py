"""Raw mail to what ingest needs of it. Never raises for what stands in a mail: the worst that comes is empty fields."""

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Final

from services.ingest.adapters.mail_parts import MailAttachment, guarded, read_parts
from services.ingest.domain.texts import one_line, storable

_LONGEST_HEADER: Final = 16_000
_ADDRESS: Final = re.compile(r"[^@\s<>\"',;]{1,128}@[^@\s<>\"',;]{1,190}")
_HEADERS: Final = (
    "auto-submitted",
    "return-path",
    "precedence",
    "list-id",
    "list-unsubscribe",
    "x-autoreply",
    "x-autorespond",
    "feedback-id",
    "content-type",
)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail, readable."""

    sender: str
    """Address in lower case, or empty."""
    name: str
    recipients: tuple[str, ...]
    """All addresses it was brought to, envelope headers too."""
    addressees: tuple[str, ...]
    """To and Cc."""
    list_id: str
    """The mailing list it came by, or empty."""
    subject: str
    message_id: str
    in_reply_to: str
    references: str
    headers: dict[str, str]
    """Those that tell whether a person wrote it, names in lower case."""
    text: str
    attachments: tuple[MailAttachment, ...]
    left_out: int
    """Attachments beyond the first hundred."""


def parse_mail(raw: bytes) -> ParsedMail:
    """Reads a mail. May take milliseconds for each megabyte: call it in a thread."""
    # The compat policy keeps headers as they are; the default one parses each, and can fail on what strangers send.
    parser = BytesParser(policy=email.policy.compat32)
    try:
        mail = parser.parsebytes(raw)
    except RecursionError:
        # Hundreds of parts inside each other: only its head can be read.
        mail = parser.parsebytes(raw, headersonly=True)
        del mail["Content-Type"]
    sender, name = _sender(mail)
    text, attachments, left_out = read_parts(mail)
    return ParsedMail(
        sender=sender,
        name=name,
        recipients=tuple(_addresses(mail, "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")),
        addressees=tuple(dict.fromkeys(_addresses(mail, "To", "Cc"))),
        list_id=_list_id(mail),
        subject=one_line(_decode_words(_raw(mail, "Subject")), 998),
        message_id=_first_id(_plain(mail, "Message-ID")),
        # Some programs fold long ids as encoded words.
        in_reply_to=_decode_words(_raw(mail, "In-Reply-To")),
        references=_decode_words(_raw(mail, "References")),
        headers={name: value for name in _HEADERS if (value := _plain(mail, name))},
        text=text,
        attachments=attachments,
        left_out=left_out,
    )


def _raw(mail: Message, name: str) -> str:
    return guarded("", lambda: str(mail.get(name, "")))[:_LONGEST_HEADER]


def _plain(mail: Message, name: str) -> str:
    return storable(_raw(mail, name)).strip()


def _decode_words(value: str) -> str:
    return storable(guarded(value, lambda: str(make_header(decode_header(value)))))


def _mailboxes(values: list[str]) -> list[tuple[str, str]]:
    nothing: list[tuple[str, str]] = []
    return guarded(nothing, lambda: getaddresses(values[:20]))


def _addresses(mail: Message, *names: str) -> Iterator[str]:
    for name in names:
        nothing: list[str] = []
        values = guarded(nothing, lambda: [str(value) for value in mail.get_all(name, [])])  # noqa: B023
        for _, address in _mailboxes(values):
            if _ADDRESS.fullmatch(address):
                yield storable(address).lower()


def _sender(mail: Message) -> tuple[str, str]:
    for header in ("From", "Sender", "Reply-To", "Return-Path"):
        value = _raw(mail, header)
        for name, address in _mailboxes([value]):
            if _ADDRESS.fullmatch(address):
                return storable(address).lower(), one_line(_decode_words(name), 200)
        found = _ADDRESS.search(value)
        if found:
            return storable(found.group()).lower(), ""
    return "", ""


def _list_id(mail: Message) -> str:
    """By RFC 2919, or by the address to post to of older programs."""
    for name in ("List-Id", "List-Post", "Mailing-List"):
        value = _plain(mail, name)
        found = re.search(r"<(?:mailto:)?([^<>\s?]{3,200})", value) or _ADDRESS.search(value)
        if found:
            return found.group(found.lastindex or 0).replace("@", ".").lower()
    return ""


def _first_id(value: str) -> str:
    found = re.search(r"<[^<>\s]{1,500}>", value)
    return found.group() if found else ""
