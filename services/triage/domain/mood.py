"""Which mood a text is in, and how strongly it is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOODS: Final = ("neutral", "angry", "disappointed", "happy")
LEVELS: Final = ("none", "mild", "clear", "strong")
_HEADS: Final[Mapping[str, str]] = {"angry": "anger", "disappointed": "disappointment", "happy": "joy"}
_BELIEVED: Final = 0.5
_LOUD: Final[Mapping[str, float]] = {
    "form.capitals": 0.2,
    "form.exclamations": 0.15,
    "form.stretched": 0.05,
    "form.emoji": 0.05,
}
"""How a mood is shouted; the same for good and bad ones."""
_BITTER: Final[Mapping[str, float]] = {
    "insult": 0.25,
    "authority": 0.2,
    "never_again": 0.15,
    "shame": 0.1,
    "again": 0.1,
    "complain": 0.1,
}
_WARM: Final[Mapping[str, float]] = {"praise": 0.2, "happy": 0.15, "thanks": 0.1}
_SURE_SHARE: Final = 0.5
_CLEAR: Final = 0.45
_STRONG: Final = 0.7


@dataclass(frozen=True, slots=True)
class Mood:
    """The mood of one text."""

    value: str
    """neutral, angry, disappointed or happy."""
    confidence: float
    """Calibrated, 0..1; of neutral: that none of the others is there."""
    strength: float
    """0..1: half of the mood's probability, and what the text adds: capitals, marks, insults, threats, praise."""
    columns: tuple[str, ...]
    """The named columns that added to the strength, the heaviest first."""

    @property
    def level(self) -> str:
        """The strength in a word: none, mild, clear (from .45) or strong (from .7)."""
        return level_of(self.value, self.strength)


def level_of(value: str, strength: float) -> str:
    """none of neutral; mild, clear or strong of the others."""
    if value == "neutral":
        return "none"
    return "strong" if strength >= _STRONG else "clear" if strength >= _CLEAR else "mild"


def mood_of(probabilities: Mapping[str, float], columns: Mapping[str, float]) -> Mood:
    """From the probabilities of `anger`, `disappointment` and `joy` (a missing one is 0) and the named columns, 0..1."""
    by_mood = {mood: probabilities.get(head, 0.0) for mood, head in _HEADS.items()}
    best = max(by_mood, key=lambda mood: by_mood[mood])
    if by_mood[best] < _BELIEVED:
        return Mood("neutral", 1.0 - by_mood[best], 0.0, ())
    parts = {**_LOUD, **(_WARM if best == "happy" else _BITTER)}
    added = {name: weight * columns[name] for name, weight in parts.items() if columns.get(name, 0.0) > 0}
    strength = min(1.0, _SURE_SHARE * by_mood[best] + sum(added.values()))
    return Mood(best, by_mood[best], strength, tuple(sorted(added, key=lambda n: (-added[n], n))))
