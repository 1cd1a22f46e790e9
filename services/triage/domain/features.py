"""What the linear model sees of a text: hashed words and letters, and named columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from services.triage.domain.lexicon import Lexicon, merge_hits
from services.triage.domain.nearness import NEAR_COLUMNS, near
from services.triage.domain.text import Text

WORD_BITS = 17
LETTER_BITS = 18
WORDS = 1 << WORD_BITS
LETTERS = 1 << LETTER_BITS
_WORD_MASK = WORDS - 1
_START = crc32(b"\x02 ")
_LONGEST_WORD = 24
_REMEMBERED = 50_000  # words whose letters are kept: customers use the same ones

PLACEHOLDERS = frozenset(("xmail", "xurl", "xmoney", "xphone", "xnum"))

FORM_COLUMNS = (
    "form.capitals",
    "form.exclamations",
    "form.questions",
    "form.stretched",
    "form.very_short",
    "form.long",
    "form.link",
    "form.mail_address",
    "form.phone",
    "form.amount",
    "form.number",
    "form.emoji",
    "form.lines",
    "form.header_words",
    "form.very_long",
    "form.sentences",
)
"""Columns about how a text is written, 0..1 each."""
DERIVED_COLUMNS = (*FORM_COLUMNS, *NEAR_COLUMNS)
"""All columns that are not a lexicon's own."""


@dataclass(frozen=True, slots=True)
class Features:
    """One text as numbers. Buckets may repeat; their weight is then added."""

    words: dict[int, tuple[str, ...]]
    """Bucket of a word or a pair of words -> the words."""
    letters: dict[int, int]
    """Bucket of a run of 3 to 5 letters -> position in the text of its word."""
    columns: dict[str, float]
    """Named column -> 0..1."""
    hits: Mapping[str, Sequence[str]]
    """Lexicon column -> the words that made it fire."""
    tokens: tuple[str, ...]


def word_bucket(*words: str) -> int:
    """The bucket of a word or a pair of words, 0 .. WORDS-1."""
    return crc32(" ".join(words).encode("utf-8")) & (WORDS - 1)


def letter_buckets(word: str) -> tuple[int, ...]:
    """The buckets of all runs of 3 to 5 letters of a word with its edges marked, 0 .. LETTERS-1."""
    edged = f"\x02{word[:_LONGEST_WORD]}\x03".encode("utf-16-le")
    size = len(edged)
    return tuple(
        crc32(edged[start : start + length]) & (LETTERS - 1)
        for length in (6, 8, 10)
        for start in range(0, size - length + 1, 2)
    )


def _hashed(token: str) -> tuple[bytes, int, int, tuple[int, ...]]:
    """A token's bytes, their check sum, that of the token with a space (a pair's goes on from there), its letters."""
    content = token.encode("utf-8")
    letters = letter_buckets(token) if token[0].isalpha() else ()
    return content, crc32(content), crc32(content + b" "), letters


_remembered = lru_cache(maxsize=_REMEMBERED)(_hashed)


def extract(text: Text, lexicons: Sequence[Lexicon]) -> Features:
    """Features of a text under the lexicons given (the text's language, and English for its loan words)."""
    tokens = text.tokens
    words: dict[int, tuple[str, ...]] = {}
    letters: dict[int, int] = {}
    previous = ""
    so_far = _START
    for position, token in enumerate(tokens):
        # Long ones are seldom words: they would only fill the memory.
        hashed = _remembered if len(token) <= _LONGEST_WORD else _hashed
        content, alone, spaced, runs = hashed(token)
        words[alone & _WORD_MASK] = (token,)
        words[crc32(content, so_far) & _WORD_MASK] = (previous, token) if previous else (token,)
        for bucket in runs:
            letters[bucket] = position
        previous, so_far = token, spaced
    hits: Mapping[str, Sequence[str]] = {}
    for lexicon in lexicons:
        found = lexicon.hits(tokens)
        hits = merge_hits(hits, found) if hits else found
    together = near(tokens, lexicons, hits)
    columns = {column: min(1.0, 0.6 + 0.2 * len(found)) for column, found in hits.items()}
    columns.update(dict.fromkeys(together, 1.0))
    columns.update(form_columns(text))
    if together:
        hits = {**hits, **together}
    return Features(words, letters, columns, hits, tokens)


def form_columns(text: Text) -> dict[str, float]:
    """The form columns that are above 0, each at most 1."""
    clean, tokens = text.clean, text.tokens
    upper = sum(1 for word in clean.split() if word.isupper() and len(word) > 2 and word.isalpha())
    words = max(1, len(text.words))
    marks = tokens.count("!")
    questions = tokens.count("?") + clean.count("؟")
    values = {
        "form.capitals": min(1.0, 2.0 * upper / words) if upper > 1 or upper == words else 0.25 * (upper > 0),
        "form.exclamations": min(1.0, marks / 3),
        "form.questions": min(1.0, questions / 3),
        "form.stretched": float(_STRETCHED.search(text.folded) is not None),
        "form.very_short": 1.0 if words <= 3 else 0.5 if words <= 6 else 0.0,
        "form.long": min(1.0, max(0, words - 20) / 40),
        "form.link": float("xurl" in tokens),
        "form.mail_address": float("xmail" in tokens),
        "form.phone": float("xphone" in tokens),
        "form.amount": float("xmoney" in tokens),
        "form.number": float("xnum" in tokens),
        "form.emoji": float(any(not token[0].isalnum() and token not in "!?" for token in set(tokens))),
        "form.lines": min(1.0, clean.strip().count("\n") / 3),
        "form.header_words": float(bool(_HEADERS.intersection(tokens))),
        "form.very_long": min(1.0, max(0, words - 60) / 120),
        "form.sentences": min(1.0, max(0, len(_SENTENCE.findall(clean)) - 3) / 6),
    }
    return {name: value for name, value in values.items() if value > 0}


_STRETCHED = re.compile(r"([aeiouy!?])\1\1")
_SENTENCE = re.compile(r"[.!?؟…][\s\"»“)]|\n\n")
_HEADERS = frozenset(
    ("mailer", "daemon", "postmaster", "smtp", "noreply", "autoreply", "undeliverable", "xloop")
)


def known_share(features: Features, known: frozenset[int]) -> float:
    """Share, 0..1, of the text's words (numbers and marks apart) that the training texts held; 0 without words."""
    total = seen = 0
    for token in features.tokens:
        if token[0].isalpha() and token not in PLACEHOLDERS:
            total += 1
            hashed = _remembered if len(token) <= _LONGEST_WORD else _hashed
            seen += hashed(token)[1] & _WORD_MASK in known
    return seen / total if total else 0.0
