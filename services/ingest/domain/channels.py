"""What a provider's webhook says, in one shape for all of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNSUPPORTED: Final = "(unsupported message: {})"
"""What stands in the thread for a kind of message that no rule reads yet; its payload is kept."""


class ProviderStatus(StrEnum):
    """How far a message has come at its provider."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


_RANKS: Final = {
    ProviderStatus.ACCEPTED: 1,
    ProviderStatus.SENT: 2,
    ProviderStatus.FAILED: 3,
    ProviderStatus.DELIVERED: 4,
    ProviderStatus.READ: 5,
}


def further(known: str, news: str) -> bool:
    """Whether news of a status changes what is known: they arrive in any order, and a message that has been delivered
    was not lost, whatever is heard late."""
    rank = _RANKS.get(ProviderStatus(known), 0) if known else 0
    return _RANKS[ProviderStatus(news)] > rank


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """A customer's message, as a provider gave it."""

    provider_id: str
    """Never empty: without one of the provider's a digest of the content."""
    sender: str
    """The customer's id at the provider: a phone number, a chat."""
    text: str
    """Never empty: what no rule reads is told as unsupported."""
    name: str = ""
    language: str = ""
    sent_at_ms: int = 0
    automatic: bool = False
    address: str = ""
    """Phone number in E.164, where the provider says it besides the sender."""
    media: tuple[str, ...] = ()
    """Where its files are at the provider: addresses or ids."""


@dataclass(frozen=True, slots=True)
class StatusNews:
    """What became of messages of ours."""

    provider_id: str
    """The message; empty when all to `recipient` up to `through_ms` are meant."""
    status: ProviderStatus
    reason: str = ""
    recipient: str = ""
    through_ms: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One happening of a webhook: it becomes one durable row."""

    key: str
    """Within its account, the same for the same happening, whenever it is told again."""
    sender: str
    """Who it is about: what happens to one person is handled in order."""
    content: dict[str, object]


def told(kind: str, *, caption: str = "") -> str:
    """The text of a message that is more than text: its caption, or its kind in brackets."""
    return caption or f"({kind})"


def unsupported(kind: str) -> str:
    """The text for a kind of message that is not known."""
    return UNSUPPORTED.format(kind[:60] or "unknown")
