"""The own set: labelled messages and the turns of stories, split by a fixed hash into train and check."""

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDS = 5
_BYTES = 51  # values of the first byte in a fold: 20 %


class DatasetError(ValueError):
    """A line of the own set cannot be used. The text is `file:line: reason`."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled message."""

    text: str
    language: str
    topic: str
    """A key, or empty when the message alone shows none."""
    kind: str
    """Empty when the wish for a person is the only label."""
    angry: bool
    urgency: str
    person: bool
    disappointed: bool
    happy: bool
    complex: bool
    """Several problems, or a long history."""
    check: bool
    """Of the check split: never trained on, never used to choose anything."""
    source: str
    """`messages`, `stories` or `people`."""
    group: int
    """0..4, the same for all turns of a story: what cross-validation on the train split must not tear apart."""


def fold_of(text: str) -> int:
    """The fold, 0..4, of a text by the SHA-256 of its NFC form; fold 0 is the check split."""
    return min(
        FOLDS - 1, hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8")).digest()[0] // _BYTES
    )


def load_examples(folder: Path, languages: Sequence[str], check_fold: int = 0) -> list[Example]:
    """All examples of these languages, in the order of the files. Raises DatasetError.

    All turns of a story go to the fold of its first turn. `check_fold` is another than 0 only to measure.
    """
    examples: list[Example] = []
    for language in languages:
        for row in _lines(folder / "messages" / f"{language}.jsonl"):
            examples.append(_example(row, language, row["text"], check_fold, "messages"))
        for story in _lines(folder / "stories" / f"{language}.jsonl"):
            first = story["turns"][0]["text"]
            examples += [_example(turn, language, first, check_fold, "stories") for turn in story["turns"]]
    return examples


def load_people(folder: Path, languages: Sequence[str]) -> list[Example]:
    """The texts that are labelled for the wish for a person alone: `person` is their only label, none is of the check
    split. Empty without a folder `people`. Raises DatasetError."""
    return [
        Example(
            text=row["text"],
            language=language,
            topic="",
            kind="",
            angry=False,
            urgency="",
            person=bool(row.get("person", False)),
            disappointed=False,
            happy=False,
            complex=False,
            check=False,
            source="people",
            group=_group_of(row["text"]),
        )
        for language in languages
        if (path := folder / "people" / f"{language}.jsonl").exists()
        for row in _lines(path)
    ]


def _group_of(first: str) -> int:
    return hashlib.sha256(first.encode("utf-8")).digest()[1] % FOLDS


def _example(row: dict[str, Any], language: str, first: str, check_fold: int, source: str) -> Example:
    return Example(
        text=row["text"],
        language=language,
        topic=row.get("topic", ""),
        kind=row.get("kind", "request"),
        angry=row.get("mood", "neutral") == "angry",
        urgency=row.get("urgency", "normal"),
        person=bool(row.get("person", False)),
        disappointed=row.get("mood") == "disappointed",
        happy=row.get("mood") == "happy",
        complex=row.get("complexity") == "complex",
        check=fold_of(first) == check_fold,
        source=source,
        group=_group_of(first),
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except ValueError as error:
            raise DatasetError(f"{path}:{number}: {error}") from None
    return found
