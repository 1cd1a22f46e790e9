"""What the catalogue says of a topic and of an event."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One file of proto/topics."""

    name: str
    purpose: str
    producer: str
    """The one service that writes it."""
    consumers: tuple[str, ...]
    messages: tuple[str, ...]
    """Full protobuf names, `centralino.triage.v1.ConversationTriaged`."""
    key: str
    retention_days: int
    """Rows older than this may go once every reader has passed them; 0 with `compact`."""
    compact: bool
    """Keep each key's newest row for ever."""
    local: bool
    """Stays in the producer's database in both ways of running."""
    personal: Mapping[str, tuple[str, ...]]
    """Of each message that holds what people wrote or who they are: the fields that an erasure blanks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an event goes: its topic, and the field that is its key."""

    topic: str
    key_field: str
