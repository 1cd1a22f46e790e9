"""The language of a text: what the letters decide first, then a detector's scores with a prior."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNDETERMINED = "und"
FOREIGN_MARGIN = 0.1
"""By how much a language that is not served must beat those that are. Of the own set's training texts with 12 letters
or more only one in 3,800 is beyond it."""

_ROMANIAN = frozenset("ășțşţĂȘȚŞŢ")
_DECIDED = 0.99
_FULL_LETTERS = 12
"""From so many letters a detector's score counts in full; of fewer, in proportion."""


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The language of one text."""

    language: str
    """ISO 639-1, one of the operator's languages, or `und`."""
    confidence: float
    """0..1; the share of the prior-weighted belief that went to `language`."""
    runner_up: str
    runner_up_confidence: float
    because: str
    """`script`, `letters`, `detector`, `prior`, `foreign` or `nothing`; with `foreign` the runner-up is the language
    that the text seems to be in, which is not served."""


def decide_language(
    text: str,
    *,
    languages: Sequence[str],
    scores: Mapping[str, float],
    prior: Mapping[str, float],
    sharpness: float,
) -> LanguageGuess:
    """Decide among `languages`.

    `scores` are a detector's, 0..1, missing = 0, with those of languages that are not served; `prior` is a weight by
    language (missing = 1), larger for the language the conversation was in before. `sharpness` turns scores into
    belief: belief ~ prior * exp(sharpness * score). Text in which no letter belongs to a script of the operator's
    languages is `und`, and so is text that a language not served beats by FOREIGN_MARGIN; of few letters, or against
    a prior, it must be ahead by more.
    """
    arabic = latin = romanian = other = 0
    for character in text:
        if not character.isalpha():
            continue
        if character < "ɐ":
            latin += 1
            romanian += character in _ROMANIAN
        elif "\u0600" <= character <= "ۿ" or "ﭐ" <= character <= "\ufeff":
            arabic += 1
        elif "Ḁ" <= character <= "ỿ":
            latin += 1
        else:
            other += 1
    total = arabic + latin + other
    if total == 0:
        return LanguageGuess(UNDETERMINED, 1.0, "", 0.0, "nothing")
    if other * 2 > total:
        return LanguageGuess(UNDETERMINED, other / total, "", 0.0, "script")
    full = min(1.0, total / _FULL_LETTERS)
    in_arabic = arabic * 2 > total
    possible = [code for code in languages if (code == "ar") == in_arabic]
    foreign = _foreign(languages, possible, scores, prior, sharpness, full)
    if foreign and possible:
        return foreign
    if in_arabic:
        known = "ar" if possible else UNDETERMINED
        return LanguageGuess(known, max(_DECIDED, arabic / total), "", 0.0, "script")
    if romanian and "ro" in languages:
        return LanguageGuess("ro", _DECIDED, "", 0.0, "letters")
    return _by_scores(possible, scores, prior, sharpness * full)


def _foreign(
    languages: Sequence[str],
    possible: Sequence[str],
    scores: Mapping[str, float],
    prior: Mapping[str, float],
    sharpness: float,
    full: float,
) -> LanguageGuess | None:
    others = {code: score for code, score in scores.items() if code not in languages}
    if not others:
        return None
    strangest = max(others, key=lambda code: (others[code], code))
    best = max((_log_belief(code, scores, prior, sharpness * full) for code in possible), default=-math.inf)
    ahead = sharpness * (full * others[strangest] - FOREIGN_MARGIN) - best
    if ahead <= 0:
        return None
    return LanguageGuess(UNDETERMINED, 1 / (1 + math.exp(-ahead)), strangest, 0.0, "foreign")


def _log_belief(
    code: str, scores: Mapping[str, float], prior: Mapping[str, float], sharpness: float
) -> float:
    return math.log(max(prior.get(code, 1.0), 1e-9)) + sharpness * scores.get(code, 0.0)


def _by_scores(
    languages: Sequence[str], scores: Mapping[str, float], prior: Mapping[str, float], sharpness: float
) -> LanguageGuess:
    if not languages:
        return LanguageGuess(UNDETERMINED, 1.0, "", 0.0, "script")
    seen = any(scores.get(code, 0.0) > 0 for code in languages)
    if not seen and not any(prior.get(code, 1.0) != 1.0 for code in languages):
        return LanguageGuess(UNDETERMINED, 1.0, "", 0.0, "detector")
    belief = {code: math.exp(_log_belief(code, scores, prior, sharpness)) for code in languages}
    total = sum(belief.values())
    ranked = sorted(belief, key=lambda code: (-belief[code], languages.index(code)))
    second = ranked[1] if len(ranked) > 1 else ""
    return LanguageGuess(
        ranked[0],
        belief[ranked[0]] / total,
        second,
        belief[second] / total if second else 0.0,
        "detector" if seen else "prior",
    )
