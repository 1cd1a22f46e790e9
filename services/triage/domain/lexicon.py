"""Named columns: what a text talks about and how, by words written down per language."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from services.triage.domain.text import fold

_LONGEST_STEM = 24
_REMEMBERED = 50_000
_ARABIC_PREFIXES = ("وال", "فال", "بال", "كال", "لل", "ال", "و", "ف", "ب", "ل", "ك", "ه", "ع")


Found = tuple[tuple[str, ...], tuple[tuple[tuple[str, ...], str], ...]]
"""What one word starts: its columns, and phrases as (other words, column)."""


class LexiconEntryError(ValueError):
    """An entry of a lexicon cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The entries of one language, compiled. Build it by `compile_lexicon`."""

    language: str
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A whole word -> its columns."""
    stems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The beginning of a word -> its columns."""
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = field(default_factory=dict)
    """First word of a phrase -> (its other words, column); a word that ends in * is a beginning."""

    _remembered: "dict[str, Found]" = field(default_factory=dict, repr=False, compare=False)
    """Words looked up before: a pure function's memory."""

    @property
    def columns(self) -> frozenset[str]:
        """All columns that can fire."""
        single = {c for table in (self.words, self.stems) for columns in table.values() for c in columns}
        return frozenset(single | {c for phrases in self.phrases.values() for _, c in phrases})

    def hits(self, tokens: Sequence[str]) -> dict[str, list[str]]:
        """The columns that fire on `tokens` and the words that made each fire, in order of the text."""
        found: dict[str, list[str]] = {}
        for position, token in enumerate(tokens):
            columns, phrases = self._remembered.get(token) or self._look_up(token)
            for column in columns:
                shown = found.setdefault(column, [])
                if token not in shown:
                    shown.append(token)
            for rest, column in phrases:
                if self._follows(rest, tokens[position + 1 : position + 1 + len(rest)]):
                    found.setdefault(column, []).append(" ".join(tokens[position : position + 1 + len(rest)]))
        return found

    def places(self, tokens: Sequence[str], columns: AbstractSet[str]) -> dict[str, list[tuple[int, int]]]:
        """Where these columns fire on `tokens`: half-open ranges of their positions, in order of their beginnings."""
        found: dict[str, list[tuple[int, int]]] = {column: [] for column in columns}
        for position, token in enumerate(tokens):
            single, phrases = self._remembered.get(token) or self._look_up(token)
            for column in single:
                if column in columns:
                    found[column].append((position, position + 1))
            for rest, column in phrases:
                end = position + 1 + len(rest)
                if column in columns and self._follows(rest, tokens[position + 1 : end]):
                    found[column].append((position, end))
        return found

    def _look_up(self, token: str) -> "Found":
        columns: list[str] = []
        phrases: list[tuple[tuple[str, ...], str]] = []
        for variant in self._variants(token):
            columns += self.words.get(variant, ())
            for length in range(2, min(len(variant), _LONGEST_STEM) + 1):
                columns += self.stems.get(variant[:length], ())
            phrases += self.phrases.get(variant, ())
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        found = self._remembered[token] = (tuple(dict.fromkeys(columns)), tuple(phrases))
        return found

    def _variants(self, token: str) -> tuple[str, ...]:
        if self.language != "ar" or not ("\u0600" <= token[0] <= "\u06ff"):
            return (token,)
        bare = [token[len(p) :] for p in _ARABIC_PREFIXES if token.startswith(p) and len(token) - len(p) >= 3]
        return (token, *dict.fromkeys(bare))

    @staticmethod
    def _follows(rest: tuple[str, ...], tokens: Sequence[str]) -> bool:
        return len(rest) == len(tokens) and all(
            token.startswith(word[:-1]) if word.endswith("*") else token == word
            for word, token in zip(rest, tokens, strict=True)
        )


def compile_lexicon(language: str, columns: Mapping[str, Sequence[str]]) -> Lexicon:
    """Compile entries: `word`, `stem*` (at least 2 letters) or `a phrase of word*`.

    Entries are folded like texts are (lower case, no diacritics). Raises LexiconEntryError.
    """
    words: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for column, entries in columns.items():
        for entry in entries:
            parts = fold(entry).replace("'", " ").replace("-", " ").split()
            if not parts:
                raise LexiconEntryError(f"{language}: column {column} has an empty entry")
            if any("*" in part[:-1] or part == "*" for part in parts):
                raise LexiconEntryError(f"{language}: {column}: {entry!r}: a * may only end a word")
            if len(parts) > 1:
                if parts[0].endswith("*"):
                    raise LexiconEntryError(
                        f"{language}: {column}: {entry!r}: the first word of a phrase is whole"
                    )
                phrases.setdefault(parts[0], []).append((tuple(parts[1:]), column))
            elif parts[0].endswith("*"):
                stem = parts[0][:-1]
                if not 2 <= len(stem) <= _LONGEST_STEM:
                    raise LexiconEntryError(f"{language}: {column}: {entry!r}: a stem has 2 to 24 letters")
                stems.setdefault(stem, []).append(column)
            else:
                words.setdefault(parts[0], []).append(column)
    return Lexicon(
        language,
        {key: tuple(value) for key, value in words.items()},
        {key: tuple(value) for key, value in stems.items()},
        {key: tuple(value) for key, value in phrases.items()},
    )


def merge_hits(
    first: Mapping[str, Sequence[str]], second: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Both texts' hits together, each word once."""
    return {
        column: tuple(dict.fromkeys((*first.get(column, ()), *second.get(column, ()))))
        for column in dict.fromkeys((*first, *second))
    }
