"""Real data as stories: a CSV of messages, a JSONL of dialogues or of stories, an mbox, a folder of mails.

Rows that cannot be played are skipped and listed; only a file that holds nothing at all is refused.
"""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from services.demo.mailbox import read_mails
from services.demo.names import customer_name
from services.demo.stories import Channel, Skipped, Story, Turn, UnreadableInput, story_from

_LONGEST: Final = 60_000
"""Bytes of a text; the platform takes 64 KB."""
_CUSTOMER: Final = frozenset({"user", "customer", "client", "visitor"})
_TEXT: Final = ("text", "message", "body", "utterance", "query", "instruction")
_LANGUAGE: Final = ("lang", "language", "locale")
_SHARES: Final = ((0.4, "chat"), (0.75, "web"), (1.0, "mail"))


@dataclass(frozen=True, slots=True)
class Played:
    """What an input gives."""

    stories: list[Story]
    skipped: list[Skipped]


def read_input(path: Path, seed: int) -> Played:
    """The stories of a file or folder, channel and rating of each drawn by the seed. UnreadableInput if it holds none."""
    if not path.exists():
        raise UnreadableInput(f"{path} does not exist")
    name = path.name.lower().removesuffix(".gz")
    if path.is_dir() or name.endswith((".mbox", ".eml")):
        read: Callable[[Path], Iterable[Story | Skipped]] = read_mails
    elif name.endswith((".jsonl", ".ndjson")):
        read = _read_dialogues
    elif name.endswith(".csv"):
        read = _read_csv
    else:
        raise UnreadableInput(f"{path.name}: expected .csv, .jsonl (both also .gz), .mbox, .eml or a folder")
    played = Played([], [])
    try:
        for item in read(path):
            if isinstance(item, Skipped):
                played.skipped.append(item)
            else:
                played.stories.append(item)
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read: {error}") from None
    if not played.stories:
        first = f"; the first: {played.skipped[0].reason}" if played.skipped else ""
        raise UnreadableInput(f"{path} holds nothing to play ({len(played.skipped)} rows skipped{first})")
    draw = random.Random(seed)
    return Played([_completed(story, draw) for story in played.stories], played.skipped)


def _completed(story: Story, draw: random.Random) -> Story:
    """Fills what real data does not say: a channel, a name, a rating."""
    chance = draw.random()
    rating = draw.choices((None, 1, 2, 3, 4, 5), (50, 5, 5, 8, 14, 18))[0]
    name = customer_name(story.language, draw)
    if not story.name:
        channel: Channel = next(kind for share, kind in _SHARES if chance < share)
        story = replace(story, channel=channel, name=name)
    return replace(story, rating=story.rating or rating)


def playable(text: str) -> str:
    """Empty when the text can be played, else the reason why not."""
    if not text.strip():
        return "empty text"
    if "\0" in text:
        return "a NUL in the text"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "half a surrogate pair in the text"
    size = len(text.encode())
    return f"{size} bytes of text" if size > _LONGEST else ""


def _open(path: Path) -> io.TextIOBase:
    if path.suffix.lower() == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8", errors="surrogateescape", newline="")


def _read_csv(path: Path) -> Iterator[Story | Skipped]:
    csv.field_size_limit(16 << 20)
    with _open(path) as lines:
        rows = csv.reader(lines)
        try:
            header = [cell.strip().lower().removeprefix("\ufeff") for cell in next(rows)]
        except (StopIteration, csv.Error):
            raise UnreadableInput(f"{path.name} is empty") from None
        column = next((header.index(name) for name in _TEXT if name in header), None)
        if column is None:
            raise UnreadableInput(f"{path.name}: no column called {' or '.join(_TEXT)}; there are {header}")
        language = next((header.index(name) for name in _LANGUAGE if name in header), None)
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except (csv.Error, OSError, EOFError) as error:
                yield Skipped(path.name, line, str(error))
                if not isinstance(error, csv.Error):
                    return
                continue
            if not row:
                continue
            if len(row) <= column:
                yield Skipped(path.name, line, f"{len(row)} cells, the text is cell {column + 1}")
            elif reason := playable(row[column]):
                yield Skipped(path.name, line, reason)
            else:
                spoken = (
                    row[language].strip().lower()[:2] if language is not None and language < len(row) else ""
                )
                yield Story(f"{path.name}-{line}", "web", spoken, "", (Turn("start", row[column]),))


def _read_dialogues(path: Path) -> Iterator[Story | Skipped]:
    with _open(path) as lines:
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _dialogue(path.name, number, line)
        except (OSError, EOFError) as error:
            yield Skipped(path.name, 0, f"the file breaks off: {error}")


def _dialogue(source: str, number: int, line: str) -> Story | Skipped:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Skipped(source, number, f"not JSON: {error}")
    try:
        if isinstance(entry, dict) and "turns" in entry:
            story = story_from(entry)
            texts = [turn.text for turn in story.turns]
        else:
            texts = _customer_texts(entry)
            story = Story(f"{source}-{number}", "chat", str(entry.get("lang", ""))[:2], "", _as_turns(texts))
    except (ValueError, KeyError) as error:
        return Skipped(source, number, str(error))
    reason = next((why for text in texts if (why := playable(text))), "")
    return Skipped(source, number, reason) if reason else story


def _as_turns(texts: list[str]) -> tuple[Turn, ...]:
    return tuple(Turn("reply" if index else "start", text) for index, text in enumerate(texts))


def _customer_texts(entry: Any) -> list[str]:
    """What the customer says, in order; lines one after the other are one message. A bare `text` is a dialogue of one."""
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    if isinstance(entry.get("text"), str):
        return [entry["text"]]
    texts: list[str] = []
    before = ""
    for utterance in entry.get("utterances") or ():
        if not isinstance(utterance, dict) or not isinstance(utterance.get("text"), str):
            raise ValueError("an utterance without text")
        speaker = str(utterance.get("speaker", "")).lower()
        if speaker in _CUSTOMER:
            if before == speaker:
                texts[-1] += "\n" + utterance["text"]
            else:
                texts.append(utterance["text"])
        before = speaker
    if not texts:
        raise ValueError("no utterance of a customer")
    return texts
