"""The tables of schema routing, as the migrations make them."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.web import idempotency_table

metadata = MetaData(schema="routing")


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _number(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _json(*names: str) -> list[Column[object]]:
    return [Column(name, JSONB, nullable=False) for name in names]


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


pools = Table(
    "pools",
    metadata,
    _key("pool_id"),
    *_number("at_ms", "sequence"),
)

directories = Table(
    "directories",
    metadata,
    _key("pool_id"),
    *_number("version"),
    *_json("directory"),
)

agents = Table(
    "agents",
    metadata,
    _key("agent_id"),
    *_text("pool_id"),
    *_json("profile"),
    Column("removed", Boolean, nullable=False),
    *_text("presence"),
    *_number("presence_epoch", "since_ms"),
    *_text("reason"),
    *_number("missed", "feed_seq", "last_assigned_at_ms"),
    *_number("idle_since_ms", "turn", "window_start_ms", "window_count", "window_before"),
)

items = Table(
    "items",
    metadata,
    _key("conversation_id"),
    *_text("pool_id"),
    Column("episode", Integer, nullable=False),
    *_text("state", "queue_id", "agent_id", "channel"),
    *_number("eligible_at_ms", "key_ms", "closed_at_ms"),
    *_json("facts", "clocks"),
)

offers = Table(
    "offers",
    metadata,
    _key("offer_id"),
    *_text("pool_id", "conversation_id"),
    Column("episode", Integer, nullable=False),
    *_text("agent_id"),
    *_number("epoch", "made_at_ms", "expires_at_ms"),
    *_text("state"),
    *_number("closed_at_ms"),
    *_text("reason", "transfer_from", "queue_id"),
)

results = Table(
    "results",
    metadata,
    _key("command_id"),
    *_text("pool_id"),
    Column("ok", Boolean, nullable=False),
    *_text("slug"),
    *_json("body"),
    *_number("at_ms"),
)

asked = Table(
    "asked",
    metadata,
    _key("command_id"),
    *_text("caller"),
    *_number("at_ms"),
)

feed = Table(
    "feed",
    metadata,
    _key("agent_id"),
    Column("seq", BigInteger, primary_key=True),
    *_text("kind"),
    *_json("payload"),
    *_number("at_ms"),
)

decisions = Table(
    "decisions",
    metadata,
    _key("decision_id"),
    *_text("conversation_id"),
    Column("episode", Integer, nullable=False),
    *_text("kind"),
    *_number("at_ms", "sequence"),
    *_json("record"),
    *_text("pool_id"),
)

notices = Table(
    "notices",
    metadata,
    _key("kind"),
    _key("about"),
    *_text("pool_id"),
    *_number("since_ms"),
    *_text("by", "reason"),
    Column("lifted", Boolean, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _key("command_id"),
    *_text("pool_id"),
    *_number("at_ms"),
    *_text("by", "action", "about", "reason"),
    Column("ok", Boolean, nullable=False),
    *_text("slug"),
    *_json("facts"),
)

arrivals = Table(
    "arrivals",
    metadata,
    _key("conversation_id"),
    *[Column(n, Integer, nullable=False) for n in ("opened_episode", "enqueued_episode", "resolved_episode")],
    *_number("first_seq"),
    *_text("channel", "language", "case_reference", "customer_id"),
    *_number("human_version"),
    *_json("triaged", "early"),
    *_text("pool_id"),
)

customers = Table(
    "customers",
    metadata,
    _key("customer_id"),
    *_text("name", "tier"),
    *_json("ledger", "served"),
)

territories = Table("territories", metadata, _key("name"), *_number("version"), *_json("pools"))

places = Table("places", metadata, _key("kind"), _key("id"), *_text("pool_id"))

shadows = Table(
    "shadows",
    metadata,
    _key("pool_id"),
    *_text("name"),
    *_number("since_ms"),
    *_text("by"),
    *_json("directory"),
)

shadow_differences = Table(
    "shadow_differences",
    metadata,
    _key("difference_id"),
    *_text("pool_id"),
    *_number("at_ms"),
    *_text("policy", "kind", "conversation_id", "agent_id", "live", "shadow", "decision_id"),
)

idempotency_keys = idempotency_table(metadata, "routing")
