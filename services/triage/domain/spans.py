"""Where in a text the words stand that spoke for a signal."""

import re
from collections.abc import Sequence
from dataclasses import replace

from services.triage.domain.signals import Reason
from services.triage.domain.text import READ_CHARS, fold

_WORD = re.compile(r"[^\W_]+")
_SOURCES = ("word", "lexicon")


def with_spans(reasons: Sequence[Reason], text: str) -> tuple[Reason, ...]:
    """The reasons, those by words with the place of their first occurrence in `text`; linear in the text."""
    wanted = {i: _words(reason) for i, reason in enumerate(reasons) if reason.source in _SOURCES}
    if not any(wanted.values()):
        return tuple(reasons)
    places: dict[str, list[int]] = {}
    spans: list[tuple[int, int]] = []
    words: list[str] = []
    plain = text.isascii()
    for match in _WORD.finditer(text.lower() if plain else text, 0, READ_CHARS):
        word = match.group() if plain else fold(match.group())
        places.setdefault(word, []).append(len(words))
        words.append(word)
        spans.append(match.span())
    found = list(reasons)
    for index, phrase in wanted.items():
        for at in places.get(phrase[0], ())[:_TRIED] if phrase else ():
            if words[at : at + len(phrase)] == phrase:
                found[index] = replace(reasons[index], start=spans[at][0], end=spans[at + len(phrase) - 1][1])
                break
    return tuple(found)


_TRIED = 50


def _words(reason: Reason) -> list[str]:
    """The words of the first piece of evidence that a reason names."""
    shown = reason.detail
    if reason.source == "lexicon":
        _, colon, shown = shown.partition(": ")
        if not colon:
            return []
        shown = shown.split(", ")[0]
    return _WORD.findall(shown.split(" … ")[0])
