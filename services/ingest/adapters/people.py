"""The tables of persons: memberships, links, proposals, conflicts, and who was seen with which number or address."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.storage import TableRepository
from services.ingest.domain.erasing import Request
from services.ingest.domain.merging import Conflict, Handle, Proposal
from services.ingest.domain.persons import Link, Membership

_metadata = MetaData(schema="ingest")


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _number(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger) for name in names]


_memberships = Table(
    "memberships",
    _metadata,
    Column("customer_id", Text, primary_key=True),
    *_text("person_id"),
    *_number("version"),
    Column("members", JSONB),
    Column("links", JSONB),
)
_links = Table(
    "customer_links",
    _metadata,
    Column("link_id", Text, primary_key=True),
    *_text("customer_id", "joined_customer_id"),
    *_number("version"),
    *_text("reason", "actor"),
    Column("evidence", JSONB),
    *_number("linked_at_ms", "undone_at_ms"),
    *_text("undone_by", "undone_reason"),
)
_proposals = Table(
    "merge_proposals",
    _metadata,
    Column("proposal_id", Text, primary_key=True),
    *_text("customer_id", "other_customer_id"),
    Column("evidence", JSONB),
    *_text("state"),
    *_number("created_at_ms", "decided_at_ms"),
    *_text("decided_by", "reason"),
)
_conflicts = Table(
    "customer_conflicts",
    _metadata,
    Column("conflict_id", Text, primary_key=True),
    *_text("link_id", "customer_id", "field", "value", "other_customer_id", "other_value", "state"),
    *_number("created_at_ms"),
    *_text("chosen"),
    *_number("decided_at_ms"),
    *_text("decided_by"),
)
_handles = Table(
    "customer_handles",
    _metadata,
    Column("handle", Text, primary_key=True),
    Column("holders", JSONB),
)
_erasure_requests = Table(
    "erasure_requests",
    _metadata,
    Column("request_id", Text, primary_key=True),
    Column("customer_ids", JSONB),
    *_text("actor", "reason"),
    *_number("requested_at_ms"),
    Column("reports", JSONB),
    *_number("done_at_ms"),
)


def _membership(row: Mapping[str, Any]) -> Membership:
    return Membership(**{**row, "members": tuple(row["members"]), "links": tuple(row["links"])})


def _handle(row: Mapping[str, Any]) -> Handle:
    return Handle(row["handle"], tuple((str(id_), bool(verified)) for id_, verified in row["holders"]))


MEMBERSHIPS = TableRepository(_memberships, Membership, asdict, _membership)
LINKS = TableRepository(_links, Link, asdict, lambda row: Link(**{**row, "evidence": tuple(row["evidence"])}))
PROPOSALS = TableRepository(
    _proposals, Proposal, asdict, lambda row: Proposal(**{**row, "evidence": tuple(row["evidence"])})
)
CONFLICTS = TableRepository(_conflicts, Conflict)
HANDLES = TableRepository(_handles, Handle, asdict, _handle)
ERASURE_REQUESTS = TableRepository(
    _erasure_requests,
    Request,
    from_row=lambda row: Request(**{**row, "customer_ids": tuple(row["customer_ids"])}),
)
