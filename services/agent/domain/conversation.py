"""The values: a conversation, its episodes, what is known of a message, and the facts that come out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from services.agent.domain.episodes import Kind, effective_kind, is_opening


class Status(StrEnum):
    """Where a conversation stands. `new` until its first episode opens."""

    NEW = "new"
    OPEN = "open"
    PENDING_CUSTOMER = "pending_customer"
    ON_HOLD = "on_hold"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


WAITING = frozenset({Status.PENDING_CUSTOMER, Status.ON_HOLD, Status.SNOOZED})
SYSTEM = "system"


NoticeKind = Literal["closed", "wait", "call_back", "delayed"]


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that was sent. `offer` says that a call-back was offered with it."""

    kind: NoticeKind
    episode: int
    at_ms: int
    offer: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """One episode; `resolved_at_ms` is 0 while it is open."""

    episode: int
    first_seq: int
    opened_at_ms: int
    through_seq: int = 0
    resolved_at_ms: int = 0
    resolved_by: str = ""
    reason: str = ""
    topic: str = ""
    human_version: int = 0
    """When it opened: a higher one says that a person has acted in it."""
    rule_reply: str = ""
    """The message that a rule's reply answered, or empty."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What only the channel knows of a message."""

    channel: str
    language_hint: str
    automatic: bool
    survey_answer: bool


@dataclass(frozen=True, slots=True)
class Cause:
    """A message of ours that the conversation answers: the customer had not asked for it."""

    outreach_id: str
    rule: str
    event_type: str
    text: str
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class Message:
    """A customer's message as the channel gave it, without its text."""

    message_id: str
    seq: int
    customer_id: str
    origin: Origin
    case_reference: str
    subject: str
    received_at_ms: int
    continues: str
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Understanding:
    """What triage says of a message, and what follows from it once the message itself is here.

    `language`, `channel` and `kind` are final, and `settled` true, only after `settled_with`. `detail` is what people
    are shown of the decision: confidences, reasons, versions.
    """

    message_id: str
    conversation_id: str
    customer_id: str
    channel: str
    seq: int
    received_at_ms: int
    kind: Kind
    language: str
    topic: str
    topic_confidence: float
    urgency: str
    anger: float
    tags: tuple[str, ...]
    detail: Mapping[str, Any]
    settled: bool = False
    opens: bool = False
    cause: str = ""
    """Why it opens nothing (its kind), empty when it does."""

    def settled_with(self, origin: Origin) -> "Understanding":
        """The same with what only the channel knows: called once both halves are here."""
        kind = effective_kind(self.kind, automatic=origin.automatic, survey_answer=origin.survey_answer)
        opens = is_opening(self.seq, kind)
        known = self.language if self.language not in ("", "und") else origin.language_hint
        return replace(
            self,
            channel=origin.channel,
            language=known or "und",
            kind=kind,
            settled=True,
            opens=opens,
            cause="" if opens else kind.value,
        )


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation: its status, episodes and what a person or the machine has said of it."""

    conversation_id: str
    customer_id: str
    channel: str
    """By which the customer wrote last."""
    language: str
    case_reference: str
    subject: str
    created_at_ms: int
    last_message_at_ms: int = 0
    status: Status = Status.NEW
    episode: int = 0
    """Of the newest episode, 0 before the first."""
    first_seq: int = 0
    through_seq: int = 0
    """Of the newest resolution, 0 before the first."""
    spans: tuple[Span, ...] = ()
    human_version: int = 0
    last_seq: int = 0
    """Highest number of a customer message that is here."""
    opening_seq: int = 0
    """Highest number of an opening message."""
    seen_seq: int = 0
    """Highest number that somebody who replied or changed the status had seen."""
    position: int = 0
    """Entries in the timeline."""
    snoozed_until_ms: int = 0
    topic: str = "unknown"
    topic_confidence: float = 0.0
    topic_by: str = ""
    """Who corrected the topic in this episode, empty when triage said it."""
    urgency: str = "normal"
    anger: float = 0.0
    tags: tuple[str, ...] = ()
    tags_by: str = ""
    """Who set the tags last, empty while they are triage's."""
    continues: str = ""
    continued_as: str = ""
    traceparent: str = ""
    """Of the newest customer message that belongs to a trace."""
    cause: Cause | None = None
    automatic_seq: int = 0
    """Highest number of a message that nobody wrote."""
    told: tuple[Told, ...] = ()
    """What the customer was told by itself, oldest first."""

    @property
    def live(self) -> bool:
        """Whether an episode is open."""
        return self.status not in (Status.NEW, Status.RESOLVED)

    @property
    def resolutions(self) -> list[int]:
        """The `through_seq` of every resolution."""
        return [span.through_seq for span in self.spans if span.resolved_at_ms]


@dataclass(frozen=True, slots=True)
class EpisodeBegan:
    """An episode has been opened by a message."""

    episode: int
    first_seq: int
    at_ms: int
    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class StatusMoved:
    """The status has changed."""

    episode: int
    status: Status
    previous: Status
    at_ms: int
    by: str


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """An episode has been resolved."""

    episode: int
    through_seq: int
    at_ms: int
    by: str
    reason: str


Fact = EpisodeBegan | StatusMoved | EpisodeEnded
