"""The tables of schema survey, as the migrations make them, and their repositories."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.storage import TableRepository
from services.survey.domain.invitations import Invitation, State

metadata = MetaData(schema="survey")


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _number(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


invitations = Table(
    "invitations",
    metadata,
    Column("invitation_id", Text, primary_key=True),
    *_text("conversation_id"),
    Column("episode", Integer, nullable=False),
    *_text("customer_id", "channel", "language", "definition", "state", "resolve_reason"),
    *_number("resolved_at_ms", "due_at_ms", "requested_at_ms", "expires_at_ms", "cancelled_at_ms"),
    *_text("cancel_reason"),
    Column("score", Integer, nullable=False),
    *_text("comment"),
    Column("revision", Integer, nullable=False),
    *_number("answered_at_ms"),
    *_text("answer_language"),
    Column("late", Boolean, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    *_number("last_requested_at_ms"),
)

persons = Table(
    "persons",
    metadata,
    Column("customer_id", Text, primary_key=True),
    *_number("version"),
    Column("customer_ids", JSONB, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("invitation_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("score", Integer, nullable=False),
    *_text("comment", "language"),
    *_number("answered_at_ms"),
)


@dataclass(frozen=True, slots=True)
class Customer:
    """When a customer was last asked. Whoever sends an invitation holds this row until it is sent."""

    customer_id: str
    last_requested_at_ms: int
    """0 for never."""


@dataclass(frozen=True, slots=True)
class Person:
    """All customers who are the same person as this one, and it; the highest version holds."""

    customer_id: str
    version: int
    customer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One revision of an answer."""

    invitation_id: str
    revision: int
    score: int
    comment: str
    language: str
    answered_at_ms: int


def _invitation(row: Mapping[str, Any]) -> Invitation:
    return Invitation(**{**row, "state": State(row["state"])})


def _row(value: Invitation) -> Mapping[str, Any]:
    return {**asdict(value), "state": value.state.value}


INVITATIONS = TableRepository(invitations, Invitation, _row, _invitation)
INVITATIONS_SEEN = TableRepository(invitations, Invitation, _row, _invitation, lock=False)
"""The same rows, for those who only look."""
CUSTOMERS = TableRepository(customers, Customer)
PERSONS = TableRepository(
    persons, Person, asdict, lambda row: Person(**{**row, "customer_ids": tuple(row["customer_ids"])})
)
ANSWERS = TableRepository(answers, Answer, lock=False)
