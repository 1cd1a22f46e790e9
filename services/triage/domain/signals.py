"""What triage knows of one text, with how sure it is and why."""

from dataclasses import dataclass, field
from typing import Literal

UNKNOWN = "unknown"
"""The topic of a text whose best topic is below the threshold."""

Source = Literal[
    "word", "lexicon", "header", "prior", "threshold", "runner_up", "rule", "tier", "example", "correction"
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence."""

    signal: str
    """language, topic, kind, urgency, anger, wish_for_person, spam, priority, handling, tags, queue_hint or skills."""
    source: Source
    detail: str
    weight: float = 0.0
    """Log-odds for the decision; 0 where it does not apply. For threshold and runner_up: that probability."""


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
