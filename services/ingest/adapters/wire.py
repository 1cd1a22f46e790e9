"""What ingest knows, as events say it."""

from typing import Final

from libs.contracts import Channel, CustomerIdentified, CustomersLinked, CustomersUnlinked, Person
from libs.contracts import Identity as IdentityRecord
from services.ingest.domain.model import ChannelName, Customer
from services.ingest.domain.persons import Link, Membership

CHANNELS: Final[dict[ChannelName, Channel]] = {
    name: getattr(Channel, f"CHANNEL_{name.name}") for name in ChannelName
}
"""Channels as events name them."""


def identified(customer: Customer) -> CustomerIdentified:
    """All that is known of a customer."""
    return CustomerIdentified(
        customer_id=customer.customer_id,
        display_name=customer.display_name,
        identities=[
            IdentityRecord(channel=channel, account=account, external_id=external_id, verified=verified)
            for channel, account, external_id, verified in customer.identities
        ],
        language=customer.language,
        first_seen_at_ms=customer.first_seen_at_ms,
        tier=customer.tier,
        attributes=dict(customer.attributes),
    )


def linked(link: Link, memberships: list[Membership]) -> CustomersLinked:
    """A link, with everybody whom it concerns as they stand now."""
    return CustomersLinked(
        link_id=link.link_id,
        customer_id=memberships[0].person_id,
        joined_customer_id=link.joined_customer_id,
        persons=_persons(memberships),
        version=link.version,
        reason=link.reason,
        actor=link.actor,
        linked_at_ms=link.linked_at_ms,
    )


def unlinked(link: Link, memberships: list[Membership]) -> CustomersUnlinked:
    """A link that was undone, with everybody whom it concerned as they stand now."""
    return CustomersUnlinked(
        link_id=link.link_id,
        customer_id=link.customer_id,
        separated_customer_id=link.joined_customer_id,
        persons=_persons(memberships),
        version=memberships[0].version,
        reason=link.undone_reason,
        actor=link.undone_by,
        unlinked_at_ms=link.undone_at_ms,
    )


def _persons(memberships: list[Membership]) -> list[Person]:
    by_id = {one.person_id: one.members for one in memberships}
    return [Person(person_id=id_, customer_ids=members) for id_, members in by_id.items()]
