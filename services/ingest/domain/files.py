"""A file that came with a customer's message."""

from dataclasses import dataclass, replace
from enum import StrEnum


class FileState(StrEnum):
    """How far a file has come."""

    WAITING = "waiting"
    """It is still at its provider."""
    STORED = "stored"
    FAILED = "failed"
    """It cannot be had; the reason says why."""
    EXPIRED = "expired"
    """Its retention has passed."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was stored before the message that it belongs to was sent."""

    name: str
    declared: str
    media_type: str
    size: int
    blob_key: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of one message."""

    attachment_id: str
    conversation_id: str
    message_id: str
    position: int
    """From 0, in the order of the message."""
    name: str
    """Safe to save under; never empty."""
    declared: str
    """The media type the sender gave, or empty."""
    media_type: str
    """The media type its bytes show; empty before they are here."""
    inline: bool
    size: int
    blob_key: str
    state: str
    reason: str
    source: str
    """Where it is at its provider: an address or an id."""
    channel: str
    account: str
    attempts: int
    due_at_ms: int
    """When it may be fetched."""
    created_at_ms: int

    def stored(self, blob_key: str, size: int, media_type: str, name: str) -> "Attachment":
        """The file with its bytes here."""
        return replace(
            self,
            state=FileState.STORED,
            blob_key=blob_key,
            size=size,
            media_type=media_type,
            name=name,
            reason="",
        )

    def failed(self, reason: str) -> "Attachment":
        """The file that will not come."""
        return replace(self, state=FileState.FAILED, reason=reason)

    def put_off(self, reason: str, until_ms: int) -> "Attachment":
        """The file to be asked for again."""
        return replace(self, reason=reason, due_at_ms=until_ms)
