"""The language of a text: what the letters decide first, then a detector's scores with a prior."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNDETERMINED = "und"

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
    """`script`, `letters`, `detector`, `prior` or `nothing`."""


def decide_language(
    text: str,
    *,
    languages: Sequence[str],
    scores: Mapping[str, float],
    prior: Mapping[str, float],
    sharpness: float,
) -> LanguageGuess:
    """Decide among `languages`.

    `scores` are a detector's, 0..1, missing = 0; `prior` is a weight by language (missing = 1), larger for the
    language the conversation was in before. `sharpness` turns scores into belief: belief ~ prior * exp(sharpness *
    score). Text in which no letter belongs to a script of the operator's languages is `und`.
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
    if arabic * 2 > total:
        known = "ar" if "ar" in languages else UNDETERMINED
        return LanguageGuess(known, max(_DECIDED, arabic / total), "", 0.0, "script")
    if romanian and "ro" in languages:
        return LanguageGuess("ro", _DECIDED, "", 0.0, "letters")
    sharpness *= min(1.0, latin / _FULL_LETTERS)
    return _by_scores([code for code in languages if code != "ar"], scores, prior, sharpness)


def _by_scores(
    languages: Sequence[str], scores: Mapping[str, float], prior: Mapping[str, float], sharpness: float
) -> LanguageGuess:
    if not languages:
        return LanguageGuess(UNDETERMINED, 1.0, "", 0.0, "script")
    seen = any(scores.get(code, 0.0) > 0 for code in languages)
    if not seen and not any(prior.get(code, 1.0) != 1.0 for code in languages):
        return LanguageGuess(UNDETERMINED, 1.0, "", 0.0, "detector")
    belief = {
        code: max(prior.get(code, 1.0), 1e-9) * math.exp(sharpness * scores.get(code, 0.0))
        for code in languages
    }
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
