"""Bodies of the triage API."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema


def _instant(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19]}.{ms % 1000:03d}Z"


Instant = Annotated[
    int, PlainSerializer(_instant, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""Milliseconds inside, RFC 3339 outside."""


class ClassifyBody(BaseModel):
    """A text to classify. Nothing of it is kept."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    text: str = Field(max_length=65_536, description="Any text, also an empty one")
    subject: str = Field(default="", max_length=1_000)
    channel: Literal["", "web", "chat", "mail", "api"] = ""
    earlier_language: str = Field(
        default="", max_length=3, description="Language of earlier messages of the same conversation"
    )
    language_hint: str = Field(
        default="", max_length=3, description="What the channel or the profile suggests"
    )


class SignalOut(BaseModel):
    """A value with the calibrated probability, 0 to 1, that it is right."""

    value: str
    confidence: float


class ReasonOut(BaseModel):
    """One piece of evidence."""

    signal: str
    source: Literal[
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
    ]
    detail: str
    weight: float = Field(
        description="Log-odds; of threshold and runner_up a probability, of example and correction a cosine; else 0"
    )


class DecisionOut(BaseModel):
    """All signals of a text, what the operator's rules made of them, and why."""

    model_config = ConfigDict(protected_namespaces=())

    language: SignalOut
    topic: SignalOut = Field(description="A key of the taxonomy, or unknown below the threshold")
    best_topic: str = Field(description="The best topic even when it is below the threshold")
    out_of_scope: float = Field(default=0.0, description="How likely none of the topics fits")
    kind: SignalOut
    urgency: SignalOut
    anger: float
    wish_for_person: float
    spam: float
    known_share: float = Field(description="Share of the words that the model has seen")
    handling: str
    priority: int
    tags: list[str]
    required_skills: list[str]
    queue_hint: str
    model_version: str
    policy_version: str
    reasons: list[ReasonOut]


class ConversationOut(BaseModel):
    """The last decision on a conversation."""

    conversation_id: str
    message_id: str
    message_seq: int
    human_version: int = Field(description="How often people had acted when it was decided")
    decided_at: Instant
    decision: DecisionOut


class DecisionItem(BaseModel):
    """A decision as the list shows it."""

    conversation_id: str
    message_id: str
    message_seq: int
    topic: str
    topic_confidence: float
    kind: str
    language: str
    decided_at: Instant


class TopicOut(BaseModel):
    """One topic of the taxonomy."""

    key: str
    label: str
    about: str


class ThresholdsOut(BaseModel):
    """Probabilities from which a signal is believed."""

    topic: float
    thanks: float
    automatic: float
    spam: float
    urgency_high: float
    urgency_low: float


class TaxonomyOut(BaseModel):
    """What the operator has configured."""

    version: str
    languages: list[str]
    topics: list[TopicOut]
    thresholds: ThresholdsOut
    rules: list[str] = Field(description="Names, in the order in which they are tried")
