"""What was decided on events of the operator's systems, as rows; and whom such an event is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from libs.storage import TableRepository, fetch_all, fetch_one
from libs.web import idempotency_table
from services.ingest.adapters.tables import CONSENTS, CUSTOMERS
from services.ingest.domain.consents import Consent
from services.ingest.domain.customers import ASSERTED
from services.ingest.domain.model import ChannelName, Customer
from services.ingest.domain.outreach import Outreach
from services.ingest.domain.ways import Senders

_metadata = MetaData(schema="ingest")
_outreach = Table(
    "outreach",
    _metadata,
    Column("outreach_id", Text, primary_key=True),
    Column("event_id", Text),
    Column("event_type", Text),
    Column("rule", Text),
    Column("customer_id", Text),
    Column("attributes", JSONB),
    Column("zone", Text),
    Column("language", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("due_at_ms", BigInteger),
    Column("expires_at_ms", BigInteger),
    Column("channel", Text),
    Column("conversation_id", Text),
    Column("created_at_ms", BigInteger),
    Column("sent_at_ms", BigInteger),
)
OUTREACH = TableRepository(_outreach, Outreach)
KEYS: Final = idempotency_table(MetaData(), "ingest")
_CLAIM: Final = (
    f"SELECT {OUTREACH.columns} FROM ingest.outreach WHERE state = 'waiting' AND due_at_ms <= $1"
    " ORDER BY due_at_ms LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_SENT: Final = "SELECT rule, sent_at_ms FROM ingest.outreach WHERE customer_id = $1 AND state = 'sent' AND sent_at_ms > $2"
_CONSENTS: Final = (
    f"SELECT {CONSENTS.columns} FROM ingest.consents WHERE customer_id = $1"
    " ORDER BY channel, account, external_id LIMIT 200"
)
_PAGE: Final = (
    f"SELECT {OUTREACH.columns}, (SELECT d.state FROM ingest.deliveries d WHERE d.delivery_id = o.outreach_id),"
    " (SELECT d.reason FROM ingest.deliveries d WHERE d.delivery_id = o.outreach_id)"
    " FROM ingest.outreach o WHERE ($1 = '' OR state = $1) AND (created_at_ms, outreach_id) < ($2, $3)"
    " ORDER BY created_at_ms DESC, outreach_id DESC LIMIT $4"
)
_BY_IDENTITY: Final = (
    "SELECT customer_id FROM ingest.identities WHERE channel = $1 AND external_id = $2"
    " AND ($3 = '' OR account = $3) ORDER BY last_inbound_at_ms DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an event is about, as the operator's system names them: by one of these at least."""

    customer_id: str = ""
    external_id: str = ""
    phone: str = ""
    """E.164, with the plus."""
    address: str = ""
    name: str = ""


async def claim(connection: Any, now_ms: int) -> Outreach | None:
    """The next one that is due, locked; None when none is free."""
    row = await fetch_one(connection, _CLAIM, now_ms)
    return OUTREACH.value_of(row) if row else None


async def sent_before(connection: Any, customer_id: str, since_ms: int) -> list[tuple[str, int]]:
    """(rule, when) of what a customer was sent since."""
    return [(rule, at) for rule, at in await fetch_all(connection, _SENT, customer_id, since_ms)]


async def consents_of(connection: Any, customer_id: str) -> list[Consent]:
    """All that is on record of a customer's endpoints."""
    rows = await fetch_all(connection, _CONSENTS, customer_id)
    return [CONSENTS.value_of(row) for row in rows]


async def page(
    connection: Any, state: str, before: tuple[int, str], limit: int
) -> list[tuple[Outreach, str, str]]:
    """(outreach, state and reason of its delivery), the newest first."""
    rows = await fetch_all(connection, _PAGE, state, *before, limit)
    return [(OUTREACH.value_of(row[:-2]), row[-2] or "", row[-1] or "") for row in rows]


async def find_customer(connection: Any, person: Person, senders: Senders) -> Customer | None:
    """The customer that an event is about, by the strongest name given; None when nobody is known by it."""
    if person.customer_id:
        return await _customer(connection, person.customer_id)
    for channel, account, id_ in _names(person, senders):
        row = await fetch_one(connection, _BY_IDENTITY, channel, id_, account)
        if row is not None:
            return await _customer(connection, row[0])
    return None


def _names(person: Person, senders: Senders) -> Sequence[tuple[str, str, str]]:
    names = [(ASSERTED, "", person.external_id)] if person.external_id else []
    if person.phone:
        bare = person.phone.lstrip("+")
        names += [(channel.value, "", number) for channel in _PHONES for number in (person.phone, bare)]
    if person.address:
        names.append((ChannelName.MAIL.value, "", person.address.lower()))
    return names


_PHONES: Final = (ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.VOICE)


async def _customer(connection: Any, customer_id: str) -> Customer | None:
    row = await fetch_one(
        connection, f"SELECT {CUSTOMERS.columns} FROM ingest.customers WHERE customer_id = $1", customer_id
    )
    return CUSTOMERS.value_of(row) if row else None
