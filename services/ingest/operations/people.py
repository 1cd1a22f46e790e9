"""Linking two customers and undoing it, in one transaction: memberships, fields that do not agree, events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from google.protobuf.message import Message

from libs.runtime import derived_id
from libs.storage import Rows, UnitOfWork, Want
from services.ingest.adapters.people import CONFLICTS, HANDLES, LINKS, MEMBERSHIPS, PROPOSALS
from services.ingest.adapters.tables import CUSTOMERS, IDENTITIES, THREADS
from services.ingest.adapters.wire import identified, linked, unlinked
from services.ingest.domain import persons
from services.ingest.domain.merging import (
    Conflict,
    Handle,
    Proposal,
    ProposalState,
    differing,
    field_of,
    with_field,
)
from services.ingest.domain.model import Customer, Identity, Thread
from services.ingest.domain.persons import Link, Membership

WAITING: Final = "waiting"
DECIDED: Final = "decided"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class PeopleContext:
    """The rows of one transaction."""

    uow: UnitOfWork
    customers: Rows[Customer]
    identities: Rows[Identity]
    threads: Rows[Thread]
    memberships: Rows[Membership]
    links: Rows[Link]
    proposals: Rows[Proposal]
    conflicts: Rows[Conflict]
    handles: Rows[Handle]

    def membership(self, customer_id: str) -> Membership:
        """To which person the customer belongs."""
        return self.memberships.get(customer_id) or persons.alone(customer_id)


def people_context(uow: UnitOfWork) -> PeopleContext:
    """The context of a transaction."""
    return PeopleContext(
        uow,
        uow.rows(CUSTOMERS),
        uow.rows(IDENTITIES),
        uow.rows(THREADS),
        uow.rows(MEMBERSHIPS),
        uow.rows(LINKS),
        uow.rows(PROPOSALS),
        uow.rows(CONFLICTS),
        uow.rows(HANDLES),
    )


def pair_id(one: str, other: str) -> str:
    """The id of the one proposal about two customers, whoever is named first."""
    return derived_id("merge proposal", *sorted((one, other)))


def want_memberships(customer_ids: Iterable[str], ctx: PeopleContext) -> Iterator[Want]:
    """First what `link` needs: to whom these customers belong."""
    return (ctx.memberships.want(one) for one in customer_ids)


def want_members(customer_ids: Iterable[str], ctx: PeopleContext) -> Iterator[Want]:
    """Then the others of the same persons, with what is known of them and what links them."""
    for customer_id in customer_ids:
        membership = ctx.membership(customer_id)
        for member in membership.members:
            yield ctx.memberships.want(member)
            yield ctx.customers.want(member)
        for link_id in membership.links:
            yield ctx.links.want(link_id)


async def load(customer_ids: Sequence[str], ctx: PeopleContext) -> None:
    """What a request needs of the customers: the same stages as a handler, one after the other."""
    for stage in (want_memberships, want_members):
        for want in list(stage(customer_ids, ctx)):
            await want.rows.load([want.key])


def link(
    customer_id: str,
    joined_customer_id: str,
    ctx: PeopleContext,
    *,
    actor: str,
    reason: str,
    evidence: Sequence[str] = (),
) -> tuple[Link, list[Message]]:
    """Links two customers; both, and all of their persons, are loaded. Raises LinkRefused."""
    kept, joined = ctx.membership(customer_id), ctx.membership(joined_customer_id)
    everybody = [ctx.membership(one) for one in (*kept.members, *joined.members)]
    version = persons.next_version(everybody)
    made = Link(
        derived_id("customer link", customer_id, joined_customer_id, str(version)),
        customer_id,
        joined_customer_id,
        version,
        reason,
        actor,
        tuple(evidence),
        ctx.uow.now_ms,
    )
    after = persons.join(made, kept, joined)
    ctx.links.put(made)
    _keep(after, ctx)
    one, other = ctx.customers.get(kept.person_id), ctx.customers.get(joined.person_id)
    if one is not None and other is not None:
        _note_conflicts(made, one, other, ctx)
    return made, [linked(made, after)]


def unlink(
    undone: Link, conflict_ids: Iterable[str], ctx: PeopleContext, *, actor: str, reason: str
) -> tuple[Link, list[Message]]:
    """Undoes a link that holds; its person, its proposal and its conflicts are loaded. The two are not proposed again."""
    before = ctx.membership(undone.customer_id)
    others = [one for link_id in before.links if (one := ctx.links.get(link_id)) is not None]
    version = persons.next_version(ctx.membership(one) for one in before.members)
    after = persons.separate(undone, others, before, version)
    undone = persons.undo(undone, actor, reason, ctx.uow.now_ms)
    ctx.links.put(undone)
    _keep(after, ctx)
    dismiss(undone.customer_id, undone.joined_customer_id, ctx, actor=actor, reason=reason)
    return undone, [unlinked(undone, after), *_restore(conflict_ids, ctx)]


def decided(
    proposal: Proposal, state: ProposalState, actor: str, reason: str, ctx: PeopleContext
) -> Proposal:
    """The proposal with what became of it."""
    return replace(proposal, state=state, decided_at_ms=ctx.uow.now_ms, decided_by=actor, reason=reason)


def dismiss(customer_id: str, other: str, ctx: PeopleContext, *, actor: str, reason: str) -> None:
    """Notes that two customers are not one person; the proposal of the pair is loaded."""
    proposal_id = pair_id(customer_id, other)
    known = ctx.proposals.get(proposal_id) or Proposal(
        proposal_id, customer_id, other, (), ProposalState.WAITING, ctx.uow.now_ms
    )
    ctx.proposals.put(decided(known, ProposalState.DISMISSED, actor, reason, ctx))


def decide(conflict: Conflict, chosen: str, ctx: PeopleContext, actor: str) -> list[Message]:
    """Whose value holds; the person's customer is loaded."""
    value = conflict.value if chosen == conflict.customer_id else conflict.other_value
    ctx.conflicts.put(
        replace(conflict, state=DECIDED, chosen=chosen, decided_at_ms=ctx.uow.now_ms, decided_by=actor)
    )
    return _set_field(conflict.customer_id, conflict.field, value, ctx)


