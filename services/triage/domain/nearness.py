"""Words that mean something only near each other: "speak" and "somebody", "not" and "robot"."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.triage.domain.lexicon import Lexicon

PAIRS: Final = (
    ("near.talk_human", "talk", "human", 6),
    ("near.ask_human", "ask", "human", 5),
    ("near.talk_whom", "talk", "whom", 5),
    ("near.real_human", "real", "human", 3),
    ("near.no_bot", "negation", "bot", 4),
)
"""(column, one lexicon column, the other, how many tokens may stand between)."""
NEAR_COLUMNS: Final = tuple(name for name, _, _, _ in PAIRS)


def near(
    tokens: Sequence[str], lexicons: Sequence[Lexicon], hits: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The pairs found in a text, each with the words that made it. `hits` are the lexicons' hits on the same tokens."""
    found: dict[str, tuple[str, ...]] = {}
    for name, first, second, most in PAIRS:
        if first not in hits or second not in hits:
            continue
        for lexicon in lexicons:
            words = _first_pair(tokens, lexicon.places(tokens, first), lexicon.places(tokens, second), most)
            if words:
                found[name] = (words,)
                break
    return found


def _first_pair(
    tokens: Sequence[str], ones: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]], most: int
) -> str:
    """Both lists are in order of the text, so one walk over them is enough."""
    at = 0
    for start, end in ones:
        while at < len(others) and others[at][1] < start - most:
            at += 1
        for other_start, other_end in others[at : at + 3]:
            apart = other_start >= end or other_end <= start
            between = other_start - end if other_start >= end else start - other_end
            if apart and between <= most:
                first, last = sorted(((start, end), (other_start, other_end)))
                return f"{' '.join(tokens[slice(*first)])} … {' '.join(tokens[slice(*last)])}"
    return ""
