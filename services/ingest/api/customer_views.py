"""Rows of customers and persons as they are shown."""

from collections.abc import Mapping, Sequence

from services.ingest.api.customer_schemas import (
    ConflictOut,
    CustomerOut,
    IdentityOut,
    LinkOut,
    ProposalOut,
)
from services.ingest.api.schemas import shown_time
from services.ingest.domain.merging import Conflict, Proposal
from services.ingest.domain.model import Customer
from services.ingest.domain.persons import Link, Membership


def link_out(link: Link) -> LinkOut:
    """A link."""
    return LinkOut(
        link_id=link.link_id,
        customer_id=link.customer_id,
        joined_customer_id=link.joined_customer_id,
        reason=link.reason,
        actor=link.actor,
        evidence=list(link.evidence),
        linked_at=shown_time(link.linked_at_ms),
        undone_at=shown_time(link.undone_at_ms) if link.undone_at_ms else None,
        undone_by=link.undone_by or None,
        undone_reason=link.undone_reason or None,
    )


def conflict_out(conflict: Conflict) -> ConflictOut:
    """A field that waits for a person, or was decided."""
    return ConflictOut(
        conflict_id=conflict.conflict_id,
        person_id=conflict.customer_id,
        link_id=conflict.link_id,
        field=conflict.field,
        values={
            conflict.customer_id: conflict.value,
            conflict.other_customer_id: conflict.other_value,
        },
        state=conflict.state,
        chosen=conflict.chosen or None,
        decided_by=conflict.decided_by or None,
    )


def proposal_out(proposal: Proposal) -> ProposalOut:
    """A proposal."""
    return ProposalOut(
        proposal_id=proposal.proposal_id,
        customers=[proposal.customer_id, proposal.other_customer_id],
        evidence=list(proposal.evidence),
        state=proposal.state,
        created_at=shown_time(proposal.created_at_ms),
        decided_by=proposal.decided_by or None,
        reason=proposal.reason or None,
    )


def customer_out(
    customer_id: str,
    membership: Membership,
    customers: Mapping[str, Customer],
    links: Sequence[Link],
    conflicts: Sequence[Conflict],
) -> CustomerOut:
    """A customer: what the person's own row says, and what only the others say where it is silent."""
    order = [membership.person_id, *membership.members]
    known = [customers[one] for one in dict.fromkeys(order) if one in customers]

    def first(name: str) -> str:
        return next((text for one in known if (text := str(getattr(one, name)))), "")

    attributes: dict[str, str] = {}
    for one in reversed(known):
        attributes.update(one.attributes)
    return CustomerOut(
        customer_id=customer_id,
        person_id=membership.person_id,
        customer_ids=list(membership.members),
        display_name=first("display_name"),
        address=first("address"),
        language=first("language"),
        tier=first("tier"),
        attributes=attributes,
        first_seen_at=shown_time(min(one.first_seen_at_ms for one in known)),
        identities=[
            IdentityOut(
                customer_id=one.customer_id,
                channel=channel,
                account=account,
                external_id=external_id,
                verified=verified,
            )
            for one in known
            for channel, account, external_id, verified in one.identities
        ],
        links=[link_out(one) for one in links],
        conflicts=[conflict_out(one) for one in conflicts],
    )
