"""Trained models side by side in one folder: which is in use, which were, and what each was made from.

in-use.json           the version in use and those before it
vectors.bin           vectors of texts, so that the next training need not encode them again
versions/NAME/        topics.npz, topics.json, taxonomy.yaml, rows.csv.gz, judged.csv.gz, report.json
"""

import csv
import gzip
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from services.triage.adapters.label_file import CARD
from services.triage.domain.judged import Judged

VERSIONS: Final = "versions"
IN_USE: Final = "in-use.json"
TAXONOMY: Final = "taxonomy.yaml"
JUDGED: Final = "judged.csv.gz"
BEFORE: Final = "before.csv.gz"
_NAME: Final = re.compile(r"[0-9a-z][0-9a-z.-]{0,99}")
_ROWS: Final = ("text", "label", "language", "origin", "check")
_JUDGED: Final = ("key", "label", "said", "confidence", "language", "check")
Origin = Literal["tickets", "own", "correction"]


class VersionError(ValueError):
    """A folder of versions cannot be used as asked. The text says what was seen and what to do."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text that a version was made from."""

    text: str
    label: str
    """The key of a topic, or a label that says out of scope."""
    language: str
    origin: Origin
    check: bool
    """Never trained on: the frozen check set."""


@dataclass(frozen=True, slots=True)
class InUse:
    """What the service runs, and what it ran before."""

    version: str
    before: tuple[str, ...]
    """The newest last."""


class Versions:
    """A folder of versions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def vectors(self) -> Path:
        """Where vectors are kept."""
        return self.root / "vectors.bin"

    def steps(self, digest: str) -> Path:
        """Where a training keeps what it has done."""
        return self.root / "work" / digest

    def folder(self, name: str) -> Path:
        """The folder of a version. Raises VersionError when there is none."""
        folder = self.root / VERSIONS / name
        if not _NAME.fullmatch(name) or not (folder / CARD).exists():
            known = ", ".join(self.names()) or "none"
            raise VersionError(f"{self.root} has no version {name!r}; there are: {known}")
        return folder

    def names(self) -> list[str]:
        """All versions, the oldest first."""
        folder = self.root / VERSIONS
        return sorted(p.name for p in folder.glob("*") if _NAME.fullmatch(p.name) and (p / CARD).exists())

    def add(self, name: str, write: Callable[[Path], None]) -> Path:
        """A new version, there as a whole or not at all: `write` fills a folder, which then gets its name."""
        target = self.root / VERSIONS / name
        part = self.root / VERSIONS / f".{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        write(part)
        os.replace(part, target)
        return target

    def in_use(self) -> InUse | None:
        """None before the first promotion. Raises VersionError."""
        path = self.root / IN_USE
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return InUse(str(found["version"]), tuple(map(str, found["before"])))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VersionError(
                f"{path} is torn ({error!r}); `centralino models promote NAME` writes it again"
            ) from None

    def promote(self, name: str) -> None:
        """From now on this version is in use. Raises VersionError."""
        self.folder(name)
        try:
            now = self.in_use()
        except VersionError:
            now = None
        if now is None:
            self._use(InUse(name, ()))
        elif now.version != name:
            self._use(InUse(name, (*now.before, now.version)))

    def roll_back(self) -> str:
        """The version before is in use again; says which, empty for the model of the service. Raises VersionError."""
        now = self.in_use()
        if now is None:
            raise VersionError(f"{self.root}: no version is in use, so there is none before it")
        if not now.before:
            (self.root / IN_USE).unlink()
            return ""
        self.folder(now.before[-1])
        self._use(InUse(now.before[-1], now.before[:-1]))
        return now.before[-1]

    def _use(self, state: InUse) -> None:
        part = self.root / f"{IN_USE}.part"
        part.write_text(json.dumps({"version": state.version, "before": list(state.before)}, indent=1) + "\n")
        os.replace(part, self.root / IN_USE)


def folder_in_use(folder: Path) -> Path:
    """The model's own folder: of a folder of versions, that of the version in use. Raises VersionError."""
    state = Versions(folder).in_use()
    return folder if state is None else Versions(folder).folder(state.version)


def write_examples(folder: Path, examples: Sequence[Example]) -> None:
    """What a version was made from."""
    _write_csv(
        folder / "rows.csv.gz",
        _ROWS,
        [(e.text, e.label, e.language, e.origin, "1" if e.check else "") for e in examples],
    )


def read_examples(folder: Path) -> list[Example]:
    """Raises VersionError."""
    return [
        Example(row["text"], row["label"], row["language"], _origin(row["origin"]), row["check"] == "1")
        for row in _read_csv(folder / "rows.csv.gz", _ROWS)
    ]


def write_judged(folder: Path, judged: Sequence[Judged], name: str = JUDGED) -> None:
    """What a version said of texts that it had not seen; under the name BEFORE, what the service's own model said."""
    rows = [
        (j.key, j.label, j.said, f"{j.confidence:.6f}", j.language, "1" if j.check else "") for j in judged
    ]
    _write_csv(folder / name, _JUDGED, rows)


def read_judged(folder: Path, name: str = JUDGED) -> list[Judged]:
    """Raises VersionError."""
    return [
        Judged(
            row["key"],
            row["label"],
            row["said"],
            float(row["confidence"]),
            row["language"],
            row["check"] == "1",
        )
        for row in _read_csv(folder / name, _JUDGED)
    ]


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """Figures and what was passed over."""
    (folder / "report.json").write_text(
        json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _origin(name: str) -> Origin:
    return "own" if name == "own" else "correction" if name == "correction" else "tickets"


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(header)
    writer.writerows(rows)
    path.write_bytes(gzip.compress(target.getvalue().encode(), mtime=0))


def _read_csv(path: Path, header: Sequence[str]) -> list[dict[str, str]]:
    csv.field_size_limit(2_000_000)
    try:
        content = gzip.decompress(path.read_bytes()).decode()
        reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
        if reader.fieldnames != list(header):
            raise ValueError(f"columns {reader.fieldnames}")
        return list(reader)
    except (OSError, EOFError, ValueError, csv.Error) as error:
        raise VersionError(f"{path} cannot be read ({error}); train that version again") from None
