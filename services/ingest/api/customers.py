"""Routes of customers: who they are, who is the same person, and what waits for a person to decide."""

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.storage import Database, fetch_all
from libs.web import Conflict as Refused
from libs.web import NotFound, Page, PageParams, Principal, Unprocessable, make_page, require_role
from services.ingest.adapters import persons_queries as queries
from services.ingest.adapters.wire import identified
from services.ingest.api.customer_schemas import (
    MOST_ATTRIBUTES,
    ChoiceIn,
    ConflictOut,
    CustomerOut,
    DecisionIn,
    DetailsIn,
    FoundOut,
    LinkIn,
    LinkOut,
    ProposalOut,
    UndoIn,
)
from services.ingest.api.customer_views import conflict_out, customer_out, link_out, proposal_out
from services.ingest.domain.merging import Proposal, ProposalState, with_attributes
from services.ingest.domain.persons import Link, LinkRefused
from services.ingest.operations import people
from services.ingest.operations.people import PeopleContext, people_context

_PROPOSALS: Final = "merge-proposals"
_CONFLICTS: Final = "customer-conflicts"
Reader = Annotated[Principal, Depends(require_role("agent", "supervisor", "admin", "service"))]
Decider = Annotated[Principal, Depends(require_role("agent", "supervisor", "admin"))]
Writer = Annotated[Principal, Depends(require_role("admin", "service"))]


def customers_router(database: Database) -> APIRouter:
    """The routes under /v1/customers."""
    router = APIRouter(prefix="/v1/customers", tags=["customers"])

    async def shown(customer_id: str) -> CustomerOut:
        found = await queries.whole(database, customer_id)
        if found is None:
            raise _unknown(customer_id)
        return customer_out(customer_id, found.membership, found.customers, found.links, found.conflicts)

    @router.get("", summary="The customer of an identity")
    async def find_customer(
        _: Reader,
        external_id: Annotated[str, Query(min_length=1, max_length=500)],
        channel: Annotated[
            str, Query(max_length=40, description="`customer` for your own numbers")
        ] = "customer",
        account: Annotated[str, Query(max_length=64)] = "",
    ) -> FoundOut:
        found = await queries.by_identity(database, channel, account, external_id)
        if found is None:
            raise NotFound("Nobody is known by this identity.", slug="unknown-customer")
        return FoundOut(customer_id=found[0], person_id=found[1])

    @router.get("/proposals", summary="Customers who may be one person, the oldest proposal first")
    async def list_proposals(
        request: Request,
        response: Response,
        page: PageParams,
        _: Reader,
        state: ProposalState = ProposalState.WAITING,
    ) -> Page[ProposalOut]:
        after = page.after(_PROPOSALS, int, str) or (-1, "")
        rows = await queries.proposals(database, state, (after[0], after[1]), page.limit + 1)
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_PROPOSALS,
            key=lambda one: (one.created_at_ms, one.proposal_id),
            show=proposal_out,
        )

    @router.post("/proposals/{proposal_id}", summary="Link the two, or dismiss the proposal")
    async def decide_proposal(proposal_id: str, body: DecisionIn, me: Decider) -> ProposalOut:
        async with database.begin() as uow:
            ctx = people_context(uow)
            await ctx.proposals.load([proposal_id])
            known = ctx.proposals.get(proposal_id)
            if known is None:
                raise NotFound("There is no such proposal.", slug="unknown-proposal")
            wanted = ProposalState.LINKED if body.decision == "link" else ProposalState.DISMISSED
            if known.state not in (ProposalState.WAITING, wanted):
                raise Refused(
                    f"The proposal is {known.state} by {known.decided_by}; undo the link, or link the two by hand.",
                    slug="proposal-decided",
                )
            if known.state == ProposalState.WAITING:
                await _decide(known, body, me, ctx)
                await uow.commit()
            return proposal_out(ctx.proposals.get(proposal_id) or known)

    @router.get(
        "/conflicts", summary="Fields in which customers of one person do not agree, the oldest first"
    )
    async def list_conflicts(
        request: Request,
        response: Response,
        page: PageParams,
        _: Reader,
        state: Annotated[str, Query(pattern="^(waiting|decided|withdrawn)$")] = "waiting",
    ) -> Page[ConflictOut]:
        after = page.after(_CONFLICTS, int, str) or (-1, "")
        rows = await queries.conflicts(database, state, (after[0], after[1]), page.limit + 1)
        return make_page(
            request,
            response,
            page,
            rows,
            kind=_CONFLICTS,
            key=lambda one: (one.created_at_ms, one.conflict_id),
            show=conflict_out,
        )

    @router.post("/conflicts/{conflict_id}", summary="Say whose value holds")
    async def decide_conflict(conflict_id: str, body: ChoiceIn, me: Decider) -> ConflictOut:
        async with database.begin() as uow:
            ctx = people_context(uow)
            await ctx.conflicts.load([conflict_id])
            known = ctx.conflicts.get(conflict_id)
            if known is None:
                raise NotFound("There is no such conflict.", slug="unknown-conflict")
            if body.customer_id not in (known.customer_id, known.other_customer_id):
                raise Unprocessable(
                    f"Customer {body.customer_id} is neither {known.customer_id} nor {known.other_customer_id}.",
                    slug="not-of-this-conflict",
                )
            if known.state != people.WAITING and known.chosen != body.customer_id:
                raise Refused(f"The conflict is {known.state} already.", slug="conflict-decided")
            if known.state == people.WAITING:
                await ctx.customers.load([known.customer_id])
                uow.emit(*people.decide(known, body.customer_id, ctx, me.subject))
                await uow.commit()
            return conflict_out(ctx.conflicts.get(conflict_id) or known)

    @router.post("/links/{link_id}/undo", summary="Undo a link: the customers are two again")
    async def undo_link(link_id: str, body: UndoIn, me: Decider) -> LinkOut:
        async with database.begin() as uow:
            ctx = people_context(uow)
            await ctx.links.load([link_id])
            known = ctx.links.get(link_id)
            if known is None:
                raise NotFound("There is no such link.", slug="unknown-link")
            if not known.undone_at_ms:
                conflict_ids = await _load_link(known, ctx)
                known, events = people.unlink(known, conflict_ids, ctx, actor=me.subject, reason=body.reason)
                uow.emit(*events)
                await uow.commit()
            return link_out(known)

    @router.get("/{customer_id}", summary="A customer with all that is known of the person")
    async def get_customer(customer_id: str, _: Reader) -> CustomerOut:
        return await shown(customer_id)

    @router.patch("/{customer_id}", summary="Set the tier or attributes of a customer")
    async def set_details(customer_id: str, body: DetailsIn, _: Writer) -> CustomerOut:
        async with database.begin() as uow:
            ctx = people_context(uow)
            await ctx.customers.load([customer_id])
            known = ctx.customers.get(customer_id)
            if known is None:
                raise _unknown(customer_id)
            changed = with_attributes(known, body.attributes)
            if body.tier is not None:
                changed = replace(changed, tier=body.tier)
            if len(changed.attributes) > MOST_ATTRIBUTES:
                raise Unprocessable(
                    f"The customer would have {len(changed.attributes)} attributes; at most {MOST_ATTRIBUTES} are kept.",
                    slug="too-many-attributes",
                )
            if changed != known:
                ctx.customers.put(changed)
                uow.emit(identified(changed))
                await uow.commit()
        return await shown(customer_id)

    @router.post("/{customer_id}/links", summary="Say that another customer is the same person")
    async def link_customers(customer_id: str, body: LinkIn, me: Decider) -> LinkOut:
        async with database.begin() as uow:
            ctx = people_context(uow)
            await people.load([customer_id, body.customer_id], ctx)
            for one in (customer_id, body.customer_id):
                if ctx.customers.get(one) is None:
                    raise _unknown(one)
            held = [ctx.links.get(id_) for id_ in ctx.membership(customer_id).links]
            same = _of_pair(held, customer_id, body.customer_id)
            if same is not None:
                return link_out(same)
            made = await _link(customer_id, body.customer_id, ctx, actor=me.subject, reason=body.reason)
            await uow.commit()
            return link_out(made)

    return router


