"""Raw mail to what ingest needs of it. Never raises for what stands in a mail: the worst that comes is empty fields."""

import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Final, TypeVar

from services.ingest.adapters.html_text import html_to_text
from services.ingest.domain.texts import one_line, storable

T = TypeVar("T")
_MOST_PARTS: Final = 200
_MOST_HTML: Final = 1_000_000
_MOST_TEXT: Final = 2_000_000
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
    subject: str
    message_id: str
    in_reply_to: str
    references: str
    headers: dict[str, str]
    """Those that tell whether a person wrote it, names in lower case."""
    text: str


def parse_mail(raw: bytes) -> ParsedMail:
    """Reads a mail. May take milliseconds for each megabyte: call it in a thread."""
    # The compat policy keeps headers as they are; the default one parses each, and can fail on what strangers send.
    mail = BytesParser(policy=email.policy.compat32).parsebytes(raw)
    sender, name = _sender(mail)
    return ParsedMail(
        sender=sender,
        name=name,
        recipients=tuple(_addresses(mail, "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")),
        subject=one_line(_decode_words(_raw(mail, "Subject")), 998),
        message_id=_first_id(_plain(mail, "Message-ID")),
        # Some programs fold long ids as encoded words.
        in_reply_to=_decode_words(_raw(mail, "In-Reply-To")),
        references=_decode_words(_raw(mail, "References")),
        headers={name: value for name in _HEADERS if (value := _plain(mail, name))},
        text=_text(mail),
    )


def _guarded(otherwise: T, read: Callable[[], T]) -> T:
    """What the standard library makes of a broken mail, or `otherwise` where it fails on it."""
    try:
        return read()
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        return otherwise


def _raw(mail: Message, name: str) -> str:
    return _guarded("", lambda: str(mail.get(name, "")))[:_LONGEST_HEADER]


def _plain(mail: Message, name: str) -> str:
    return storable(_raw(mail, name)).strip()


def _decode_words(value: str) -> str:
    return storable(_guarded(value, lambda: str(make_header(decode_header(value)))))


def _mailboxes(values: list[str]) -> list[tuple[str, str]]:
    nothing: list[tuple[str, str]] = []
    return _guarded(nothing, lambda: getaddresses(values[:20]))


def _addresses(mail: Message, *names: str) -> Iterator[str]:
    for name in names:
        nothing: list[str] = []
        values = _guarded(nothing, lambda: [str(value) for value in mail.get_all(name, [])])  # noqa: B023
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


def _first_id(value: str) -> str:
    found = re.search(r"<[^<>\s]{1,500}>", value)
    return found.group() if found else ""


def _text(mail: Message) -> str:
    plain: list[str] = []
    html: list[str] = []
    nothing: list[Message] = []
    for part in _guarded(nothing, lambda: list(_walk(mail))):
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or _is_attachment(part):
            continue
        (plain if kind == "text/plain" else html).append(_content(part))
    text = "\n".join(one for one in plain if one.strip())
    if not text.strip() and html:
        text = "\n".join(html_to_text(one[:_MOST_HTML]) for one in html)
    return storable(text[:_MOST_TEXT]).strip()


def _walk(mail: Message) -> Iterator[Message]:
    """Parts in order, without those of mails attached."""
    waiting = [mail]
    seen = 0
    while waiting and seen < _MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        if part.get_content_type() == "message/rfc822":
            continue
        inner = part.get_payload()
        if part.is_multipart() and isinstance(inner, list):
            waiting[:0] = [one for one in inner if isinstance(one, Message)]
        else:
            yield part


def _is_attachment(part: Message) -> bool:
    return _guarded(
        False, lambda: part.get_content_disposition() == "attachment" or bool(part.get_filename())
    )


def _content(part: Message) -> str:
    data = _guarded(None, lambda: part.get_payload(decode=True))
    if not isinstance(data, bytes):
        return str(part.get_payload())
    for charset in (_guarded("", lambda: part.get_content_charset() or ""), "utf-8"):
        try:
            return data.decode(charset)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", errors="replace")
