"""What triage remembers of a conversation: its language so far, and what people did."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.triage.domain.language import UNDETERMINED
from services.triage.domain.signals import Signal

_SURE = 0.8
WATCHED: Final = (
    "topic", "language", "urgency", "mood", "priority", "queue_hint", "escalate",
)  # fmt: skip
"""What is compared between one decision and the next of a conversation."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as triage knows it."""

    conversation_id: str
    language: str = ""
    """Of the newest message whose language was sure, or empty."""
    language_seq: int = 0
    """The number of that message."""
    human_version: int = 0
    """The highest seen: how often people acted."""
    corrected_topic: str = ""
    """Set by a person in the episode at hand, or empty."""
    tags_corrected: bool = False
    corrected_version: int = 0
    """The human_version of the newest correction, or of the resolution that ended it."""
    customer_id: str = ""
    contacted_at_ms: int = 0
    """When the newest message came."""
    decided_seq: int = 0
    """The number of the newest message that was decided."""
    decided: dict[str, Any] = field(default_factory=dict)
    """What was decided of it: WATCHED and the strength of its mood."""


def heard(conversation: Conversation, language: Signal, seq: int) -> Conversation:
    """After a message: remembers a language that is sure, of the newest message."""
    if language.value == UNDETERMINED or language.confidence < _SURE or seq < conversation.language_seq:
        return conversation
    return replace(conversation, language=language.value, language_seq=seq)


def decided(
    conversation: Conversation, customer_id: str, seq: int, at_ms: int, what: Mapping[str, Any]
) -> Conversation:
    """After a decision on message `seq` that came at `at_ms`; an older message than the newest changes no memory of it."""
    conversation = replace(
        conversation, customer_id=customer_id, contacted_at_ms=max(conversation.contacted_at_ms, at_ms)
    )
    if seq < conversation.decided_seq:
        return conversation
    return replace(conversation, decided_seq=seq, decided=dict(what))


def changed(conversation: Conversation, seq: int, what: Mapping[str, Any]) -> tuple[str, ...]:
    """Which of WATCHED is not as it was decided before; nothing for the first message or one that comes late."""
    if not conversation.decided_seq or seq <= conversation.decided_seq:
        return ()
    return tuple(name for name in WATCHED if conversation.decided.get(name) != what[name])


def touched(conversation: Conversation, human_version: int) -> Conversation:
    """After a person acted."""
    return replace(conversation, human_version=max(conversation.human_version, human_version))


def corrected(conversation: Conversation, field: str, value: str, human_version: int) -> Conversation:
    """After a person set topic or tags; another field is only an act."""
    conversation = touched(conversation, human_version)
    if human_version < conversation.corrected_version:
        return conversation
    if field == "topic":
        return replace(conversation, corrected_topic=value, corrected_version=human_version)
    if field == "tags":
        return replace(conversation, tags_corrected=True, corrected_version=human_version)
    return conversation


def ended(conversation: Conversation, human_version: int) -> Conversation:
    """After a resolution: corrections hold for the episode in which they were made."""
    conversation = touched(conversation, human_version)
    if human_version < conversation.corrected_version:
        return conversation
    return replace(conversation, corrected_topic="", tags_corrected=False, corrected_version=human_version)
