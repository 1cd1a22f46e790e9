"""The tables of analytics."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "analytics"
metadata = MetaData()

CONVERSATIONS = Table(
    "conversations",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("facts", JSONB, nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("published", Integer, nullable=False),
    Column("open_since_ms", BigInteger, nullable=False),
    Column("open_episode", JSONB),
    Column("idle_from_ms", BigInteger, nullable=False),
    schema=SCHEMA,
)

EPISODES = Table(
    "episodes",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("published_at_ms", BigInteger, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
    Column("assigned_at_ms", BigInteger),
    Column("first_reply_at_ms", BigInteger),
    Column("resolved_at_ms", BigInteger, nullable=False),
    Column("wait_ms", BigInteger),
    Column("first_response_ms", BigInteger),
    Column("resolution_ms", BigInteger),
    Column("first_response_state", Text, nullable=False),
    Column("first_response_due_ms", BigInteger),
    Column("resolution_state", Text, nullable=False),
    Column("resolution_due_ms", BigInteger),
    Column("survey_delivered", Boolean, nullable=False),
    Column("csat_score", SmallInteger, nullable=False),
    Column("csat_answered_at_ms", BigInteger),
    Column("reopened", Boolean, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("outcome", JSONB, nullable=False),
    schema=SCHEMA,
)

PERSONS = Table(
    "persons",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    schema=SCHEMA,
)

OUTCOME_FEED = Table(
    "outcome_feed",
    metadata,
    Column("position", BigInteger, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("published_at_ms", BigInteger, nullable=False),
    Column("record", JSONB, nullable=False),
    schema=SCHEMA,
)

FEED_COUNTER = Table(
    "feed_counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    schema=SCHEMA,
)

PROMISES = Table(
    "promises",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("instance", Integer, primary_key=True),
    Column("episode", Integer, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("queue_id", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("due_ms", BigInteger),
    Column("state", Text, nullable=False),
    schema=SCHEMA,
)

LABELS = Table(
    "labels",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
    schema=SCHEMA,
)

PRESENCE = Table(
    "presence",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    schema=SCHEMA,
)

PRESENCE_INTERVALS = Table(
    "presence_intervals",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("from_ms", BigInteger, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    schema=SCHEMA,
)
