"""What of an operator's file can be learnt from: labels become topics, and what is passed over is told with its line."""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.triage.adapters.labelled_files import Dirty, Labelled, Row
from services.triage.adapters.training.labels import OUTSIDE
from services.triage.domain.overlay import words_of

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_]*(\.[a-z0-9_]+)*")
_LONGEST_KEY: Final = 64
_RESERVED: Final = "unknown"


@dataclass(frozen=True)
class Tickets:
    """Rows whose label is the key of a topic, and what happened to the others."""

    rows: Sequence[Row]
    skipped: Sequence[Dirty]
    """Passed over, in the order of the file."""
    repeated: int
    """Rows left out because the same text with the same label stood before."""
    names: Mapping[str, str]
    """Key of a topic -> the label as the file spells it most often."""
    notes: Sequence[str]


def sift(
    found: Labelled, topics: Mapping[str, str] | None = None, known: Mapping[str, str] | None = None
) -> Tickets:
    """Sort out a file. With `topics` (key -> label) only those count, by key or label; else each label is one, and
    `known` are topics that are learnt already: one more example of them is enough."""
    skipped = list(found.dirty)
    notes = []
    if found.unread:
        notes.append(f"columns that were not read: {', '.join(found.unread)}")
    rows, names, told = _with_keys(found.rows, topics, known or {}, skipped)
    notes += told
    rows, repeated = _without_doubles(rows, skipped)
    rows = _without_singles(rows, names, known or {}, skipped)
    kept = {row.label for row in rows}
    skipped.sort(key=lambda one: one.line)
    return Tickets(rows, skipped, repeated, {k: v for k, v in names.items() if k in kept}, notes)


def text_key(text: str) -> str:
    """The same for texts that differ only in case, accents, marks, numbers and addresses: 32 characters."""
    return hashlib.blake2b((words_of(text) or text).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _with_keys(
    rows: Sequence[Row], topics: Mapping[str, str] | None, before: Mapping[str, str], skipped: list[Dirty]
) -> tuple[list[Row], dict[str, str], list[str]]:
    notes: list[str] = []
    if topics is not None:
        known = _by_spelling(topics)
        kept = []
        for row in rows:
            if row.label.casefold() in OUTSIDE:
                kept.append(row)
            elif (key := known.get(_plain(row.label))) is not None:
                kept.append(replace(row, label=key))
            else:
                skipped.append(Dirty(row.line, f"label {row.label!r} is no topic of the taxonomy"))
        return kept, dict(topics), notes
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.label.casefold() not in OUTSIDE:
            spelt[_plain(row.label)][row.label] += 1
    keys = _by_spelling(before)
    names: dict[str, str] = {}
    for plain, spellings in sorted(spelt.items()):
        label = spellings.most_common(1)[0][0]
        key = keys.get(plain) or _fresh(key_of(label), {**before, **names})
        keys[plain], names[key] = key, before.get(key, label)
        if len(spellings) > 1:
            notes.append(f"taken for one topic: {', '.join(repr(s) for s, _ in spellings.most_common(5))}")
    return (
        [
            row if row.label.casefold() in OUTSIDE else replace(row, label=keys[_plain(row.label)])
            for row in rows
        ],
        names,
        notes,
    )


def _by_spelling(topics: Mapping[str, str]) -> dict[str, str]:
    return {_plain(label): key for key, label in topics.items()} | {_plain(key): key for key in topics}


def key_of(label: str) -> str:
    """The key of a topic for a label in any script: small Latin letters, digits, `_` and dots between levels."""
    if _KEY.fullmatch(label) and len(label) <= _LONGEST_KEY and label != _RESERVED:
        return label
    bare = unicodedata.normalize("NFKD", label.replace("ß", "ss")).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "_", bare.lower()).strip("_")[:_LONGEST_KEY].strip("_")
    whole = sum(c.isalnum() for c in key) >= sum(c.isalnum() for c in label) - 2
    if key and whole and key != _RESERVED:
        return key
    return f"topic_{hashlib.sha256(label.encode()).hexdigest()[:10]}"


def _fresh(key: str, taken: Mapping[str, str]) -> str:
    if key not in taken:
        return key
    return next(tried for n in range(2, 10**6) if (tried := f"{key[: _LONGEST_KEY - 7]}_{n}") not in taken)


def _plain(label: str) -> str:
    """Labels that differ only in case, spaces, dashes and underscores are one."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", label)).strip().casefold()


def _without_doubles(rows: Sequence[Row], skipped: list[Dirty]) -> tuple[list[Row], int]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[text_key(row.text)].append(row)
    kept, repeated = [], 0
    for mine in groups.values():
        labels = Counter(row.label for row in mine)
        if len(labels) == 1:
            kept.append(mine[0])
            repeated += len(mine) - 1
            continue
        for row in mine:
            other = next(one for one in mine if one.label != row.label)
            skipped.append(
                Dirty(
                    row.line,
                    f"the same text has label {row.label!r} here and {other.label!r} on line {other.line}",
                )
            )
    return sorted(kept, key=lambda row: row.number), repeated


def _without_singles(
    rows: Sequence[Row], names: Mapping[str, str], known: Mapping[str, str], skipped: list[Dirty]
) -> list[Row]:
    counts = Counter(row.label for row in rows)
    kept = []
    for row in rows:
        if counts[row.label] > 1 or row.label in known or row.label.casefold() in OUTSIDE:
            kept.append(row)
        else:
            label = names.get(row.label, row.label)
            skipped.append(Dirty(row.line, f"the only example of label {label!r}; at least two are needed"))
    return kept
