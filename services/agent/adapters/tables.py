"""The tables of schema agent, as the migrations make them."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.web import idempotency_table

metadata = MetaData(schema="agent")


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _number(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    *_text("customer_id", "channel", "language", "case_reference", "subject", "status"),
    *_number("created_at_ms", "last_message_at_ms"),
    Column("episode", Integer, nullable=False),
    *_number("first_seq", "through_seq"),
    Column("spans", JSONB, nullable=False),
    *_number("human_version", "last_seq", "opening_seq", "seen_seq", "position", "snoozed_until_ms"),
    *_text("topic", "topic_by", "urgency"),
    Column("topic_confidence", Float(53), nullable=False),
    Column("anger", Float(53), nullable=False),
    Column("tags", JSONB, nullable=False),
    *_text("tags_by", "continues", "continued_as", "traceparent"),
    Column("cause", JSONB),
    *_number("automatic_seq"),
    Column("told", JSONB, nullable=False),
)

placements = Table(
    "placements",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    *_text("team_id", "queue_id", "agent_id", "last_agent_id", "handling"),
    *_number("epoch", "since_ms"),
    Column("clocks", JSONB, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    *_text("conversation_id"),
    *_number("position", "seq", "after_seq"),
    *_text("author", "channel", "language_hint"),
    Column("automatic", Boolean, nullable=False),
    Column("survey_answer", Boolean, nullable=False),
    *_text("subject", "text"),
    Column("truncated", Boolean, nullable=False),
    *_number("at_ms"),
    *_text("delivery"),
    *_number("delivery_at_ms"),
    *_text("delivery_reason"),
    Column("possibly_twice", Boolean, nullable=False),
    Column("attachments", JSONB, nullable=False),
)

understandings = Table(
    "understandings",
    metadata,
    Column("message_id", Text, primary_key=True),
    *_text("conversation_id", "customer_id", "channel"),
    *_number("seq", "received_at_ms"),
    *_text("kind", "language", "topic"),
    Column("topic_confidence", Float(53), nullable=False),
    *_text("urgency"),
    Column("anger", Float(53), nullable=False),
    Column("tags", JSONB, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("opens", Boolean, nullable=False),
    *_text("cause"),
)

notes = Table(
    "notes",
    metadata,
    Column("note_id", Text, primary_key=True),
    *_text("conversation_id", "agent_id", "kind", "text"),
    *_number("at_ms"),
)

customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    *_text("display_name", "language", "tier"),
    *_number("first_seen_at_ms"),
    Column("identities", JSONB, nullable=False),
    Column("consents", JSONB, nullable=False),
    Column("attributes", JSONB, nullable=False),
)

persons = Table(
    "persons",
    metadata,
    Column("customer_id", Text, primary_key=True),
    *_text("person_id"),
    *_number("version"),
)

teams = Table(
    "teams",
    metadata,
    Column("team_id", Text, primary_key=True),
    *_text("name"),
    Column("removed", Boolean, nullable=False),
    *_number("version"),
)

people = Table(
    "people",
    metadata,
    Column("person_id", Text, primary_key=True),
    *_text("name"),
    Column("team_ids", JSONB, nullable=False),
    Column("languages", JSONB, nullable=False),
    Column("removed", Boolean, nullable=False),
    *_number("version"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("username", Text, primary_key=True),
    *_text("password_hash", "role", "name"),
    *_number("created_at_ms"),
)

idempotency_keys = idempotency_table(MetaData(), "agent")
