"""What a provider tells of a message of ours, in any order, becomes what is known of its delivery."""

from collections.abc import Iterator
from dataclasses import replace

from google.protobuf.message import Message

from libs.contracts import DeliveryFailed, MessageDelivered, PayloadAccepted
from libs.storage import Want
from services.ingest.adapters.desk import Prepared, news_id
from services.ingest.adapters.wire import CHANNELS
from services.ingest.context import IngestContext
from services.ingest.domain.channels import ProviderStatus, StatusNews, further
from services.ingest.domain.deliveries import Delivery, DeliveryState, ProviderMessage
from services.ingest.domain.model import ChannelName

_ARRIVED = frozenset({ProviderStatus.DELIVERED, ProviderStatus.READ})


def want_rows(event: PayloadAccepted, ctx: IngestContext) -> Iterator[Want]:
    """The rows of the provider's ids."""
    prepared = ctx.prepared[event.raw_id]
    for news in prepared.news:
        yield ctx.provider_messages.want((prepared.channel, prepared.account, news_id(news)))


def want_deliveries(event: PayloadAccepted, ctx: IngestContext) -> Iterator[Want]:
    """The deliveries that are known by these ids."""
    prepared = ctx.prepared[event.raw_id]
    for news in prepared.news:
        row = ctx.provider_messages.get((prepared.channel, prepared.account, news_id(news)))
        if row is not None and row.delivery_id:
            yield ctx.deliveries.want(row.delivery_id)


def apply_news(prepared: Prepared, ctx: IngestContext) -> list[Message]:
    """Keeps the furthest status of each message."""
    events: list[Message] = []
    for news in prepared.news:
        row = ctx.provider_messages.get((prepared.channel, prepared.account, news_id(news)))
        assert row is not None, "it was made before the batch"
        events += _apply(news, row, ctx)
    return events


def _apply(news: StatusNews, row: ProviderMessage, ctx: IngestContext) -> list[Message]:
    if not news.provider_id:
        if news.through_ms > row.at_ms:
            ctx.provider_messages.put(replace(row, status=news.status, at_ms=news.through_ms))
        return []
    if not further(row.status, news.status):
        return []
    row = replace(row, status=news.status, reason=news.reason, at_ms=ctx.uow.now_ms)
    ctx.provider_messages.put(row)
    delivery = ctx.deliveries.get(row.delivery_id) if row.delivery_id else None
    if delivery is None:
        return []
    changed, events = with_status(delivery, row, ctx.uow.now_ms)
    ctx.deliveries.put(changed)
    return events


def with_status(delivery: Delivery, row: ProviderMessage, now_ms: int) -> tuple[Delivery, list[Message]]:
    """A delivery that the provider has taken, with what it says of it now, and the event if that changes its end."""
    delivery = replace(delivery, status=row.status)
    if row.status == ProviderStatus.FAILED and delivery.state == DeliveryState.DELIVERED:
        reason = row.reason or "the provider could not deliver it"
        return delivery.ended(DeliveryState.FAILED, reason, now_ms), [failed(delivery, reason, now_ms)]
    if row.status in _ARRIVED and delivery.state == DeliveryState.FAILED:
        return delivery.ended(DeliveryState.DELIVERED, "", now_ms), [delivered(delivery, now_ms)]
    return delivery, []


def delivered(delivery: Delivery, now_ms: int) -> MessageDelivered:
    """The event of a delivery that has gone out."""
    return MessageDelivered(
        delivery_id=delivery.delivery_id,
        conversation_id=delivery.conversation_id,
        source_id=delivery.source_id,
        channel=CHANNELS[ChannelName(delivery.channel)],
        delivered_at_ms=now_ms,
        attempts=delivery.attempts,
        possibly_twice=delivery.possibly_twice,
    )


def failed(delivery: Delivery, reason: str, now_ms: int) -> DeliveryFailed:
    """The event of a delivery that will not go out by itself any more."""
    return DeliveryFailed(
        delivery_id=delivery.delivery_id,
        conversation_id=delivery.conversation_id,
        source_id=delivery.source_id,
        channel=CHANNELS[ChannelName(delivery.channel)],
        failed_at_ms=now_ms,
        attempts=delivery.attempts,
        reason=reason,
    )
