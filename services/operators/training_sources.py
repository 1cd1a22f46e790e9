"""What `centralino train` learns from: files, the version in use, the own set, and corrections in the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from libs.runtime import SystemClock
from libs.storage import Database, Engines
from libs.streams import Log
from services.operators.evaluate import tell_dirty
from services.operators.running import on_database
from services.triage.adapters.knowledge import HERE, TAXONOMY, Sources, load_knowledge
from services.triage.adapters.labelled_files import Dirty, Labelled, read_labelled
from services.triage.adapters.learning import versions as kept
from services.triage.adapters.learning.bases import (
    corrected_examples,
    joined,
    judged_by_service,
    own_examples,
)
from services.triage.adapters.learning.taxonomies import taxonomy_of, with_topics
from services.triage.adapters.learning.tickets import Tickets, sift
from services.triage.adapters.learning.training import split
from services.triage.adapters.learning.versions import Example, Versions
from services.triage.adapters.taxonomy_file import load_taxonomy
from services.triage.domain.judged import Judged


class Unlearnable(ValueError):
    """There is nothing to learn from. The text says what was found and what is needed."""


@dataclass(frozen=True)
class Gathered:
    """All that a training needs but tools."""

    examples: Sequence[Example]
    taxonomy: Callable[[Sequence[str], float], str]
    threshold: float
    about: Mapping[str, Any]
    before: Sequence[Judged]


@dataclass(frozen=True)
class _Base:
    examples: Sequence[Example]
    taxonomy: Path
    before: Sequence[Judged]


def gathered(
    versions: Versions, source: Path | None, add: Path | None, taxonomy: Path | None, corrections: bool
) -> Gathered:
    """Reads everything. Raises UnreadableFile, TaxonomyError, VersionError, Unlearnable."""
    given = load_taxonomy(taxonomy) if taxonomy is not None else None
    topics = {t.key: t.label for t in given.topics} if given is not None else None
    threshold = (given or load_taxonomy(TAXONOMY)).thresholds.topic
    base = None if source is not None else _base(versions)
    known = {t.key: t.label for t in load_taxonomy(base.taxonomy).topics} if base is not None else {}
    files = [_file(path, topics, known) for path in (source, add) if path is not None]
    names = {key: label for tickets in files for key, label in tickets.names.items()}
    told: list[Dirty] = [one for tickets in files for one in tickets.skipped]
    new = [row for tickets in files for row in tickets.rows]
    examples: list[Example] = split(new) if base is None else list(base.examples)
    if base is not None:
        examples, alone = joined(examples, [replace(e, check=False) for e in split(new)])
        told += alone
    corrected = _corrected() if corrections else []
    examples, alone = joined(examples, corrected)
    told += alone
    if base is not None and not new and not corrected:
        raise Unlearnable("there is no correction yet, and nothing else was given")
    if not examples:
        raise Unlearnable(f"{source}: no usable row; every row needs a text and a label")
    names |= {e.label: e.label for e in corrected if e.label not in names and e.label not in known}

    def content(languages: Sequence[str], asked: float) -> str:
        if taxonomy is not None:
            return taxonomy.read_text(encoding="utf-8")
        if base is None:
            return taxonomy_of(names, languages, asked, TAXONOMY)
        return with_topics(base.taxonomy.read_text(encoding="utf-8"), names, base.taxonomy)

    about = {
        "from": [str(path) for path in (source, add) if path is not None],
        "skipped": [{"line": one.line, "reason": one.reason} for one in told],
        "repeated": sum(tickets.repeated for tickets in files),
        "notes": [note for tickets in files for note in tickets.notes],
    }
    return Gathered(examples, content, threshold, about, base.before if base is not None else ())


def _file(path: Path, topics: Mapping[str, str] | None, known: Mapping[str, str]) -> Tickets:
    found = read_labelled(path)
    tickets = sift(found, topics, known)
    tell_dirty(Labelled(found.path, tickets.rows, tickets.skipped))
    return tickets


def _base(versions: Versions) -> _Base:
    used = versions.in_use()
    if used is not None:
        folder = versions.folder(used.version)
        return _Base(kept.read_examples(folder), folder / kept.TAXONOMY, ())
    sources = Sources.default()
    examples = own_examples(HERE / "data", sources.taxonomy)
    return _Base(examples, TAXONOMY, judged_by_service(examples, load_knowledge(sources)))


def _corrected() -> list[Example]:
    async def work(engines: Engines, log: Log) -> list[Example]:
        return await corrected_examples(Database(engines, "triage", SystemClock(), log))

    return on_database(work)
