"""Reads labelled texts from CSV, plain or gzip; rows that cannot be used are told with their line and passed over."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TEXT: Final = ("text", "message", "body", "utterance", "description")
_LABEL: Final = ("label", "topic", "category", "intent", "queue")
_LANGUAGE: Final = ("lang", "language")
_NAMES: Final = {
    name: code
    for code, names in {
        "ar": "ara arabic",
        "de": "deu ger german deutsch",
        "en": "eng english",
        "es": "spa spanish español",
        "fr": "fra fre french français",
        "it": "ita italian italiano",
        "pt": "por portuguese português",
        "ro": "ron rum romanian română",
    }.items()
    for name in names.split()
}
_LONGEST: Final = 200_000
_LARGEST: Final = 2 * 1024**3


class UnreadableFile(ValueError):
    """The file as a whole cannot be used. The text says what was seen, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One usable row."""

    number: int
    """Of the data rows, the first is 1; rows that are passed over count."""
    line: int
    """The line of the file on which the row ends; the header is line 1."""
    text: str
    label: str
    language: str
    """As the file says, or empty."""


@dataclass(frozen=True, slots=True)
class Dirty:
    """One row that was passed over."""

    line: int
    reason: str


@dataclass(frozen=True)
class Labelled:
    """What a file held."""

    path: Path
    rows: Sequence[Row]
    dirty: Sequence[Dirty]
    unread: Sequence[str] = ()
    """Names of the columns that were not read."""


def read_labelled(path: Path, *, labels: bool = True) -> Labelled:
    """All rows of a CSV with a header that names text and, if `labels`, label. Raises UnreadableFile."""
    content = _content(path)
    lines = io.StringIO(content, newline="").readlines()
    delimiter = max((",", ";", "\t"), key=lines[0].count if lines else "".count)
    csv.field_size_limit(_LONGEST * 8)
    reader = _rows(lines, delimiter)
    try:
        header = [name.strip().casefold() for name in next(reader)[1]]
    except StopIteration:
        raise UnreadableFile(f"{path}: the file is empty; expected a header with text and label") from None
    text_at, label_at = _column(header, _TEXT), _column(header, _LABEL)
    language_at = _column(header, _LANGUAGE)
    if text_at is None or (labels and label_at is None):
        wanted = "text" if text_at is None else "label"
        raise UnreadableFile(
            f"{path}:1: no column {wanted!r}; found {', '.join(header) or 'nothing'}. Name the columns text, label and,"
            " where known, lang"
        )
    rows: list[Row] = []
    dirty: list[Dirty] = []
    for number, (line, cells, broken) in enumerate(reader, start=1):
        if broken:
            dirty.append(Dirty(line, broken))
            continue
        found = _row(number, line, cells, len(header), (text_at, label_at, language_at), labels)
        if isinstance(found, Row):
            rows.append(found)
        elif found is not None:
            dirty.append(found)
    read = {text_at, label_at, language_at}
    unread = [name for index, name in enumerate(header) if index not in read]
    return Labelled(path, rows, dirty, unread)


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """The last line of each row, its cells, and why it is none. A quote that opens and never closes swallows all that
    follows: such a row is told by its first line, and reading goes on with the next."""
    start, width = 0, 0
    while start < len(lines):
        reader = csv.reader((lines[i] for i in range(start, len(lines))), delimiter=delimiter)
        read = 0
        while True:
            first = start + read
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                read = reader.line_num
                yield start + read, [], f"no CSV: {error}"
                continue
            read = reader.line_num
            last = start + read
            width = width or len(cells)
            several = last - first > 1
            ends_open = (several or last == len(lines)) and _open_at_end(lines[first:last], delimiter)
            if ends_open or (several and len(cells) != width):
                yield first + 1, [], "torn: a quote opens on this line and closes on none that fits"
                start = first + 1
                break
            yield last, cells, ""


def _open_at_end(lines: Sequence[str], delimiter: str) -> bool:
    """Whether these lines end within a quoted cell."""
    try:
        list(csv.reader(iter(lines), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _row(
    number: int,
    line: int,
    cells: list[str],
    width: int,
    places: tuple[int, int | None, int | None],
    labels: bool,
) -> Row | Dirty | None:
    text_at, label_at, language_at = places
    if not cells:
        return None
    if len(cells) != width:
        return Dirty(line, f"{len(cells)} cells, the header has {width}")
    text = cells[text_at]
    label = cells[label_at].strip() if label_at is not None else ""
    if any("\udc80" <= character <= "\udcff" for character in text + label):
        return Dirty(line, "not UTF-8")
    if not text.strip():
        return Dirty(line, "no text")
    if len(text) > _LONGEST:
        return Dirty(line, f"the text has {len(text)} characters, at most {_LONGEST} are read")
    if labels and not label:
        return Dirty(line, "no label")
    if len(label) > 200:
        return Dirty(line, f"the label has {len(label)} characters, at most 200 are read")
    language = language_code(cells[language_at]) if language_at is not None else ""
    return Row(number, line, text, label, language)


def language_code(said: str) -> str:
    """ISO 639-1 of what files write (`EN`, `en-GB`, `pt_BR`, `ita`, `German`); empty, so to be found, for the rest."""
    name = said.strip().casefold()
    bare = name.replace("_", "-").partition("-")[0]
    return bare if len(bare) == 2 and bare.isalpha() else _NAMES.get(bare, "")


def _content(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(raw)) as stream:
                raw = stream.read(_LARGEST)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path}: cannot be read ({error})") from None
    return raw.decode("utf-8-sig", "surrogateescape")


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)
