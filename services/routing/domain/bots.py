"""Conversations that a bot has: nobody's capacity, a deadline for the next thing said, and people at once when it ends.

It ends when the bot hands over, the deadline passes, a person acts, the customer asks for one, or a promise is broken.
From then on the episode is for people: TeamAssigned says so, and what a bot still sends no longer counts.
"""

from __future__ import annotations

from services.routing.domain import explain, sla
from services.routing.domain.affinity import hold_for_acquaintance
from services.routing.domain.commands import HandOff
from services.routing.domain.model import Item
from services.routing.domain.offers import announce
from services.routing.domain.overflow import entry, out_of_hours
from services.routing.domain.placement import enter_ring
from services.routing.domain.queue_policy import Queue
from services.routing.domain.state import Pool


def serves(queue: Queue) -> bool:
    """Whether bots answer in the queue."""
    return queue.bot.answer_ms > 0


def begin(pool: Pool, item: Item, cause: str, filter_index: int) -> None:
    """The bot has the new conversation."""
    item = item._replace(state="with_bot", bot_until_ms=pool.at_ms + pool.queue_of(item).bot.answer_ms)
    pool.put_item(item)
    facts = {"queue_id": item.queue_id, "filter": filter_index, "until_ms": item.bot_until_ms}
    record = explain.noted(pool, item, "with_bot", **facts)
    pool.explain(record)
    announce(pool, item, cause, record["decision_id"])


def said(pool: Pool, item: Item, *, by_bot: bool) -> Item:
    """The bot answered, and may idle; or the customer wrote, and waits for an answer."""
    if item.state != "with_bot":
        return item
    rules = pool.queue_of(item).bot
    return item._replace(bot_until_ms=pool.at_ms + (rules.idle_ms if by_bot else max(1, rules.answer_ms)))


def late(pool: Pool, item: Item) -> None:
    """The bot's time is over."""
    to_people(pool, item, "bot-silent")


def hand_off(pool: Pool, command: HandOff) -> None:
    """Ignored when no bot has the conversation any more."""
    item = pool.items.get(command.conversation_id)
    if item is not None and item.state == "with_bot" and item.episode == command.episode:
        to_people(pool, item, command.cause, command.by, command.reason)


def to_people(pool: Pool, item: Item, cause: str, by: str = "", reason: str = "") -> Item:
    """The conversation waits for a person: with its age, while rings count from now."""
    queue, _ = entry(pool, pool.queue_of(item))
    item = item._replace(
        state="waiting", bot_until_ms=0, waiting_since_ms=pool.at_ms, queue_id=queue.queue_id
    )
    sla.promise_again(pool, item)
    item = hold_for_acquaintance(pool, enter_ring(pool, pool.rekeyed(item)))
    pool.put_item(item)
    record = explain.noted(pool, item, "handed_off", why=cause, by=by, reason=reason, queue_id=item.queue_id)
    pool.explain(record)
    announce(pool, item, cause, record["decision_id"])
    out_of_hours(pool, item)
    pool.place_later(item.conversation_id, cause)
    return item
