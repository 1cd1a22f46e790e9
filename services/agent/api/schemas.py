"""What the reading routes answer."""

from pydantic import BaseModel, Field

from libs.web import Page
from services.agent.api.shapes import Instant


class Named(BaseModel):
    """An id with its label; the id again while the label is not known."""

    id: str
    name: str


class Summary(BaseModel):
    """A conversation as lists show it."""

    id: str
    case_reference: str
    customer: Named
    channel: str
    language: str
    subject: str
    status: str
    episode: int
    topic: str
    urgency: str
    tags: list[str]
    team: Named | None
    agent: Named | None
    last_seq: int
    human_version: int
    created_at: Instant
    last_message_at: Instant | None
    snoozed_until_at: Instant | None


class Reason(BaseModel):
    """One piece of evidence."""

    signal: str
    source: str
    detail: str
    weight: float


class TriageResult(BaseModel):
    """What triage says of one message."""

    kind: str
    kind_confidence: float
    language: str
    language_confidence: float
    topic: str
    topic_confidence: float
    urgency: str
    anger: float
    wish_for_person: float
    spam: float
    priority: int
    tags: list[str]
    required_skills: list[str]
    mood: str = Field(default="", description="neutral, angry, disappointed or happy")
    macro: str = Field(default="", description="The key of a macro that a rule offers")
    suggested_reply: str = Field(default="", description="A reply that a rule suggests")
    escalate: str = Field(default="", description="Why somebody must see it at once, by a rule")
    model_version: str
    policy_version: str
    triaged_at: Instant
    reasons: list[Reason]


class Delivery(BaseModel):
    """What became of a reply."""

    state: str
    at: Instant | None
    reason: str
    possibly_twice: bool


class Message(BaseModel):
    """An entry of the timeline. A customer's message has `seq`, a reply `after_seq` and `delivery`."""

    id: str
    position: int
    direction: str
    seq: int | None
    after_seq: int | None
    author: Named | None
    channel: str
    subject: str
    text: str
    truncated: bool
    at: Instant
    episode: int | None
    """Of a customer's message; null while triage has not spoken, and for one that opened nothing."""
    automatic: bool
    """Nobody wrote it: a mail by a machine, or a notice of ours."""
    trailing_cause: str | None
    triage: TriageResult | None
    delivery: Delivery | None


class Identity(BaseModel):
    """One way in which the customer is known."""

    channel: str
    account: str
    external_id: str
    verified: bool


class CustomerView(BaseModel):
    """Who writes."""

    id: str
    name: str
    language: str
    tier: str
    customer_since: Instant | None
    identities: list[Identity]


class Episode(BaseModel):
    """One episode of a conversation."""

    episode: int
    first_seq: int
    opened_at: Instant
    through_seq: int | None
    resolved_at: Instant | None
    resolved_by: str | None
    reason: str | None
    topic: str | None


class Earlier(BaseModel):
    """Another conversation of the same customer."""

    id: str
    case_reference: str
    channel: str
    status: str
    topic: str
    created_at: Instant
    last_message_at: Instant | None
    episodes: list[Episode]


class History(BaseModel):
    """What was before: episodes of this conversation, newest other conversations, and how many there are."""

    episodes: list[Episode]
    conversations: list[Earlier]
    last_contact_at: Instant | None
    """Of the customer before this conversation's newest episode."""


class Assignment(BaseModel):
    """Who has it."""

    team: Named | None
    queue_id: str | None
    agent: Named | None
    last_agent: Named | None
    handling: str | None
    since_at: Instant | None


class ClockView(BaseModel):
    """A clock of a service level agreement; `due_at` is null while it is paused."""

    metric: str
    instance: int
    state: str
    breached: bool
    started_at: Instant | None
    due_at: Instant | None
    ended_at: Instant | None
    target_ms: int
    elapsed_ms: int
    escalated: str
    """The newest step of the queue's ladder that was taken for it; empty = none."""


class NoteView(BaseModel):
    """An internal note."""

    id: str
    author: Named
    kind: str
    text: str
    at: Instant


class Triage(BaseModel):
    """What the conversation is about: triage's word, or a person's."""

    topic: str
    topic_confidence: float
    corrected_by: str | None
    urgency: str
    anger: float
    tags: list[str]
    tags_set_by: str | None
    decision: TriageResult | None
    """Of the newest message that asks for something."""


class Detail(BaseModel):
    """Everything about a conversation in one response. Its ETag is `human_version`."""

    id: str
    case_reference: str
    channel: str
    language: str
    subject: str
    status: str
    episode: int
    first_seq: int
    last_seq: int
    through_seq: int
    human_version: int
    created_at: Instant
    last_message_at: Instant | None
    snoozed_until_at: Instant | None
    continues: str | None
    continued_as: str | None
    traceparent: str | None = Field(
        description="Of the newest customer message that belongs to a trace: send it as the header of that name with what"
        " you do for the conversation, and your acts are seen in the same trace"
    )
    customer: CustomerView
    triage: Triage
    assignment: Assignment
    clocks: list[ClockView]
    tags: list[str]
    notes: list[NoteView]
    """The newest 50."""
    history: History
    messages: Page[Message]
    """The newest, newest first; `next_cursor` goes to `/messages`."""


class Trailing(BaseModel):
    """A message that opened nothing, and why."""

    id: str
    conversation_id: str
    case_reference: str
    seq: int
    cause: str
    channel: str
    subject: str
    text: str
    received_at: Instant
