"""What is sent to a customer outside the platform, and when it is tried again."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    ATTEMPTING = "attempting"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryKind(StrEnum):
    """What is sent."""

    REPLY = "reply"
    SURVEY = "survey"
    OUTREACH = "outreach"
    """Something they did not ask for: a rule's message about an event."""
    CONFIRMATION = "confirmation"
    """That a stop word was heard."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way out."""

    delivery_id: str
    conversation_id: str
    source_id: str
    """The reply or survey invitation."""
    kind: str
    channel: str
    text: str
    automatic: bool
    """No person wrote it: mail says so in its headers."""
    state: str
    attempts: int
    due_at_ms: int
    """When it may be tried; while it is attempted, when its lease ends."""
    possibly_twice: bool
    reason: str
    created_at_ms: int
    finished_at_ms: int
    traceparent: str = ""
    """Of the work that it came of."""
    account: str = ""
    endpoint: str = ""
    """The customer's id at the provider, where it goes by one."""
    window_ends_at_ms: int = 0
    """Until when the provider takes a free text; 0 for always."""
    status: str = ""
    """What the provider has said of it: a ProviderStatus, or empty."""
    template: str = ""
    """Name of the template it goes as; empty for a free text."""
    template_language: str = ""
    template_values: tuple[tuple[str, str], ...] = ()
    """What is filled in, by place."""

    def ended(self, state: DeliveryState, reason: str, at_ms: int) -> "Delivery":
        """The delivery in a state that it does not leave."""
        return replace(self, state=state, reason=reason, finished_at_ms=at_ms)

    def put_off(self, reason: str, until_ms: int) -> "Delivery":
        """The delivery waiting for another attempt."""
        return replace(self, state=DeliveryState.WAITING, reason=reason, due_at_ms=until_ms)


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """What is known of a message under the id that its provider gave it; statuses may come before its delivery is known."""

    channel: str
    account: str
    provider_id: str
    delivery_id: str
    status: str
    reason: str
    at_ms: int

    @property
    def row_key(self) -> tuple[str, str, str]:
        return (self.channel, self.account, self.provider_id)


_LONGEST_MS: Final = 3_600_000


def backoff_ms(attempts: int, first_ms: int, jitter: float) -> int:
    """The pause after `attempts` failures: doubling from `first_ms`, at most an hour, times 0.5 to 1.

    `jitter` is 0 to 1.
    """
    if attempts < 1:
        raise ValueError(f"a pause follows at least one attempt: got {attempts}")
    longest = min(_LONGEST_MS, first_ms * 2 ** min(attempts - 1, 30))
    return int(longest * (0.5 + jitter / 2))
