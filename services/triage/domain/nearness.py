"""Words that mean something only near each other: "want", "speak" and "somebody"; "not" and "robot"; "spoke" and "agent"."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

from services.triage.domain.lexicon import Lexicon

Place = tuple[int, ...]
"""Half-open range of positions of tokens."""

PAIRS: Final = (
    ("near.talk_human", "talk", "human", 6),
    ("near.ask_human", "ask", "human", 5),
    ("near.talk_whom", "talk", "whom", 5),
    ("near.real_human", "real", "human", 3),
    ("near.no_bot", "negation", "bot", 4),
    ("wish.want_staff", "wish_want", "wish_staff", 2),
    ("wish.speak_staff", "wish_speak", "wish_staff", 3),
    ("wish.speak_anyone", "wish_speak", "wish_anyone", 2),
    ("wish.want_ring", "wish_want", "wish_ring", 3),
    ("wish.anyone_ring", "wish_anyone", "wish_ring", 3),
    ("wish.staff_ring", "wish_staff", "wish_ring", 3),
    ("wish.pass_staff", "wish_pass", "wish_staff", 4),
    ("wish.spoke_staff", "wish_spoke", "wish_staff", 4),
    ("wish.spoke_anyone", "wish_spoke", "wish_anyone", 3),
    ("wish.speak_others", "wish_speak", "wish_others", 3),
    ("wish.not_speak", "negation", "wish_speak", 4),
    ("wish.not_want", "negation", "wish_want", 1),
    ("wish.not_staff", "negation", "wish_staff", 1),
    ("wish.speak_bot", "wish_speak", "bot", 4),
    ("wish.bot_staff", "bot", "wish_staff", 5),
)
"""(column, one lexicon column, the other, how many tokens may stand between)."""
CHAINS: Final = (
    ("wish.want_speak_staff", "wish_want", "wish_speak", "wish_staff", 4),
    ("wish.want_speak_anyone", "wish_want", "wish_speak", "wish_anyone", 4),
    ("wish.not_want_staff", "negation", "wish_want", "wish_staff", 3),
)
"""(column, the first of three, the two that follow it in either order, how many tokens may stand between)."""
ALONE: Final = (("wish.staff_alone", "wish_staff"), ("wish.ring_alone", "wish_ring"))
"""(column, a lexicon column that makes up nearly all of a text of at most MOST_ALONE words): "an agent please"."""
MOST_ALONE: Final = 4
NEAR_COLUMNS: Final = tuple(one[0] for one in (*PAIRS, *CHAINS, *ALONE))


def near(
    tokens: Sequence[str], lexicons: Sequence[Lexicon], hits: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The pairs and chains found in a text, each with the words that made it. `hits` are the lexicons' hits on the same
    tokens."""
    found: dict[str, tuple[str, ...]] = {}
    pairs = [one for one in PAIRS if one[1] in hits and one[2] in hits]
    chains = [one for one in CHAINS if one[1] in hits and one[2] in hits and one[3] in hits]
    if pairs:
        needed = {column for one in pairs for column in one[1:3]}
        needed |= {column for one in chains for column in one[1:4]}
        for lexicon in lexicons:
            places = lexicon.places(tokens, needed)
            for name, first, second, most in pairs:
                if name not in found and (words := _pair(tokens, places[first], places[second], most)):
                    found[name] = (words,)
            for name, first, second, third, most in chains:
                parts = (places[first], places[second], places[third])
                if name not in found and (words := _chain(tokens, *parts, most)):
                    found[name] = (words,)
    if sum(token[0].isalpha() for token in tokens) <= MOST_ALONE:
        found.update({name: tuple(hits[column][:1]) for name, column in ALONE if column in hits})
    return found


def _pair(tokens: Sequence[str], ones: Sequence[Place], others: Sequence[Place], most: int) -> str:
    """Both lists are in order of the text, so one walk over them is enough."""
    at = 0
    for start, end in ones:
        while at < len(others) and others[at][1] < start - most:
            at += 1
        for other_start, other_end in others[at : at + 3]:
            apart = other_start >= end or other_end <= start
            between = other_start - end if other_start >= end else start - other_end
            if apart and between <= most:
                return _shown(tokens, (start, end), (other_start, other_end))
    return ""


def _chain(
    tokens: Sequence[str], ones: Sequence[Place], twos: Sequence[Place], threes: Sequence[Place], most: int
) -> str:
    for one in ones:
        for a, b in ((twos, threes), (threes, twos)):
            middle = _after(a, one[1], most)
            last = _after(b, middle[1], most) if middle else None
            if middle and last:
                return _shown(tokens, one, middle, last)
    return ""


def _after(places: Sequence[Place], end: int, most: int) -> Place | None:
    """The first place that begins at most so many tokens after `end`."""
    at = bisect_left(places, (end,))
    return places[at] if at < len(places) and places[at][0] <= end + most else None


def _shown(tokens: Sequence[str], *places: Place) -> str:
    return " … ".join(" ".join(tokens[slice(*place)]) for place in sorted(places))
