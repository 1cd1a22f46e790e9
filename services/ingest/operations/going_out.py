"""What goes out to a customer gets its way: the account and endpoint of its channel, or the reason why it cannot go."""

from dataclasses import replace

from google.protobuf.message import Message

from services.ingest.context import IngestContext
from services.ingest.domain.deliveries import Delivery, DeliveryState
from services.ingest.domain.model import PROVIDED, ChannelName, Thread
from services.ingest.domain.ways import choose, endpoints, way_of
from services.ingest.operations.statuses import failed


def put_out(delivery: Delivery, thread: Thread, ctx: IngestContext) -> list[Message]:
    """Puts a delivery on its way. One that cannot go has failed at once, so that its sender learns of it."""
    if delivery.channel not in PROVIDED:
        ctx.put_delivery(delivery)
        return []
    channel = ChannelName(delivery.channel)
    chosen = choose(channel, endpoints(thread, ctx.customers.get(thread.customer_id)), ctx.sms_account)
    if chosen is None:
        return _unreachable(
            delivery, f"the customer has never written by {channel}: it is not known how", ctx
        )
    account, endpoint = chosen
    known = (channel.value, account, endpoint)
    identity = ctx.identities.get(known) if channel in _WITH_WINDOW else None
    way = way_of(channel, account, endpoint, identity, ctx.uow.now_ms)
    delivery = replace(delivery, account=account, endpoint=endpoint, window_ends_at_ms=way.ends_at_ms)
    if way.closed:
        return _unreachable(delivery, way.closed, ctx)
    ctx.put_delivery(delivery)
    return []


_WITH_WINDOW = frozenset({ChannelName.WHATSAPP, ChannelName.MESSENGER, ChannelName.INSTAGRAM})


def _unreachable(delivery: Delivery, reason: str, ctx: IngestContext) -> list[Message]:
    ctx.put_delivery(delivery.ended(DeliveryState.FAILED, reason, ctx.uow.now_ms))
    return [failed(delivery, reason, ctx.uow.now_ms)]