def _keep(memberships: Iterable[Membership], ctx: PeopleContext) -> None:
    for one in memberships:
        ctx.memberships.put(one)


def _note_conflicts(made: Link, one: Customer, other: Customer, ctx: PeopleContext) -> None:
    for name, value, other_value in differing(one, other):
        ctx.conflicts.put(
            Conflict(
                derived_id("customer conflict", made.link_id, name),
                made.link_id,
                one.customer_id,
                name,
                value,
                other.customer_id,
                other_value,
                WAITING,
                ctx.uow.now_ms,
            )
        )


def _restore(conflict_ids: Iterable[str], ctx: PeopleContext) -> list[Message]:
    """What was decided because of the link is taken back, unless it was changed since."""
    events: list[Message] = []
    for conflict_id in conflict_ids:
        conflict = ctx.conflicts.get(conflict_id)
        if conflict is None:
            continue
        ctx.conflicts.put(replace(conflict, state=WITHDRAWN))
        person = ctx.customers.get(conflict.customer_id)
        took = conflict.state == DECIDED and conflict.chosen != conflict.customer_id
        if took and person is not None and field_of(person, conflict.field) == conflict.other_value:
            events += _set_field(conflict.customer_id, conflict.field, conflict.value, ctx)
    return events


def _set_field(customer_id: str, name: str, value: str, ctx: PeopleContext) -> list[Message]:
    known = ctx.customers.get(customer_id)
    changed = with_field(known, name, value) if known else None
    if changed is None or changed == known:
        return []
    ctx.customers.put(changed)
    return [identified(changed)]
