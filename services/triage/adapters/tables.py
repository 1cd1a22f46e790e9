"""The tables of triage."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.storage import TableRepository
from services.triage.domain.memory import Conversation

SCHEMA = "triage"
metadata = MetaData()

_conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("language", Text, nullable=False),
    Column("language_seq", BigInteger, nullable=False),
    Column("human_version", BigInteger, nullable=False),
    Column("corrected_topic", Text, nullable=False),
    Column("tags_corrected", Boolean, nullable=False),
    Column("corrected_version", BigInteger, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("contacted_at_ms", BigInteger, nullable=False),
    Column("decided_seq", BigInteger, nullable=False),
    Column("decided", JSONB, nullable=False),
    schema=SCHEMA,
)

_decisions = Table(
    "decisions",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("message_seq", BigInteger, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("topic_confidence", Float(53), nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    Column("human_version", BigInteger, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    schema=SCHEMA,
)

_customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("tier", Text, nullable=False),
    Column("attributes", JSONB, nullable=False),
    schema=SCHEMA,
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("version", BigInteger, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("put_at_ms", BigInteger, nullable=False),
    Column("changes", JSONB, nullable=False),
    schema=SCHEMA,
)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it is kept: what lists show as columns, the rest as `detail`."""

    conversation_id: str
    message_seq: int
    message_id: str
    topic: str
    topic_confidence: float
    kind: str
    language: str
    decided_at_ms: int
    human_version: int
    detail: dict[str, Any]
    """The whole decision as the API shows it."""
    facts: dict[str, Any]
    """What the rules compared, as `facts.stored` has it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """What rules may ask of a customer."""

    customer_id: str
    tier: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


_corrections = Table(
    "corrections",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("human_version", BigInteger, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("corrected_by", Text, nullable=False),
    Column("corrected_at_ms", BigInteger, nullable=False),
    schema=SCHEMA,
)


_unnamed = Table(
    "unnamed",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("message_seq", BigInteger, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("decided_at_ms", BigInteger, nullable=False),
    schema=SCHEMA,
)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A request whose topic nobody knew: what new topics are found in. Leaves with the decisions."""

    conversation_id: str
    message_seq: int
    customer_id: str
    text: str
    language: str
    decided_at_ms: int


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """What a person said a message is about. The database numbers it."""

    conversation_id: str
    human_version: int
    message_id: str
    customer_id: str
    text: str
    language: str
    topic: str
    before: str
    """What it had been taken for."""
    corrected_by: str
    corrected_at_ms: int


CORRECTIONS = TableRepository(_corrections, StoredCorrection)
UNNAMED = TableRepository(_unnamed, Unnamed)
CONVERSATIONS = TableRepository(_conversations, Conversation)
DECISIONS = TableRepository(_decisions, StoredDecision)
CUSTOMERS = TableRepository(_customers, Customer)
