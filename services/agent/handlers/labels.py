"""Names: of customers and who of them is one person as ingest knows it, of teams and people as routing knows them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from google.protobuf.message import Message as Event

from libs.contracts import (
    ConsentChanged,
    ConsentState,
    CustomerIdentified,
    CustomersLinked,
    CustomersUnlinked,
    PersonChanged,
    TeamChanged,
)
from libs.storage import Want
from libs.streams import Received
from services.agent.adapters.rows import Customer, Person, Personhood, Team
from services.agent.context import AgentContext
from services.agent.handlers.stream import stream


def _customer(event: CustomerIdentified, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.customers.want(event.customer_id), ctx.erasures.want(event.customer_id)]


@stream.on(CustomerIdentified, load=_customer)
async def keep_customer(received: Received[CustomerIdentified], ctx: AgentContext) -> Sequence[Event]:
    """The newest word on a customer; since when they are known never moves forward."""
    e = received.event
    if ctx.erasures.get(e.customer_id) is not None:
        return []
    known = ctx.customers.get(e.customer_id)
    identities = [
        {
            "channel": identity.channel,
            "account": identity.account,
            "external_id": identity.external_id,
            "verified": identity.verified,
        }
        for identity in e.identities
    ]
    since = min(known.first_seen_at_ms, e.first_seen_at_ms) if known else e.first_seen_at_ms
    consents = known.consents if known else []
    ctx.customers.put(
        Customer(
            e.customer_id,
            e.display_name,
            e.language,
            e.tier,
            since,
            identities,
            consents,
            dict(e.attributes),
        )
    )
    return []


@stream.on(ConsentChanged, load=lambda event, ctx: [ctx.customers.want(event.customer_id)])
async def keep_consent(received: Received[ConsentChanged], ctx: AgentContext) -> Sequence[Event]:
    """The newest word on each endpoint of a customer."""
    e = received.event
    known = ctx.customers.get(e.customer_id) or Customer(
        e.customer_id, "", "", "", e.changed_at_ms, [], [], {}
    )
    endpoint = {"channel": e.channel, "account": e.account, "external_id": e.external_id}
    others = [one for one in known.consents if not endpoint.items() <= one.items()]
    consent = {
        **endpoint,
        "state": "given" if e.state == ConsentState.CONSENT_STATE_GIVEN else "withdrawn",
        "source": e.source,
        "evidence": e.evidence,
        "at_ms": e.changed_at_ms,
    }
    ctx.customers.put(replace(known, consents=[*others, consent]))
    return []


def _persons(event: CustomersLinked | CustomersUnlinked, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.persons.want(id_) for person in event.persons for id_ in person.customer_ids]


@stream.on(CustomersLinked, load=_persons)
async def join_customers(received: Received[CustomersLinked], ctx: AgentContext) -> Sequence[Event]:
    _keep_persons(received.event, ctx)
    return []


@stream.on(CustomersUnlinked, load=_persons)
async def separate_customers(received: Received[CustomersUnlinked], ctx: AgentContext) -> Sequence[Event]:
    _keep_persons(received.event, ctx)
    return []


def _keep_persons(event: CustomersLinked | CustomersUnlinked, ctx: AgentContext) -> None:
    """The newest word on who each customer is, in whatever order words come."""
    for person in event.persons:
        for customer_id in person.customer_ids:
            known = ctx.persons.get(customer_id)
            if known is None or known.version < event.version:
                ctx.persons.put(Personhood(customer_id, person.person_id, event.version))


@stream.on(TeamChanged, load=lambda event, ctx: [ctx.teams.want(event.team_id)])
async def keep_team(received: Received[TeamChanged], ctx: AgentContext) -> Sequence[Event]:
    """The newest row of a team."""
    e = received.event
    known = ctx.teams.get(e.team_id)
    if known is None or known.version <= e.version:
        ctx.teams.put(Team(e.team_id, e.name, e.removed, e.version))
    return []


@stream.on(PersonChanged, load=lambda event, ctx: [ctx.people.want(event.person_id)])
async def keep_person(received: Received[PersonChanged], ctx: AgentContext) -> Sequence[Event]:
    """The newest row of a person."""
    e = received.event
    known = ctx.people.get(e.person_id)
    if known is None or known.version <= e.version:
        ctx.people.put(Person(e.person_id, e.name, list(e.team_ids), list(e.languages), e.removed, e.version))
    return []
