"""Topics suggested from requests that nobody could name."""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from libs.runtime import SystemClock
from libs.storage import Database, Engines
from libs.streams import Log
from services.operators.running import on_database
from services.triage.adapters.encoders import Encoders
from services.triage.adapters.queries import unnamed_messages
from services.triage.adapters.tables import Unnamed
from services.triage.domain.clusters import clusters

ALIKE: Final = 0.5
"""At .6 six texts on one thing in three languages were no group; at .5 they were, and 150 random texts of the own set gave
none; at .45 random ones did."""
_READ: Final = 3_000
_MOST: Final = 30


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One group, numbered from 1."""

    number: int
    words: Sequence[str]
    texts: Sequence[tuple[str, str]]
    """(text, language), the most central first."""

    def document(self, accepted: Mapping[int, str]) -> dict[str, Any]:
        """For a program."""
        label = accepted.get(self.number, "")
        return {
            "group": self.number,
            "label": label,
            "words": list(self.words),
            "texts": [t for t, _ in self.texts],
        }


def waiting() -> list[Unnamed]:
    """The newest requests without a topic, of the installation's database."""

    async def work(engines: Engines, log: Log) -> list[Unnamed]:
        return await unnamed_messages(Database(engines, "triage", SystemClock(), log), _READ)

    return on_database(work)


def grouped(messages: Sequence[Unnamed], least: int, alike: float) -> list[Suggestion]:
    """Groups among them; one message a conversation, so that one customer makes no topic. Raises EncoderMissing."""
    first = list({message.conversation_id: message for message in messages}.values())
    if not first:
        return []
    texts = [message.text for message in first]
    vectors = Encoders()(texts, [message.language for message in first])
    return [
        Suggestion(number, group.words, [(texts[row], first[row].language) for row in group.rows])
        for number, group in enumerate(clusters(texts, vectors, alike=alike, least=least, most=_MOST), 1)
    ]


def named(given: Sequence[str]) -> dict[int, str]:
    """`1=warranty` as number and topic. Raises ValueError."""
    found: dict[int, str] = {}
    for one in given:
        number, _, topic = one.partition("=")
        if not number.strip().isdigit() or not topic.strip():
            raise ValueError(f"--name {one!r}: expected NUMBER=TOPIC, for example 1=warranty")
        found[int(number)] = topic.strip()
    return found


def check_named(accepted: Mapping[int, str], groups: Sequence[Suggestion]) -> None:
    """Raises ValueError for a number that is no group's: it would teach nothing."""
    unknown = sorted(accepted.keys() - {group.number for group in groups})
    if unknown:
        raise ValueError(f"--name {unknown[0]}=...: there is no group {unknown[0]}; there are {len(groups)}")


def write_suggestions(path: Path, groups: Sequence[Suggestion], accepted: Mapping[int, str]) -> None:
    """A file for `centralino train --add`, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("group", "text", "label", "lang"))
        for group in groups:
            for text, language in group.texts:
                writer.writerow((group.number, text, accepted.get(group.number, ""), language))
    os.replace(part, path)
