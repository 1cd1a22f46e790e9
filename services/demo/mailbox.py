"""Real mail as stories: an mbox, an .eml file, or a folder of raw mails. Mails of one thread and sender are one story."""

import email
import email.policy
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Final

from services.demo.stories import Skipped, Story, Turn

_LONGEST: Final = 60_000
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,500}>")


@dataclass(slots=True)
class _Thread:
    story_id: str
    name: str
    address: str
    subject: str
    texts: list[str] = field(default_factory=list)


def read_mails(path: Path) -> Iterator[Story | Skipped]:
    """The mails of a file or a folder, in the order of the file or of the names."""
    threads: dict[str, _Thread] = {}
    """By the Message-ID of each of its mails."""
    stories: list[_Thread] = []
    for number, raw in enumerate(_raw_mails(path), 1):
        try:
            _take(path.name, number, raw, threads, stories)
        except (ValueError, LookupError, TypeError, AttributeError, IndexError) as error:
            yield Skipped(path.name, number, f"not a mail that can be read: {error}")
    for thread in stories:
        turns = tuple(Turn("reply" if index else "start", text) for index, text in enumerate(thread.texts))
        yield Story(thread.story_id, "mail", "", thread.name, turns, subject=thread.subject)


def _raw_mails(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            yield file.read_bytes()
    elif path.suffix.lower() == ".eml":
        yield path.read_bytes()
    else:
        box = mailbox.mbox(path, create=False)
        try:
            for key in box.iterkeys():
                yield box.get_bytes(key)
        finally:
            box.close()


def _take(source: str, number: int, raw: bytes, threads: dict[str, _Thread], stories: list[_Thread]) -> None:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    text = _plain_text(message).replace("\0", "").strip()
    if not text:
        raise ValueError("no plain text in it")
    if len(text.encode("utf-8", "replace")) > _LONGEST:
        raise ValueError("its text is too long")
    name, address = parseaddr(str(message.get("From", "")))
    ids = _MESSAGE_ID.findall(f"{message.get('In-Reply-To', '')} {message.get('References', '')}")
    thread = next((threads[one] for one in ids if one in threads and threads[one].address == address), None)
    if thread is None:
        subject = " ".join(str(message.get("Subject", "")).split())[:200]
        thread = _Thread(f"{source}-{number}", name or address or "somebody", address, subject)
        stories.append(thread)
    thread.texts.append(text.encode("utf-8", "replace").decode())
    for own in _MESSAGE_ID.findall(str(message.get("Message-ID", ""))):
        threads[own] = thread


def _plain_text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain",))
    content = body.get_content() if body is not None else ""
    return content if isinstance(content, str) else ""
