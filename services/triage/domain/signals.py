"""What triage knows of one text, with how sure it is and why."""

from dataclasses import dataclass, field
from typing import Literal

from services.triage.domain.entities import Entity

UNKNOWN = "unknown"
"""The topic of a text whose best topic is below the threshold."""

Source = Literal[
    "word",
    "lexicon",
    "header",
    "prior",
    "threshold",
    "runner_up",
    "rule",
    "tier",
    "example",
    "correction",
    "endpoint",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence."""

    signal: str
    """language, topic, kind, urgency, anger, disappointment, joy, mood_strength, complexity, wish_for_person, spam,
    self_service, second_topic, or what a rule sets: priority, handling, tags, queue_hint, skills, macro, reply, escalate."""
    source: Source
    detail: str
    weight: float = 0.0
    """Log-odds for the decision; 0 where it does not apply. For threshold and runner_up: that probability."""
    start: int = 0
    end: int = 0
    """Where its words stand in the text that was classified, half-open, in characters; both 0 when nowhere."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A value with the calibrated probability, 0..1, that it is right."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Signals:
    """All signals of one text. Probabilities are calibrated, 0..1."""

    language: Signal
    topic: Signal
    """A key of the taxonomy or `unknown`; below the threshold the confidence is that of the best topic."""
    best_topic: str
    """The best topic even when it is below the threshold."""
    kind: Signal
    """request, unsure, thanks, automatic, spam or survey_answer."""
    urgency: Signal
    """low, normal or high."""
    anger: float
    wish_for_person: float
    spam: float
    known_share: float
    """Share of the words that the model has seen."""
    model_version: str
    policy_version: str
    reasons: tuple[Reason, ...] = field(default=())
    out_of_scope: float = 0.0
    """How likely none of the topics fits."""
    mood: Signal = Signal("neutral", 0.0)
    """neutral, angry, disappointed or happy."""
    mood_strength: float = 0.0
    """0..1; see `mood.Mood`."""
    disappointment: float = 0.0
    joy: float = 0.0
    complexity: float = 0.0
    """How likely it is about several problems or a long history."""
    self_service: float = 0.0
    """How likely a help page or the account could settle it, with nobody of the firm looking at the case."""
    entities: tuple[Entity, ...] = ()
    """In order of the text, which is the one that was classified."""
    second_topic: Signal = Signal("", 0.0)
    """What an endpoint outside says of a topic that the model did not name, as sure as that says; empty when not asked."""
