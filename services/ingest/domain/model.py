"""What ingest knows: an inbound message, customers, threads and what is delivered."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.ingest.domain.files import KeptFile

MOST_TEXT_BYTES: Final = 64 * 1024


class ChannelName(StrEnum):
    """How a message reaches the platform."""

    WEB = "web"
    CHAT = "chat"
    MAIL = "mail"
    API = "api"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    TELEGRAM = "telegram"
    VOICE = "voice"
    WEBHOOK = "webhook"


PROVIDED: Final = frozenset(ChannelName) - {
    ChannelName.WEB,
    ChannelName.CHAT,
    ChannelName.MAIL,
    ChannelName.API,
}
"""Channels of a provider: its webhooks come in, its API takes what goes out, its id of a person is their thread."""


class EntryKind(StrEnum):
    """What an entry of a customer's thread is."""

    CUSTOMER = "customer"
    REPLY = "reply"
    NOTICE = "notice"
    """What we say by ourselves, before a person answers."""
    RESOLVED = "resolved"
    SURVEY = "survey"
    OUTREACH = "outreach"


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """One way in which a customer is known; claimed and asserted ones never meet."""

    channel: str
    account: str
    external_id: str

    @property
    def row_key(self) -> tuple[str, str, str]:
        return (self.channel, self.account, self.external_id)


@dataclass(frozen=True, slots=True)
class Party:
    """The people and the mailing list of a mail, as keys under which other mails of theirs find it."""

    noted: tuple[str, ...]
    """What this mail is found by."""
    sought: tuple[str, ...]
    """What it looks for, the strongest first."""


NO_PARTY: Final = Party((), ())


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message as the channel gave it, normalised, before it has a thread."""

    message_id: str
    channel: ChannelName
    account: str
    received_at_ms: int
    text: str
    """At most 64 KB in UTF-8."""
    identity: IdentityKey | None
    """None for a visitor who said nothing about themselves."""
    verified: bool = False
    """An operator's own system vouches for the identity."""
    one_thread: bool = False
    """The identity has one conversation at a time on this channel, proven by a signed session."""
    name: str = ""
    address: str = ""
    """Mail address to answer to, or empty."""
    language: str = ""
    subject: str = ""
    full_text: str = ""
    """With quotations and beyond 64 KB, where that is more than `text`; else empty."""
    truncated: bool = False
    automatic: bool = False
    mail_id: str = ""
    mail_references: tuple[str, ...] = ()
    """Message ids the mail refers to, nearest first."""
    party: Party = NO_PARTY
    """Who wrote the mail, to whom, by which list."""
    media: tuple[str, ...] = ()
    """Files at the provider, by address or id."""
    files: tuple[KeptFile, ...] = ()
    """Files that are here already."""
    threads: tuple[str, ...] = ()
    """Conversations it may belong to, the strongest evidence first."""
    case_references: tuple[str, ...] = ()
    """Seen in the subject; hold only for the same sender."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity on record."""

    channel: str
    account: str
    external_id: str
    customer_id: str
    verified: bool
    conversation_id: str
    """The newest conversation of this identity on chat or a provider's channel, or empty."""
    last_inbound_at_ms: int = 0
    """When they last wrote by it; 0 for not since this is noted."""


@dataclass(frozen=True, slots=True)
class MailId:
    """Where a mail went that a person or list wrote, got or spoke of: their next one about it goes there too."""

    address: str
    """One of `Party.noted`."""
    mail_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A person as far as known."""

    customer_id: str
    display_name: str
    address: str
    language: str
    first_seen_at_ms: int
    identities: tuple[tuple[str, str, str, bool], ...]
    """(channel, account, external id, verified)"""
    tier: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    """What the operator's systems say of them, (name, value) in the order of the names."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A message of ours that nobody had asked for, and that began a conversation."""

    outreach_id: str
    rule: str
    event_type: str
    text: str
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation as ingest sees it: numbers, where answers go, whether it is still open for messages."""

    conversation_id: str
    customer_id: str
    channel: str
    account: str
    case_reference: str
    subject: str
    address: str
    last_mail_id: str
    language: str
    opened_at_ms: int
    last_inbound_at_ms: int
    message_seq: int
    """Number of the newest customer message; dense from 1."""
    entry_seq: int
    """Number of the newest entry; dense from 1."""
    opened_episode: int
    resolved_episode: int
    resolved_at_ms: int
    continues_conversation_id: str
    continued_as_conversation_id: str
    endpoint: str = ""
    """The customer's id on the provider's channel they last wrote by."""
    cause: Cause | None = None

    @property
    def unanswered(self) -> bool:
        """Whether we wrote first, and nobody has answered yet."""
        return self.cause is not None and self.message_seq == 0

    @property
    def resolved(self) -> bool:
        """Whether the newest episode known has ended; the same for any order of arrival."""
        return self.resolved_episode >= self.opened_episode


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a customer's thread."""

    conversation_id: str
    entry_seq: int
    kind: str
    text: str
    full_text: str | None
    at_ms: int
    ref_id: str
    """The message, reply, invitation or episode it stands for."""
    message_seq: int | None
