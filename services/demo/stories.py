"""A story: what one customer writes, when, on which channel, and how they rate. The own set, and its file format."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Channel = str
"""web, chat, mail, or the name of a provider that is played."""
When = Literal["start", "burst", "reply", "resolved"]
CHANNELS: Final = ("web", "chat", "mail")
WHENS: Final = ("start", "burst", "reply", "resolved")
OWN_SET: Final = Path(__file__).resolve().parents[1] / "triage" / "data" / "stories"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `start` opens; `burst` follows seconds later; `reply` waits for an agent; `resolved` for the end."""

    when: When
    text: str


@dataclass(frozen=True, slots=True)
class Story:
    """One customer with one problem. `rating` 1 to 5, or None for somebody who does not answer surveys."""

    story_id: str
    channel: Channel
    language: str
    name: str
    turns: tuple[Turn, ...]
    rating: int | None = None
    comment: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of the input that cannot be played. `line` counts from 1; for mail it is the number of the message."""

    source: str
    line: int
    reason: str


class UnreadableInput(ValueError):
    """The input as a whole cannot be played: what was seen and what was expected."""


def story_from(entry: Any) -> Story:
    """A story of the own set's format. ValueError says what is wrong with it."""
    if not isinstance(entry, dict):
        raise ValueError("not an object")
    turns = tuple(_turn(turn) for turn in entry.get("turns") or ())
    if not turns or turns[0].when != "start":
        raise ValueError("the first turn must be a start")
    rating = entry.get("rating")
    if rating is not None and rating not in range(1, 6):
        raise ValueError(f"rating {rating!r} is not 1 to 5")
    if entry.get("channel") not in CHANNELS:
        raise ValueError(f"channel {entry.get('channel')!r} is none of {', '.join(CHANNELS)}")
    return Story(
        story_id=str(entry["id"]),
        channel=entry["channel"],
        language=str(entry.get("lang", "")),
        name=str(entry.get("name", "")),
        turns=turns,
        rating=rating,
        comment=str(entry.get("comment") or ""),
        subject=str(entry.get("subject") or ""),
    )


def _turn(entry: Any) -> Turn:
    if not isinstance(entry, dict) or entry.get("when") not in WHENS:
        raise ValueError(f"a turn is not one of {', '.join(WHENS)}")
    text = entry.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("a turn has no text")
    return Turn(entry["when"], text)


def own_stories(folder: Path = OWN_SET) -> list[Story]:
    """The repository's own set, languages mixed one by one. UnreadableInput when there is none or one is broken."""
    by_language = []
    for path in sorted(folder.glob("*.jsonl")):
        stories = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                stories.append(story_from(json.loads(line)))
            except (ValueError, KeyError) as error:
                raise UnreadableInput(f"{path}, line {number}: {error}") from None
        by_language.append(stories)
    if not by_language:
        raise UnreadableInput(f"no stories in {folder}")
    return interleaved(by_language)


def interleaved(groups: Iterable[Sequence[Story]]) -> list[Story]:
    """The stories of all groups, each group spread evenly over the whole."""
    placed = [
        ((position + 0.5) / len(group), index, story)
        for index, group in enumerate(groups)
        for position, story in enumerate(group)
    ]
    return [story for _place, _index, story in sorted(placed, key=lambda item: item[:2])]
