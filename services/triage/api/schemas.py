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


ChannelWord = Literal[
    "",
    "web",
    "chat",
    "mail",
    "api",
    "sms",
    "whatsapp",
    "messenger",
    "instagram",
    "telegram",
    "voice",
    "webhook",
]


class ClassifyBody(BaseModel):
    """A text to classify. Nothing of it is kept."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    text: str = Field(max_length=65_536, description="Any text, also an empty one")
    subject: str = Field(default="", max_length=1_000)
    channel: ChannelWord = ""
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
        "endpoint",
    ]
    detail: str
    weight: float = Field(
        description="Log-odds; of threshold and runner_up a probability, of example and correction a cosine; else 0"
    )
    start: int = Field(
        default=0, description="Where its words stand in subject, line break and text; 0 0 nowhere"
    )
    end: int = 0


class EntityOut(BaseModel):
    """One thing that the text names."""

    kind: Literal["order_number", "email", "phone", "iban", "card", "amount", "date", "product"]
    value: str = Field(description="In one spelling; of personal kinds what may be shown of it")
    start: int = Field(description="In characters of subject, line break and text")
    end: int
    confidence: float
    rule: str = Field(description="Which rule found it")
    personal: bool


class DecisionOut(BaseModel):
    """All signals of a text, what the operator's rules made of them, and why."""

    model_config = ConfigDict(protected_namespaces=())

    language: SignalOut
    topic: SignalOut = Field(description="A key of the taxonomy, or unknown below the threshold")
    best_topic: str = Field(description="The best topic even when it is below the threshold")
    second_topic: SignalOut = Field(
        default=SignalOut(value="", confidence=0.0),
        description="What an endpoint outside says, where one is set up and the model named none; not calibrated",
    )
    out_of_scope: float = Field(default=0.0, description="How likely none of the topics fits")
    kind: SignalOut
    urgency: SignalOut
    anger: float
    disappointment: float = 0.0
    joy: float = 0.0
    mood: SignalOut = SignalOut(value="neutral", confidence=0.0)
    mood_strength: float = 0.0
    mood_level: Literal["none", "mild", "clear", "strong"] = "none"
    mood_turn: Literal["first", "same", "worse", "better"] = Field(
        default="first", description="Against the conversation's message before"
    )
    complexity: float = Field(
        default=0.0, description="How likely it is about several problems or a long history"
    )
    self_service: float = Field(
        default=0.0,
        description="How likely a help page or the account could settle it, with nobody looking at the case",
    )
    wish_for_person: float
    spam: float
    known_share: float = Field(description="Share of the words that the model has seen")
    handling: str
    priority: int
    tags: list[str]
    required_skills: list[str]
    queue_hint: str
    macro: str = ""
    reply: str = Field(default="", description="A reply that a rule suggests")
    escalate: str = Field(default="", description="Why somebody must see it at once, or empty")
    entities: list[EntityOut] = []
    model_version: str
    entity_rules_version: str = ""
    rules_version: str = Field(default="", description="Of the rules that decided")
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


class WordOut(BaseModel):
    """Words that spoke for a signal."""

    text: str
    weight: float
    start: int = Field(description="Where they stand in subject, line break and text; 0 0 nowhere")
    end: int


class RunnerUpOut(BaseModel):
    """What came second, and what it lacked."""

    value: str
    probability: float
    lacked: float = Field(
        description="By how much its probability was below the confidence of what was decided"
    )
    lacked_words: list[str] = Field(description="The loudest words that spoke for what was decided")


class PartOut(BaseModel):
    """One signal: what spoke for it and what it had to reach."""

    signal: str
    value: str
    confidence: float
    threshold: float | None = Field(
        description="None where the highest wins, or thresholds have changed since"
    )
    reached: bool
    words: list[WordOut]
    examples: list[str]
    notes: list[str] = Field(description="Headers, people, earlier messages, the tier that decided")
    runner_up: RunnerUpOut | None


class SetFieldOut(BaseModel):
    """What a rule set."""

    field: str
    value: str
    rule: str


class ExplanationOut(BaseModel):
    """Why a message was decided so: as data, and in sentences of one language."""

    model_config = ConfigDict(protected_namespaces=())

    conversation_id: str
    message_seq: int
    language: str
    sentences: list[str]
    parts: list[PartOut]
    set_by_rules: list[SetFieldOut]
    set_by_people: list[str]
    failed: str = Field(description="Why the text could not be classified at all, or empty")
    model_version: str
    policy_version: str
    rules_version: str


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
