"""Repositories: the values of the domain as rows."""

from dataclasses import dataclass, fields
from typing import Any

from libs.storage import TableRepository
from services.agent.adapters import tables
from services.agent.domain.conversation import Cause, Conversation, Span, Status, Told, Understanding
from services.agent.domain.episodes import Kind
from services.agent.domain.placement import Clock, Placement
from services.agent.domain.timeline import Attachment, Entry


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note; `kind` is note, transfer for the word that goes with one, or escalation."""

    note_id: str
    conversation_id: str
    agent_id: str
    kind: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Customer:
    """What ingest says of a customer."""

    customer_id: str
    display_name: str
    language: str
    tier: str
    first_seen_at_ms: int
    identities: list[dict[str, Any]]
    consents: list[dict[str, Any]]
    """Channel, account, external id, state, source, evidence, at_ms of each endpoint that was spoken of."""
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Personhood:
    """By whose id the person is known whom a customer is; the highest version holds."""

    customer_id: str
    person_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Team:
    """A team's label."""

    team_id: str
    name: str
    removed: bool
    version: int


@dataclass(frozen=True, slots=True)
class Person:
    """A person's label and memberships."""

    person_id: str
    name: str
    team_ids: list[str]
    languages: list[str]
    removed: bool
    version: int


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. The username is the person's id everywhere."""

    username: str
    password_hash: str
    role: str
    name: str
    created_at_ms: int


def _plain(names: list[str], value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _names(value: type[Any], *but: str) -> list[str]:
    return [field.name for field in fields(value) if field.name not in but]


_SPAN = _names(Span)
_CLOCK = _names(Clock)
_CAUSE = _names(Cause)
_TOLD = _names(Told)
_ATTACHMENT = _names(Attachment)
_ENTRY = _names(Entry, "attachments")
_CONVERSATION = _names(Conversation, "spans", "tags", "status", "cause", "told")
_UNDERSTANDING = _names(Understanding, "kind", "tags")
_PLACEMENT = _names(Placement, "clocks")


def spans_of(rows: list[dict[str, Any]]) -> tuple[Span, ...]:
    """Episodes from their JSON."""
    return tuple(Span(**row) for row in rows)


def clocks_of(rows: list[dict[str, Any]]) -> tuple[Clock, ...]:
    """Clocks from their JSON."""
    return tuple(Clock(**row) for row in rows)


def _conversation_to_row(value: Conversation) -> dict[str, Any]:
    row = _plain(_CONVERSATION, value)
    row["status"] = value.status.value
    row["spans"] = [_plain(_SPAN, span) for span in value.spans]
    row["tags"] = value.tags
    row["cause"] = _plain(_CAUSE, value.cause) if value.cause else None
    row["told"] = [_plain(_TOLD, one) for one in value.told]
    return row


def _conversation_from_row(row: Any) -> Conversation:
    return Conversation(
        **{
            **row,
            "status": Status(row["status"]),
            "spans": spans_of(row["spans"]),
            "tags": tuple(row["tags"]),
            "cause": Cause(**row["cause"]) if row["cause"] else None,
            "told": tuple(Told(**one) for one in row["told"]),
        }
    )


def _understanding_to_row(value: Understanding) -> dict[str, Any]:
    row = _plain(_UNDERSTANDING, value)
    row["kind"] = value.kind.value
    row["tags"] = value.tags
    return row


def _understanding_from_row(row: Any) -> Understanding:
    return Understanding(**{**row, "kind": Kind(row["kind"]), "tags": tuple(row["tags"])})


def _placement_to_row(value: Placement) -> dict[str, Any]:
    row = _plain(_PLACEMENT, value)
    row["clocks"] = [_plain(_CLOCK, clock) for clock in value.clocks]
    return row


def _placement_from_row(row: Any) -> Placement:
    return Placement(**{**row, "clocks": clocks_of(row["clocks"])})


def _entry_to_row(value: Entry) -> dict[str, Any]:
    row = _plain(_ENTRY, value)
    row["attachments"] = [_plain(_ATTACHMENT, one) for one in value.attachments]
    return row


def _entry_from_row(row: Any) -> Entry:
    return Entry(**{**row, "attachments": tuple(Attachment(**one) for one in row["attachments"])})


CONVERSATIONS = TableRepository(
    tables.conversations, Conversation, _conversation_to_row, _conversation_from_row
)
UNDERSTANDINGS = TableRepository(
    tables.understandings, Understanding, _understanding_to_row, _understanding_from_row
)
PLACEMENTS = TableRepository(tables.placements, Placement, _placement_to_row, _placement_from_row)
MESSAGES = TableRepository(tables.messages, Entry, _entry_to_row, _entry_from_row)
NOTES = TableRepository(tables.notes, Note)
CUSTOMERS = TableRepository(tables.customers, Customer)
PERSONS = TableRepository(tables.persons, Personhood)
TEAMS = TableRepository(tables.teams, Team)
PEOPLE = TableRepository(tables.people, Person)
ACCOUNTS = TableRepository(tables.accounts, Account)
