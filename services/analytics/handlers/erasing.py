"""A customer is forgotten: figures stay, and belong to nobody."""

from dataclasses import replace

from libs.contracts import ConversationOutcome, CustomerErased
from libs.primitives import derived_id_bytes
from libs.streams import Found, Received, erase
from services.analytics import publishing
from services.analytics.adapters import erasing, values
from services.analytics.context import AnalyticsContext
from services.analytics.domain.learning import forgotten
from services.analytics.handlers.declaration import Emitted, stream


@stream.on(CustomerErased, emits=[ConversationOutcome])
async def forget_customer(received: Received[CustomerErased], ctx: AnalyticsContext) -> Emitted:
    """Every outcome of theirs gets a revision without the person, once the batch has told all it knows of them."""
    customer_id = received.event.customer_id
    erase(ctx.uow, customer_id, lambda _: _forget(customer_id, received.event_id, ctx))
    return ()


async def _forget(customer_id: str, event_id: bytes, ctx: AnalyticsContext) -> Found:
    connection = ctx.uow.connection
    found = await erasing.conversations_of(connection, customer_id)
    await ctx.conversations.load(found)
    for conversation_id in found:
        row = ctx.conversations.get(conversation_id)
        if row is not None:
            standing = row.open_episode._replace(customer_id="") if row.open_episode else None
            ctx.conversations.put(replace(row, facts=forgotten(row.facts), open_episode=standing))
    episodes = await erasing.episodes_of(connection, customer_id)
    await ctx.episodes.load(episodes)
    await ctx.counter.load([values.FEED])
    feed = await erasing.blank_feed(connection, found, customer_id)
    for index, key in enumerate(episodes):
        event = publishing.without_customer(key, ctx)
        if event is not None:
            ctx.uow.emit_as(event, derived_id_bytes(event_id, b"erased", str(index).encode()))
    for rows in (ctx.conversations, ctx.episodes, ctx.counter, ctx.feed):
        await rows.save()
    counts = {
        "conversations": len(found),
        "episodes": len(episodes),
        "outcome_feed": feed,
        "persons": await erasing.delete_person(connection, customer_id),
    }
    return Found(counts, [f"{conversation_id}:{episode}" for conversation_id, episode in episodes])
