"""Customers who share a number or a mail address may be one person: a person decides, or a rule on verified identities."""

from dataclasses import replace
from typing import Final

from google.protobuf.message import Message

from services.ingest.domain.merging import (
    MOST_HOLDERS,
    SAME_NUMBER,
    Handle,
    Proposal,
    ProposalState,
    evidence_of,
    handles_of,
    proves,
)
from services.ingest.domain.model import Customer
from services.ingest.domain.persons import LinkRefused
from services.ingest.operations.people import PeopleContext, decided, link, pair_id

_VOUCHED: Final = "providers vouch for the same number on both sides"


def others_of(customer: Customer, ctx: PeopleContext) -> list[str]:
    """Who else was seen with a number or address of the customer; their handles are loaded."""
    found: dict[str, None] = {}
    for handle in handles_of(customer):
        known = ctx.handles.get(handle)
        if known is not None and len(known.holders) < MOST_HOLDERS:
            found.update((holder, None) for holder, _ in known.holders if holder != customer.customer_id)
    return list(found)


def propose(customer: Customer, ctx: PeopleContext) -> list[Message]:
    """Notes the customer's numbers and addresses, and proposes or makes the links that follow. Twice is once."""
    events: list[Message] = []
    for handle, mine in handles_of(customer).items():
        known = ctx.handles.get(handle) or Handle(handle, ())
        after = known.with_holder(customer.customer_id, mine)
        if len(known.holders) >= MOST_HOLDERS:
            continue
        if after.holders != known.holders and set(after.holders) != set(known.holders):
            ctx.handles.put(after)
        for other, theirs in known.holders:
            if other != customer.customer_id:
                events += _pair(customer, other, handle, proves(handle, mine, theirs), ctx)
    return events


def _pair(customer: Customer, other: str, handle: str, proven: bool, ctx: PeopleContext) -> list[Message]:
    known = ctx.proposals.get(pair_id(customer.customer_id, other))
    if known is not None and known.state != ProposalState.WAITING:
        return []
    if ctx.membership(customer.customer_id).person_id == ctx.membership(other).person_id:
        return []
    evidence = evidence_of(handle)
    proposal = known or Proposal(
        # The one who was here first is kept.
        pair_id(customer.customer_id, other),
        other,
        customer.customer_id,
        (),
        ProposalState.WAITING,
        ctx.uow.now_ms,
    )
    if evidence not in proposal.evidence:
        proposal = replace(proposal, evidence=(*proposal.evidence, evidence))
    events: list[Message] = []
    if proven:
        try:
            _, events = link(
                other,
                customer.customer_id,
                ctx,
                actor=SAME_NUMBER,
                reason=_VOUCHED,
                evidence=proposal.evidence,
            )
            proposal = decided(proposal, ProposalState.LINKED, SAME_NUMBER, _VOUCHED, ctx)
        except LinkRefused as refusal:
            proposal = replace(proposal, reason=str(refusal))
    if proposal != known:
        ctx.proposals.put(proposal)
    return events
