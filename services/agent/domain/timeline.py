"""One entry of a conversation's timeline: a customer's message or a reply. Entries stand in the order of arrival."""

from dataclasses import dataclass, replace

from services.agent.domain.conversation import Origin


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, as ingest told of it."""

    attachment_id: str
    name: str
    media_type: str
    """Empty while it was still at its provider."""
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A message or a reply; `seq` is 0 for a reply, `after_seq` 0 for a message."""

    message_id: str
    conversation_id: str
    position: int
    """Dense from 1 in the conversation."""
    seq: int
    after_seq: int
    author: str
    """Agent of a reply, `system` of a notice, empty for the customer."""
    channel: str
    language_hint: str
    automatic: bool
    survey_answer: bool
    subject: str
    text: str
    truncated: bool
    at_ms: int
    delivery: str = ""
    """Of a reply: sending, delivered or failed."""
    delivery_at_ms: int = 0
    delivery_reason: str = ""
    possibly_twice: bool = False
    attachments: tuple[Attachment, ...] = ()

    @property
    def origin(self) -> Origin:
        """What the channel knows of the message."""
        return Origin(self.channel, self.language_hint, self.automatic, self.survey_answer)


def delivered(entry: Entry, at_ms: int, possibly_twice: bool) -> Entry:
    """The provider has taken the reply."""
    return replace(
        entry, delivery="delivered", delivery_at_ms=at_ms, delivery_reason="", possibly_twice=possibly_twice
    )


def undelivered(entry: Entry, at_ms: int, reason: str) -> Entry:
    """The reply will not be tried again. What was delivered stays so."""
    if entry.delivery == "delivered":
        return entry
    return replace(entry, delivery="failed", delivery_at_ms=at_ms, delivery_reason=reason)
