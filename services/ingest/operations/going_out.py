"""What goes out to a customer gets its way: the account and endpoint of its channel, or the reason why it cannot go."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from google.protobuf.message import Message

from libs.storage import Want
from services.ingest.context import IngestContext
from services.ingest.domain.budget import AutoReplies, day_of, spend
from services.ingest.domain.customers import new_identity
from services.ingest.domain.deliveries import Delivery, DeliveryState
from services.ingest.domain.model import PROVIDED, ChannelName, IdentityKey, Thread
from services.ingest.domain.templates import BadValues, fill
from services.ingest.domain.ways import Key, Way, choose, endpoints, ways
from services.ingest.operations.statuses import failed

_CARRIED: Final = PROVIDED | {ChannelName.MAIL}


def want_ways(thread: Thread | None, ctx: IngestContext) -> Iterator[Want]:
    """The rows that say by which channels a customer can be written to; their thread and customer are loaded."""
    if thread is None:
        return
    for key in endpoints(thread, ctx.customers.get(thread.customer_id), ctx.senders):
        yield ctx.identities.want(key)
        yield ctx.consents.want(key)
        yield ctx.auto_replies.want((*key, day_of(ctx.uow.now_ms)))


def ways_of(thread: Thread, ctx: IngestContext) -> list[Way]:
    """The ways to the customer of a thread, the one they last used first; `want_ways` are loaded."""
    keys = endpoints(thread, ctx.customers.get(thread.customer_id), ctx.senders)
    identities = {key: one for key in keys if (one := ctx.identities.get(key)) is not None}
    consents = {key: said for key in keys if (said := ctx.consents.get(key)) is not None}
    return ways(thread, keys, identities, consents, ctx.senders, ctx.uow.now_ms)


def put_out(delivery: Delivery, thread: Thread, ctx: IngestContext) -> list[Message]:
    """Puts a delivery on its way. One that cannot go has failed at once, so that its sender learns of it."""
    if delivery.channel not in _CARRIED:
        ctx.put_delivery(delivery)
        return []
    way = choose(delivery.channel, ways_of(thread, ctx))
    if way is None:
        reason = f"the customer has never written by {delivery.channel}: it is not known how"
        return _unreachable(delivery, reason, ctx)
    # A mail goes out by whichever mailbox there is: its sender chooses.
    free = way.channel == ChannelName.MAIL and way.consent != "withdrawn"
    if way.closed and not free and (way.barred or not delivery.template):
        return _unreachable(delivery, way.closed, ctx)
    delivery = replace(
        delivery,
        channel=way.channel,
        account=way.account,
        endpoint=way.endpoint,
        window_ends_at_ms=0 if delivery.template else way.ends_at_ms,
    )
    if fault := _template_fault(delivery, way):
        return _unreachable(delivery, fault, ctx)
    if delivery.automatic and (fault := spent(way.key, ctx)):
        return _unreachable(delivery, fault, ctx)
    point_at(way.key, thread, ctx)
    ctx.put_delivery(delivery)
    return []


def spent(key: Key, ctx: IngestContext) -> str:
    """Counts one more answer by machine to an endpoint; why it may not go, or empty. Its row of today is loaded."""
    day = day_of(ctx.uow.now_ms)
    known = ctx.auto_replies.get((*key, day)) or AutoReplies(*key, day, 0)
    changed, reason = spend(known, ctx.most_auto_replies)
    if changed != known:
        ctx.auto_replies.put(changed)
    return reason


def put_template(delivery: Delivery, name: str, language: str, values: Mapping[str, str]) -> Delivery:
    """A delivery that goes as a template; its values are checked when it gets its way."""
    return replace(
        delivery, template=name, template_language=language, template_values=tuple(sorted(values.items()))
    )


def _template_fault(delivery: Delivery, way: Way) -> str:
    if not delivery.template:
        return ""
    template = next(
        (one for one in way.templates if one.key == (delivery.template, delivery.template_language)), None
    )
    if template is None:
        return (
            f"account {way.account!r} of {way.channel} declares no template {delivery.template!r}"
            f" in {delivery.template_language!r}"
        )
    try:
        fill(template, dict(delivery.template_values))
    except BadValues as error:
        return str(error)
    return ""


def point_at(key: Key, thread: Thread, ctx: IngestContext) -> None:
    """What the customer answers by an endpoint goes on in the conversation that wrote to it."""
    channel, account, endpoint = key
    if channel not in PROVIDED:
        return
    known = ctx.identities.get(key) or new_identity(
        IdentityKey(channel, account, endpoint), thread.customer_id, False
    )
    if known.conversation_id != thread.conversation_id:
        ctx.identities.put(replace(known, conversation_id=thread.conversation_id))


def _unreachable(delivery: Delivery, reason: str, ctx: IngestContext) -> list[Message]:
    ctx.put_delivery(delivery.ended(DeliveryState.FAILED, reason, ctx.uow.now_ms))
    return [failed(delivery, reason, ctx.uow.now_ms)]
