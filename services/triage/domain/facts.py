"""The facts that rules compare: every signal, and what is known of the customer and the conversation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.triage.domain import entities
from services.triage.domain.mood import LEVELS, MOODS, level_of
from services.triage.domain.rules import Fact
from services.triage.domain.signals import Signals

KINDS: Final = ("request", "unsure", "thanks", "automatic", "spam", "survey_answer")
URGENCIES: Final = ("low", "normal", "high")
CHANNELS: Final = (
    "web", "chat", "mail", "api", "sms", "whatsapp", "messenger", "instagram", "telegram", "voice", "webhook",
)  # fmt: skip
TURNS: Final = ("first", "same", "worse", "better")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOSED: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "urgency": URGENCIES,
    "channel": CHANNELS,
    "mood": MOODS,
    "mood_level": LEVELS,
    "mood_turn": TURNS,
    "weekday": WEEKDAYS,
    "entities": entities.KINDS,
    "personal_data": tuple(sorted(entities.PERSONAL)),
}
"""Facts that take one of these words; `entities` and `personal_data` are sets of them."""
OPEN: Final = ("tier", "account", "product")
"""Facts that take any word; so does `attribute.NAME`. `product` is a set."""
PROBABILITIES: Final = (
    "anger",
    "disappointment",
    "joy",
    "mood_strength",
    "complexity",
    "wish_for_person",
    "self_service",
    "spam",
    "topic_confidence",
    "kind_confidence",
    "language_confidence",
    "urgency_confidence",
    "out_of_scope",
    "known_share",
)
"""Facts that are numbers, 0..1."""
COUNTS: Final = ("hour", "contacts_this_week", "message_number", "amount")
"""Facts that are numbers from 0: the hour of the day in the operator's zone (9.5 is half past nine), conversations of the
customer in seven days with this one, the message's number in the conversation, the largest amount the text names."""
ATTRIBUTE: Final = "attribute."
_VALENCE: Final[Mapping[str, float]] = {"angry": -2.0, "disappointed": -1.0, "neutral": 0.0, "happy": 1.0}
_TURN: Final = 0.9


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a message beside its text."""

    channel: str = ""
    """One of CHANNELS, or empty."""
    automatic: bool = False
    """Mail headers say that no person wrote it."""
    survey_answer: bool = False
    corrected_topic: str = ""
    """The topic a person has set in this episode, or empty."""
    tags_corrected: bool = False
    """A person has set the tags in this episode."""
    account: str = ""
    """The channel account it came in by."""
    tier: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of the customer and the conversation, by name."""
    contacts_this_week: int = 1
    message_number: int = 1
    hour: float = 12.0
    weekday: str = ""
    earlier_mood: str = ""
    """Of the conversation's message before, or empty."""
    earlier_strength: float = 0.0


def facts_of(signals: Signals, circumstances: Circumstances) -> dict[str, Fact]:
    """Every fact by name."""
    found = signals.entities
    amounts = [float(e.value.split(" ")[0]) for e in found if e.kind == "amount"]
    mood, strength = signals.mood.value, signals.mood_strength
    facts: dict[str, Fact] = {
        "topic": signals.topic.value,
        "second_topic": signals.second_topic.value,
        "kind": signals.kind.value,
        "language": signals.language.value,
        "urgency": signals.urgency.value,
        "channel": circumstances.channel,
        "mood": mood,
        "mood_level": level_of(mood, strength),
        "mood_turn": mood_turn(circumstances.earlier_mood, circumstances.earlier_strength, mood, strength),
        "tier": circumstances.tier,
        "account": circumstances.account,
        "weekday": circumstances.weekday,
        "entities": frozenset(e.kind for e in found),
        "personal_data": frozenset(e.kind for e in found if e.personal),
        "product": frozenset(e.value for e in found if e.kind == "product"),
        "topic_confidence": signals.topic.confidence,
        "kind_confidence": signals.kind.confidence,
        "language_confidence": signals.language.confidence,
        "urgency_confidence": signals.urgency.confidence,
        "hour": circumstances.hour,
        "contacts_this_week": float(circumstances.contacts_this_week),
        "message_number": float(circumstances.message_number),
        "amount": max(amounts, default=0.0),
    }
    facts.update({name: getattr(signals, name) for name in PROBABILITIES if name not in facts})
    facts.update({f"{ATTRIBUTE}{name}": value for name, value in circumstances.attributes.items()})
    return facts


def mood_turn(before: str, before_strength: float, now: str, strength: float) -> str:
    """first (nothing before), worse, better or same: by the mood's side and its strength, a step of 0.9 counts."""
    if not before:
        return "first"
    change = _worth(now, strength) - _worth(before, before_strength)
    return "worse" if change <= -_TURN else "better" if change >= _TURN else "same"


def _worth(mood: str, strength: float) -> float:
    return _VALENCE.get(mood, 0.0) * (0.5 + strength)


def stored(facts: Mapping[str, Fact]) -> dict[str, str | float | list[str]]:
    """Facts as JSON values."""
    return {
        name: sorted(fact)
        if isinstance(fact, frozenset)
        else round(fact, 4)
        if isinstance(fact, float)
        else fact
        for name, fact in facts.items()
    }


def restored(values: Mapping[str, str | float | Iterable[str]]) -> dict[str, Fact]:
    """The facts of `stored`."""
    return {
        name: value
        if isinstance(value, str)
        else float(value)
        if isinstance(value, int | float)
        else frozenset(value)
        for name, value in values.items()
    }
