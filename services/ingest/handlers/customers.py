"""What ingest makes of news of a customer: who else may be the same person."""

from collections.abc import Iterator, Sequence
from typing import Final

from google.protobuf.message import Message

from libs.contracts import CustomerIdentified, CustomersLinked
from libs.storage import Want
from libs.streams import Received, StreamRouter
from services.ingest.domain.merging import handles_of
from services.ingest.operations.people import PeopleContext, pair_id, want_members, want_memberships
from services.ingest.operations.proposing import others_of, propose

people: Final = StreamRouter[PeopleContext](group="ingest-people")


def _customer(event: CustomerIdentified, ctx: PeopleContext) -> Iterator[Want]:
    yield ctx.customers.want(event.customer_id)


def _handles(event: CustomerIdentified, ctx: PeopleContext) -> Iterator[Want]:
    customer = ctx.customers.get(event.customer_id)
    for handle in handles_of(customer) if customer else ():
        yield ctx.handles.want(handle)


def _pairs(event: CustomerIdentified, ctx: PeopleContext) -> Iterator[Want]:
    yield from want_memberships([event.customer_id, *_others(event, ctx)], ctx)
    for other in _others(event, ctx):
        yield ctx.proposals.want(pair_id(event.customer_id, other))


def _members(event: CustomerIdentified, ctx: PeopleContext) -> Iterator[Want]:
    yield from want_members([event.customer_id, *_others(event, ctx)], ctx)


def _others(event: CustomerIdentified, ctx: PeopleContext) -> list[str]:
    customer = ctx.customers.get(event.customer_id)
    return others_of(customer, ctx) if customer else []


@people.on(CustomerIdentified, emits=[CustomersLinked], load=[_customer, _handles, _pairs, _members])
async def look_for_the_same_person(
    received: Received[CustomerIdentified], ctx: PeopleContext
) -> Sequence[Message]:
    customer = ctx.customers.get(received.event.customer_id)
    return propose(customer, ctx) if customer else []
