"""What the reading routes answer."""

from pydantic import BaseModel, Field

from libs.web import Page
from services.agent.api.shapes import Instant
from services.agent.api.way_schemas import CauseView, WayView


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
    suggested_reply: str = Field(default="", description="The reply that a rule gives")
    reply_state: str = Field(
        default="",
        description="sent, or why not: not asked, closed, answered (once an episode), person (somebody had acted), late",
    )
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


class File(BaseModel):
    """A file that came with a message. Its name and its type are a stranger's word: show them as text."""

    id: str
    name: str
    media_type: str = Field(description="What its bytes show; empty while it was still at its provider")
    size: int = Field(description="Bytes; 0 while it was still at its provider")
    inline: bool
    location: str = Field(
        description="Where it is served to agents: as a download unless it is a plain picture"
    )


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
    attachments: list[File]


class Identity(BaseModel):
    """One way in which the customer is known."""

    channel: str
    account: str
    external_id: str
    verified: bool


class Consent(BaseModel):
    """Whether the customer may be written to unasked at one endpoint."""

    channel: str
    account: str
    external_id: str
    state: str
    source: str
    evidence: str
    at: Instant


class CustomerView(BaseModel):
    """Who writes: the person, with what is known of all customers who were found to be the same."""

    id: str
    linked_ids: list[str] = Field(description="Other customers who are the same person")
    name: str
    language: str
    tier: str
    attributes: dict[str, str] = Field(description="What the operator's systems say of them")
    customer_since: Instant | None
    identities: list[Identity]
    consents: list[Consent]
    context_location: str | None = Field(
        description="Where ingest says what the operator's own system knows of them: orders and the like"
    )


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
    cause: CauseView | None
    ways: list[WayView] | None = Field(
        description="The channels it can go on by, where a reply goes by itself first; null while ingest cannot be asked"
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
