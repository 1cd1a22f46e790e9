"""A customer is forgotten."""

from collections.abc import Sequence
from functools import partial

from google.protobuf.message import Message as Event

from libs.contracts import CustomerErased
from libs.streams import Received, erase
from services.routing.adapters.erasing import forget
from services.routing.context import IntakeContext
from services.routing.handlers.stream import stream


@stream.on(CustomerErased)
async def forget_customer(received: Received[CustomerErased], ctx: IntakeContext) -> Sequence[Event]:
    customer_id = received.event.customer_id
    erase(ctx.uow, customer_id, partial(forget, customer_id=customer_id))
    return []
