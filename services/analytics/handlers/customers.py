"""Who is one person, so that figures count people: `ingest.customers.v1`."""

from libs.contracts import CustomersLinked, CustomersUnlinked
from libs.storage import Want
from libs.streams import Received
from services.analytics.adapters.values import Person
from services.analytics.context import AnalyticsContext
from services.analytics.handlers.declaration import Emitted, stream


def _persons(event: CustomersLinked | CustomersUnlinked, ctx: AnalyticsContext) -> list[Want]:
    return [ctx.persons.want(id_) for person in event.persons for id_ in person.customer_ids]


@stream.on(CustomersLinked, load=_persons)
async def join_customers(received: Received[CustomersLinked], ctx: AnalyticsContext) -> Emitted:
    return _keep(received.event, ctx)


@stream.on(CustomersUnlinked, load=_persons)
async def separate_customers(received: Received[CustomersUnlinked], ctx: AnalyticsContext) -> Emitted:
    return _keep(received.event, ctx)


def _keep(event: CustomersLinked | CustomersUnlinked, ctx: AnalyticsContext) -> Emitted:
    """The newest word on who each customer is, in whatever order words come."""
    for person in event.persons:
        for customer_id in person.customer_ids:
            known = ctx.persons.get(customer_id)
            if known is None or known.version < event.version:
                ctx.persons.put(Person(customer_id, person.person_id, event.version))
    return ()
