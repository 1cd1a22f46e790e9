"""The tables of schema `ingest` and how their rows become values."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.storage import TableRepository
from services.ingest.domain.budget import AutoReplies
from services.ingest.domain.consents import Consent
from services.ingest.domain.deliveries import Delivery, ProviderMessage
from services.ingest.domain.files import Attachment
from services.ingest.domain.model import Cause, Customer, Entry, Identity, MailId, Thread
from services.ingest.domain.notices import Notice

_metadata = MetaData(schema="ingest")

_identities = Table(
    "identities",
    _metadata,
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("verified", Boolean),
    Column("conversation_id", Text),
    Column("last_inbound_at_ms", BigInteger),
)
_mail_ids = Table(
    "mail_ids",
    _metadata,
    Column("address", Text, primary_key=True),
    Column("mail_id", Text, primary_key=True),
    Column("conversation_id", Text),
)
_customers = Table(
    "customers",
    _metadata,
    Column("customer_id", Text, primary_key=True),
    Column("display_name", Text),
    Column("address", Text),
    Column("language", Text),
    Column("first_seen_at_ms", BigInteger),
    Column("identities", JSONB),
    Column("tier", Text),
    Column("attributes", JSONB),
)
_threads = Table(
    "threads",
    _metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("channel", Text),
    Column("account", Text),
    Column("case_reference", Text),
    Column("subject", Text),
    Column("address", Text),
    Column("last_mail_id", Text),
    Column("language", Text),
    Column("opened_at_ms", BigInteger),
    Column("last_inbound_at_ms", BigInteger),
    Column("message_seq", BigInteger),
    Column("entry_seq", BigInteger),
    Column("opened_episode", Integer),
    Column("resolved_episode", Integer),
    Column("resolved_at_ms", BigInteger),
    Column("continues_conversation_id", Text),
    Column("continued_as_conversation_id", Text),
    Column("endpoint", Text),
    Column("cause", JSONB),
)
_entries = Table(
    "thread_entries",
    _metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("entry_seq", BigInteger, primary_key=True),
    Column("kind", Text),
    Column("text", Text),
    Column("full_text", Text),
    Column("at_ms", BigInteger),
    Column("ref_id", Text),
    Column("message_seq", BigInteger),
)
_deliveries = Table(
    "deliveries",
    _metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("conversation_id", Text),
    Column("source_id", Text),
    Column("kind", Text),
    Column("channel", Text),
    Column("text", Text),
    Column("automatic", Boolean),
    Column("state", Text),
    Column("attempts", Integer),
    Column("due_at_ms", BigInteger),
    Column("possibly_twice", Boolean),
    Column("reason", Text),
    Column("created_at_ms", BigInteger),
    Column("finished_at_ms", BigInteger),
    Column("traceparent", Text),
    Column("account", Text),
    Column("endpoint", Text),
    Column("window_ends_at_ms", BigInteger),
    Column("status", Text),
    Column("template", Text),
    Column("template_language", Text),
    Column("template_values", JSONB),
)
_provider_messages = Table(
    "provider_messages",
    _metadata,
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("provider_id", Text, primary_key=True),
    Column("delivery_id", Text),
    Column("status", Text),
    Column("reason", Text),
    Column("at_ms", BigInteger),
)

_attachments = Table(
    "attachments",
    _metadata,
    Column("attachment_id", Text, primary_key=True),
    Column("conversation_id", Text),
    Column("message_id", Text),
    Column("position", Integer),
    Column("name", Text),
    Column("declared", Text),
    Column("media_type", Text),
    Column("inline", Boolean),
    Column("size", BigInteger),
    Column("blob_key", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("source", Text),
    Column("channel", Text),
    Column("account", Text),
    Column("attempts", Integer),
    Column("due_at_ms", BigInteger),
    Column("created_at_ms", BigInteger),
)

_notices = Table(
    "notices",
    _metadata,
    Column("notice_id", Text, primary_key=True),
    Column("endpoint", Text),
    Column("type", Text),
    Column("body", Text),
    Column("state", Text),
    Column("attempts", Integer),
    Column("due_at_ms", BigInteger),
    Column("reason", Text),
    Column("created_at_ms", BigInteger),
    Column("finished_at_ms", BigInteger),
)


_consents = Table(
    "consents",
    _metadata,
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("state", Text),
    Column("source", Text),
    Column("actor", Text),
    Column("evidence", Text),
    Column("at_ms", BigInteger),
)


_auto_replies = Table(
    "auto_replies",
    _metadata,
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("count", Integer),
)


def _delivery(row: Mapping[str, Any]) -> Delivery:
    values = tuple((str(place), str(value)) for place, value in row["template_values"])
    return Delivery(**{**row, "template_values": values})


def _thread(row: Mapping[str, Any]) -> Thread:
    return Thread(**row) if row["cause"] is None else Thread(**{**row, "cause": Cause(**row["cause"])})


def _customer_row(customer: Customer) -> Mapping[str, Any]:
    return {
        "customer_id": customer.customer_id,
        "display_name": customer.display_name,
        "address": customer.address,
        "language": customer.language,
        "first_seen_at_ms": customer.first_seen_at_ms,
        "identities": [list(identity) for identity in customer.identities],
        "tier": customer.tier,
        "attributes": dict(customer.attributes),
    }


def _customer(row: Mapping[str, Any]) -> Customer:
    identities = tuple((str(a), str(b), str(c), bool(d)) for a, b, c, d in row["identities"])
    attributes = tuple(sorted((str(name), str(value)) for name, value in row["attributes"].items()))
    return Customer(**{**row, "identities": identities, "attributes": attributes})


IDENTITIES = TableRepository(_identities, Identity)
MAIL_IDS = TableRepository(_mail_ids, MailId)
CUSTOMERS = TableRepository(_customers, Customer, _customer_row, _customer)
THREADS = TableRepository(_threads, Thread, from_row=_thread)
ENTRIES = TableRepository(_entries, Entry)
DELIVERIES = TableRepository(_deliveries, Delivery, from_row=_delivery)
ATTACHMENTS = TableRepository(_attachments, Attachment)
NOTICES = TableRepository(_notices, Notice)
PROVIDER_MESSAGES = TableRepository(_provider_messages, ProviderMessage)
CONSENTS = TableRepository(_consents, Consent)
AUTO_REPLIES = TableRepository(_auto_replies, AutoReplies)
