"""What is read of customers and persons: one of them whole, lists of what waits, by identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libs.storage import Database, fetch_all, fetch_one
from services.ingest.adapters.people import CONFLICTS, LINKS, MEMBERSHIPS, PROPOSALS
from services.ingest.adapters.tables import CUSTOMERS
from services.ingest.domain.merging import Conflict, Proposal
from services.ingest.domain.model import Customer
from services.ingest.domain.persons import Link, Membership, alone

_MEMBERSHIP: Final = f"SELECT {MEMBERSHIPS.columns} FROM ingest.memberships WHERE customer_id = $1"
_CUSTOMERS: Final = f"SELECT {CUSTOMERS.columns} FROM ingest.customers WHERE customer_id = ANY($1::text[])"
_LINKS: Final = (
    f"SELECT {LINKS.columns} FROM ingest.customer_links"
    " WHERE customer_id = ANY($1::text[]) OR joined_customer_id = ANY($1::text[])"
    " ORDER BY linked_at_ms, link_id LIMIT 200"
)
_CONFLICTS_OF: Final = (
    f"SELECT {CONFLICTS.columns} FROM ingest.customer_conflicts"
    " WHERE link_id = ANY($1::text[]) AND state = 'waiting' ORDER BY created_at_ms, conflict_id"
)
_BY_IDENTITY: Final = """
SELECT i.customer_id, coalesce(m.person_id, i.customer_id) FROM ingest.identities i
LEFT JOIN ingest.memberships m USING (customer_id)
WHERE i.channel = $1 AND i.account = $2 AND i.external_id = $3
"""


def _listing(columns: str, table: str, key: str) -> str:
    return (
        f"SELECT {columns} FROM ingest.{table} WHERE state = $1 AND (created_at_ms, {key}) > ($2, $3)"
        f" ORDER BY created_at_ms, {key} LIMIT $4"
    )


_PROPOSALS: Final = _listing(PROPOSALS.columns, "merge_proposals", "proposal_id")
_CONFLICTS: Final = _listing(CONFLICTS.columns, "customer_conflicts", "conflict_id")


@dataclass(frozen=True, slots=True)
class Whole:
    """A customer with the others of the same person."""

    membership: Membership
    customers: dict[str, Customer]
    links: list[Link]
    conflicts: list[Conflict]


async def whole(database: Database, customer_id: str) -> Whole | None:
    """All that is known of a customer; None for an unknown one."""
    async with database.snapshot() as connection:
        row = await fetch_one(connection, _MEMBERSHIP, customer_id)
        membership = MEMBERSHIPS.value_of(row) if row else alone(customer_id)
        members = list(membership.members)
        customers = [CUSTOMERS.value_of(one) for one in await fetch_all(connection, _CUSTOMERS, members)]
        if not any(one.customer_id == customer_id for one in customers):
            return None
        links = [LINKS.value_of(one) for one in await fetch_all(connection, _LINKS, members)]
        held = [one.link_id for one in links if not one.undone_at_ms]
        conflicts = [CONFLICTS.value_of(one) for one in await fetch_all(connection, _CONFLICTS_OF, held)]
    return Whole(membership, {one.customer_id: one for one in customers}, links, conflicts)


async def proposals(database: Database, state: str, after: tuple[int, str], limit: int) -> Sequence[Proposal]:
    """Proposals in a state, the oldest first."""
    async with database.read() as connection:
        rows = await fetch_all(connection, _PROPOSALS, state, *after, limit)
    return [PROPOSALS.value_of(row) for row in rows]


async def conflicts(database: Database, state: str, after: tuple[int, str], limit: int) -> Sequence[Conflict]:
    """Conflicts in a state, the oldest first."""
    async with database.read() as connection:
        rows = await fetch_all(connection, _CONFLICTS, state, *after, limit)
    return [CONFLICTS.value_of(row) for row in rows]


async def by_identity(
    database: Database, channel: str, account: str, external_id: str
) -> tuple[str, str] | None:
    """(customer, person) of an identity, or None."""
    async with database.read() as connection:
        row = await fetch_one(connection, _BY_IDENTITY, channel, account, external_id)
    return None if row is None else (str(row[0]), str(row[1]))
