"""The record read: what customers and agents did and how they were answered, and what is not as it should be."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.demo.seen import Seen

Kind = Literal["lost", "doubled", "wrong"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as recorded."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Written:
    """A message by the record."""

    key: str
    story: str
    """Of a reply, its conversation."""
    text: str
    message_id: str = ""
    mail: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """An acknowledged resolution by the record."""

    conversation_id: str
    episode: int
    through_seq: int
    agent: str


@dataclass(slots=True)
class Books:
    """The record, read."""

    messages: dict[str, Written] = field(default_factory=dict)
    """By key."""
    replies: dict[str, Written] = field(default_factory=dict)
    resolves: list[Resolved] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """Score and comment of the newest acknowledged answer, by story and link."""

    def stories(self) -> dict[str, set[str]]:
        """The ids of the messages of each story."""
        found: dict[str, set[str]] = defaultdict(set)
        for written in self.messages.values():
            if written.message_id:
                found[written.story].add(written.message_id)
        return found


def read_books(lines: Iterable[Mapping[str, Any]]) -> Books:
    """The record's lines as books: each act with its answer."""
    books = Books()
    asked: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        what, key = line["what"], line.get("key", "")
        if not what.endswith("_answer"):
            asked[key] = line
            continue
        before = asked.pop(key, None)
        if before is None:
            continue
        accepted = 200 <= line["status"] < 300
        if what == "message_answer":
            refused = "" if accepted else f"status {line['status']}"
            books.messages[key] = Written(
                key,
                before["story"],
                before["text"],
                line.get("message_id", ""),
                before.get("channel") == "mail",
                refused,
            )
        elif accepted and what == "reply_answer":
            books.replies[key] = Written(key, before["conversation_id"], before["text"], line["message_id"])
        elif accepted and what == "resolve_answer":
            books.resolves.append(
                Resolved(before["conversation_id"], before["episode"], before["through_seq"], before["agent"])
            )
        elif accepted and what == "survey_answer":
            books.answers[before["story"], before["link"]] = (before["score"], before["comment"])
    for key, line in asked.items():
        books.unanswered.append(f"{line['what']} {key}")
    return books


def same_text(text: str) -> str:
    """A text as it is compared: NFC, no carriage returns, no spaces at the ends of lines and of the whole."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def recorded_ids(books: Books) -> set[str]:
    """The ids of all recorded messages."""
    return {one.message_id for one in books.messages.values() if one.message_id}


def our_conversations(books: Books, seen: Seen) -> set[str]:
    """The conversations that hold a recorded message."""
    ids = recorded_ids(books)
    return {
        c.conversation_id for c in seen.conversations.values() if any(m.message_id in ids for m in c.messages)
    }
