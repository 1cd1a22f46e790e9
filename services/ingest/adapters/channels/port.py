"""The port of a channel: genuine or not, what it says, how it is answered.

Refused               the webhook is not taken
├── Forged            401: it is not from the provider, or too old
└── Unreadable        400: it is from the provider and has no shape at all
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.ingest.domain.channels import ChannelMessage, Item, StatusNews
from services.ingest.domain.model import ChannelName
from services.ingest.domain.templates import Filled


class Refused(Exception):
    """A webhook that is not taken; the text says what was seen and what was expected."""


class Forged(Refused):
    """It is not shown to be from the provider."""


class Unreadable(Refused):
    """Its body has no shape that could be kept as a message."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A request of a provider, as it came."""

    method: str
    url: str
    """The public one, with its query: what the provider has called."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes
    now_ms: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an account has of its provider."""

    secrets: tuple[str, ...]
    """That sign webhooks: the newest first, older ones hold until they are removed."""
    token: str = ""
    """For our calls of the provider."""
    sender: str = ""
    """Our number, page or bot at the provider."""
    verify_token: str = ""
    base_url: str = ""
    """In place of the provider's own address: a simulator, a regional host."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text for a customer."""

    delivery_id: str
    """The same at every attempt: the idempotency key where the provider takes one."""
    recipient: str
    text: str
    filled: Filled | None = None
    """The template to send in place of the text; only channels with a window take one."""
    language: str = ""
    status_url: str = ""
    """Where the provider may tell what became of it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a provider."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a webhook is answered."""

    status: int = 200
    media_type: str = "application/json"
    body: str = "{}"


class ChannelAdapter(Protocol):
    """One provider. Every method is pure: no I/O, no clock."""

    kind: str
    channel: ChannelName
    reply: Reply
    """What the provider expects once its webhook is durable."""

    def verify(self, hook: Hook, credentials: Credentials) -> None:
        """Raises Forged unless one of the secrets vouches for the raw bytes. Reads nothing of the body's content."""
        ...

    def greet(self, hook: Hook, credentials: Credentials) -> Reply | None:
        """The answer to a request that only sets the webhook up; None for all others. Raises Forged."""
        ...

    def split(self, hook: Hook) -> Sequence[Item]:
        """The happenings of a genuine webhook, each by itself. Raises Unreadable."""
        ...

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        """What a happening says; nothing for what concerns nobody (an echo of our own message). Never raises."""
        ...

    def compose(self, outgoing: Outgoing, credentials: Credentials) -> Call:
        """The request that sends a text."""
        ...

    def outcome(self, status: int, body: bytes) -> str:
        """The provider's id of a message it has taken, or empty. Raises SendRefused or SendUnavailable."""
        ...
