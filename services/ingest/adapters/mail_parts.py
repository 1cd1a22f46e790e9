"""The parts of a mail: its text, and what is attached to it. Nothing that strangers nest or misname makes it fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from typing import Final, TypeVar

from services.ingest.adapters.html_text import html_to_text
from services.ingest.domain.attachments import safe_name, sniff
from services.ingest.domain.texts import storable

T = TypeVar("T")
_MOST_PARTS: Final = 2_000
_MOST_TEXTS: Final = 50
_MOST_ATTACHMENTS: Final = 100
_MOST_HTML: Final = 1_000_000
_MOST_TEXT: Final = 2_000_000
_TEXTS: Final = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """A file that came with a mail."""

    name: str
    declared: str
    """The media type the sender gave."""
    media_type: str
    """The media type its bytes show."""
    inline: bool
    data: bytes


def guarded(otherwise: T, read: Callable[[], T]) -> T:
    """What the standard library makes of a broken mail, or `otherwise` where it fails on it."""
    try:
        return read()
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        return otherwise


def read_parts(mail: Message) -> tuple[str, tuple[MailAttachment, ...], int]:
    """(the text, the first hundred attachments, how many more there are)."""
    plain: list[str] = []
    html: list[str] = []
    attached: list[MailAttachment] = []
    left_out = 0
    nothing: list[Message] = []
    for part in guarded(nothing, lambda: list(_walk(mail))):
        kind = part.get_content_type()
        named = _file_name(part)
        if kind in _TEXTS and not named and not _is_attachment(part):
            chosen = plain if kind == "text/plain" else html
            if len(chosen) < _MOST_TEXTS:
                chosen.append(_content(part))
        elif len(attached) < _MOST_ATTACHMENTS:
            attached.append(_attachment(part, kind, named))
        else:
            left_out += 1
    text = "\n".join(one for one in plain if one.strip())
    if not text.strip() and html:
        text = "\n".join(html_to_text(one[:_MOST_HTML]) for one in html)
    return storable(text[:_MOST_TEXT]).strip(), tuple(attached), left_out


def _walk(mail: Message) -> Iterator[Message]:
    """Leaves in order; a mail inside the mail is one leaf."""
    waiting = [mail]
    seen = 0
    while waiting and seen < _MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        inner = part.get_payload()
        nested = part.get_content_maintype() == "message" and part is not mail
        if not nested and part.is_multipart() and isinstance(inner, list):
            waiting[:0] = [one for one in inner if isinstance(one, Message)]
        else:
            yield part


def _is_attachment(part: Message) -> bool:
    return guarded(False, lambda: part.get_content_disposition() == "attachment")


def _file_name(part: Message) -> str:
    name = guarded("", lambda: part.get_filename() or "")
    return guarded(name, lambda: str(make_header(decode_header(name)))) if name else ""


def _attachment(part: Message, kind: str, named: str) -> MailAttachment:
    inner = part.get_payload()
    if part.is_multipart() and isinstance(inner, list) and inner and isinstance(inner[0], Message):
        first = inner[0]
        data = guarded(b"", first.as_bytes)
        named = named or guarded("", lambda: str(make_header(decode_header(str(first.get("Subject", ""))))))
        return MailAttachment(safe_name(named, kind), kind, kind, False, data)
    found = guarded(None, lambda: part.get_payload(decode=True))
    data = found if isinstance(found, bytes) else b""
    inline = guarded(False, lambda: part.get_content_disposition() == "inline" or "Content-ID" in part)
    return MailAttachment(safe_name(named, kind), kind, sniff(data, kind), inline, data)


def _content(part: Message) -> str:
    data = guarded(None, lambda: part.get_payload(decode=True))
    if not isinstance(data, bytes):
        return str(part.get_payload())
    for charset in (guarded("", lambda: part.get_content_charset() or ""), "utf-8"):
        try:
            return data.decode(charset)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", errors="replace")
