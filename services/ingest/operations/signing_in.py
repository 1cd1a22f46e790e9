"""A visitor of the widget signs in on the operator's site: they are the known customer, and their conversation goes on."""

import asyncio
from dataclasses import replace
from typing import Final

from libs.runtime import derived_id
from libs.storage import Database, fetch_one
from libs.web import Unavailable
from services.ingest.adapters.wire import identified
from services.ingest.domain.customers import with_identity
from services.ingest.domain.merging import SIGNED_IN, ProposalState
from services.ingest.domain.model import Customer, Identity
from services.ingest.domain.persons import LinkRefused
from services.ingest.domain.visitors import Visitor, goes_on
from services.ingest.operations.people import (
    PeopleContext,
    decided,
    link,
    load,
    pair_id,
    people_context,
)

_LONGEST_S: Final = 2.0
_LOOK_S: Final = 0.05
_UNREAD: Final = """
SELECT EXISTS (
    SELECT 1 FROM ingest.raw_messages r WHERE r.scope = $1 AND r.provider_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM ingest.thread_entries e WHERE e.ref_id = r.id AND e.kind = 'customer'
    )
)
"""


async def sign_in(database: Database, before: Visitor, signed: Visitor) -> None:
    """Links the customer that the browser was to the one whom the site has signed. Repeated, it changes nothing.

    Raises Unavailable while a message of the browser's is still being read: there is no customer to link yet.
    """
    await _all_read(database, before)
    async with database.begin() as uow:
        ctx = people_context(uow)
        await ctx.identities.load([before.identity.row_key, signed.identity.row_key])
        was = ctx.identities.get(before.identity.row_key)
        if was is None:
            return
        known = ctx.identities.get(signed.identity.row_key)
        if known is None:
            known = _first_seen(signed, was, ctx)
        pair = (known.customer_id, was.customer_id)
        await load(pair, ctx)
        await ctx.proposals.load([pair_id(*pair)])
        if not _link(pair, ctx):
            return
        await ctx.threads.load(one for one in (was.conversation_id, known.conversation_id) if one)
        conversation_id = goes_on(*(_thread(one, ctx) for one in (was, known)))
        if conversation_id != known.conversation_id:
            ctx.identities.put(replace(known, conversation_id=conversation_id))
        await uow.commit()


def _link(pair: tuple[str, str], ctx: PeopleContext) -> bool:
    """Whether the two are linked now who were not before. What a person has decided about them stands."""
    proposal = ctx.proposals.get(pair_id(*pair))
    if proposal is not None and proposal.state == ProposalState.DISMISSED:
        return False
    try:
        _, events = link(
            *pair,
            ctx,
            actor=SIGNED_IN,
            reason="signed in on the site, in the browser that had written before",
            evidence=["the site's signature over the customer's number", "the browser's own session"],
        )
    except LinkRefused:
        return False
    if proposal is not None:
        ctx.proposals.put(decided(proposal, ProposalState.LINKED, SIGNED_IN, "signed in", ctx))
    ctx.uow.emit(*events)
    return True


def _first_seen(signed: Visitor, was: Identity, ctx: PeopleContext) -> Identity:
    """The known customer, whom ingest has never heard of."""
    key = signed.identity
    customer_id = derived_id("signed in customer", *key.row_key)
    customer = Customer(
        customer_id,
        signed.name,
        signed.email.lower(),
        signed.language,
        ctx.uow.now_ms,
        with_identity((), key, True),
    )
    identity = Identity(key.channel, key.account, key.external_id, customer_id, True, "")
    ctx.customers.put(customer)
    ctx.identities.put(identity)
    ctx.uow.emit(identified(customer))
    return identity


def _thread(identity: Identity, ctx: PeopleContext) -> "tuple[str, bool, int] | None":
    """(conversation, whether it is resolved, when the customer last wrote)."""
    thread = ctx.threads.get(identity.conversation_id) if identity.conversation_id else None
    return None if thread is None else (thread.conversation_id, thread.resolved, thread.last_inbound_at_ms)


async def _all_read(database: Database, visitor: Visitor) -> None:
    left = _LONGEST_S
    while True:
        async with database.read() as connection:
            row = await fetch_one(connection, _UNREAD, visitor.scope)
        if row is None or not row[0]:
            return
        if left <= 0:
            raise Unavailable("A message of this browser is still being read.", retry_after_s=1)
        await asyncio.sleep(_LOOK_S)
        left -= _LOOK_S
