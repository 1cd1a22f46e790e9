"""What an operator's own system is told by webhook."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class NoticeState(StrEnum):
    """How far a notice has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


TYPES: Final = {
    "MessageReceived": "message.received",
    "MessageDelivered": "message.delivered",
    "DeliveryFailed": "delivery.failed",
    "ConversationContinued": "conversation.continued",
    "ConsentChanged": "consent.changed",
}
"""Events that are told, and what they are called outside."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told, and of what."""

    id: str
    url: str
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Notice:
    """One webhook on its way out."""

    notice_id: str
    """The `webhook-id`: the same at every attempt."""
    endpoint: str
    type: str
    body: str
    """As it is signed."""
    state: str
    attempts: int
    due_at_ms: int
    """When it may be tried; while it is attempted, when its lease ends."""
    reason: str
    created_at_ms: int
    finished_at_ms: int

    def delivered(self, at_ms: int) -> "Notice":
        """Taken by the other side."""
        return replace(self, state=NoticeState.DELIVERED, reason="", finished_at_ms=at_ms)

    def failed(self, reason: str, at_ms: int) -> "Notice":
        """Given up."""
        return replace(self, state=NoticeState.FAILED, reason=reason, finished_at_ms=at_ms)

    def put_off(self, reason: str, until_ms: int, *, tried: bool) -> "Notice":
        """To be tried again; one that was not tried at all has an attempt less."""
        attempts = self.attempts if tried else max(0, self.attempts - 1)
        return replace(self, reason=reason, due_at_ms=until_ms, attempts=attempts)
