"""Reads the lexicons, one YAML file a language."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from services.triage.domain.lexicon import Lexicon, LexiconEntryError, compile_lexicon


class LexiconFileError(ValueError):
    """A lexicon cannot be used. The text names the file and the reason."""


def load_lexicons(folder: Path, languages: Sequence[str]) -> Mapping[str, Lexicon]:
    """The lexicons of these languages and English; a language without a file has none. Raises LexiconFileError."""
    found: dict[str, Lexicon] = {}
    for language in dict.fromkeys((*languages, "en")):
        path = folder / f"{language}.yaml"
        if path.exists():
            found[language] = _load(path, language)
    return found


def _load(path: Path, language: str) -> Lexicon:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LexiconFileError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise LexiconFileError(f"{path}: expected columns, each with a list of entries")
    for column, entries in content.items():
        if not isinstance(column, str) or not isinstance(entries, list):
            raise LexiconFileError(f"{path}: {column!r}: expected a column with a list of entries")
        if odd := [entry for entry in entries if not isinstance(entry, str)]:
            raise LexiconFileError(f"{path}: {column}: {odd[0]!r} is no text; write it in quotes")
    try:
        return compile_lexicon(language, content)
    except LexiconEntryError as error:
        raise LexiconFileError(f"{path}: {error}") from error