def _unknown(customer_id: str) -> NotFound:
    return NotFound(f"There is no customer {customer_id[:64]}.", slug="unknown-customer")


def _of_pair(links: list[Link | None], *pair: str) -> Link | None:
    return next(
        (one for one in links if one and {one.customer_id, one.joined_customer_id} == set(pair)), None
    )


async def _load_link(link: Link, ctx: PeopleContext) -> list[str]:
    """Loads what undoing a link needs, and gives the ids of its conflicts."""
    await people.load([link.customer_id, link.joined_customer_id], ctx)
    await ctx.proposals.load([people.pair_id(link.customer_id, link.joined_customer_id)])
    rows: Any = await fetch_all(
        ctx.uow.connection,
        "SELECT conflict_id FROM ingest.customer_conflicts WHERE link_id = $1",
        link.link_id,
    )
    conflict_ids = [str(id_) for (id_,) in rows]
    await ctx.conflicts.load(conflict_ids)
    return conflict_ids


async def _link(kept: str, joined: str, ctx: PeopleContext, *, actor: str, reason: str) -> Link:
    proposal_id = people.pair_id(kept, joined)
    await ctx.proposals.load([proposal_id])
    proposal = ctx.proposals.get(proposal_id)
    evidence = proposal.evidence if proposal else ()
    try:
        made, events = people.link(kept, joined, ctx, actor=actor, reason=reason, evidence=evidence)
    except LinkRefused as refusal:
        raise Refused(str(refusal), slug=refusal.slug) from refusal
    if proposal is not None:
        ctx.proposals.put(people.decided(proposal, ProposalState.LINKED, actor, reason, ctx))
    ctx.uow.emit(*events)
    return made


async def _decide(proposal: Proposal, body: DecisionIn, me: Principal, ctx: PeopleContext) -> None:
    pair = (proposal.customer_id, proposal.other_customer_id)
    if body.decision == "dismiss":
        people.dismiss(*pair, ctx, actor=me.subject, reason=body.reason)
        return
    await people.load(pair, ctx)
    await _link(*pair, ctx, actor=me.subject, reason=body.reason)
