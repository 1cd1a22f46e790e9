"""What goes over HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
AccountId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sender(_In):
    """Who wrote. Without a service token this is a claim and is kept apart from what is known."""

    external_id: Short | None = Field(
        default=None, min_length=1, description="The customer's id in your system"
    )
    name: Short | None = None
    email: (
        Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s<>\"',;]+@[^@\s<>\"',;]+$")] | None
    ) = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] | None = Field(
        default=None, description="ISO 639-1, such as `it`"
    )


class MessageIn(_In):
    """A customer's message."""

    channel: Literal["web", "chat", "api"] = Field(description="api needs a token of role service")
    account: AccountId = "default"
    sender: Sender | None = None
    text: str = Field(
        min_length=1,
        json_schema_extra={"maxLength": 65536},
        description="At most 64 KB in UTF-8; more is 413",
    )
    subject: Annotated[str, StringConstraints(max_length=998)] | None = None
    conversation_id: Id | None = Field(
        default=None, description="The conversation it goes on; role service only, a visitor's token says it"
    )


class BatchItem(MessageIn):
    """One message of a batch."""

    idempotency_key: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")] = Field(
        description="The message's id at its provider"
    )


class BatchIn(_In):
    """Messages in the order in which they are to be taken."""

    messages: Annotated[list[BatchItem], Field(min_length=1, max_length=500)]


class MessageState(BaseModel):
    """A message that has been taken. The optional parts are there once it has its conversation."""

    message_id: str
    state: Literal["accepted", "received"] = Field(
        description="accepted: durable; received: threaded and numbered too"
    )
    receipt: str = Field(description="Send it as X-Receipt to ask after the message")
    location: str
    conversation_id: str | None = None
    message_seq: int | None = Field(default=None, description="Dense from 1 in its conversation")
    case_reference: str | None = Field(default=None, description="Short reference, fit for the phone")
    visitor_token: str | None = Field(
        default=None, description="Opens this conversation to its customer; web and chat only"
    )


class BatchResult(BaseModel):
    """What became of one message: `message` for 202, `problem` otherwise."""

    status: int
    message: MessageState | None = None
    problem: dict[str, Any] | None = None


class BatchOut(BaseModel):
    """Results in the order of the messages."""

    results: list[BatchResult]


class EntryOut(BaseModel):
    """One line of a customer's thread."""

    entry_seq: int = Field(description="Dense from 1; the id of the event stream")
    kind: Literal["customer", "reply", "notice", "resolved", "survey", "outreach"]
    text: str
    full_text: str | None = Field(default=None, description="A mail with what it quotes, where that is more")
    at: str
    ref_id: str = Field(description="The message, reply, invitation or episode it stands for")
    message_seq: int | None = None


class ConversationOut(BaseModel):
    """A conversation as its customer sees it."""

    conversation_id: str
    case_reference: str
    channel: str
    subject: str
    status: Literal["open", "resolved"]
    opened_at: str
    resolved_at: str | None = None
    entry_seq: int = Field(description="Number of the newest entry")
    continues_conversation_id: str | None = None
    continued_as_conversation_id: str | None = None


class DeliveryOut(BaseModel):
    """Something on its way to a customer."""

    delivery_id: str
    conversation_id: str
    kind: str = Field(description="reply, survey, outreach or confirmation")
    channel: str
    account: str
    state: str = Field(description="waiting, attempting, delivered, failed or cancelled")
    status: str | None = Field(
        description="What the provider has said of it: sent, delivered, read or failed"
    )
    attempts: int
    reason: str = Field(description="Why it failed, or waits")
    created_at: str


class TicketOut(BaseModel):
    """A key for one event stream, good for 30 s and one use."""

    ticket: str


def shown_time(at_ms: int) -> str:
    """RFC 3339, UTC, with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
