"""What is heard of customers, and what they went through, moves their conversations.

A row is made when a customer's first episode opens, so that an episode and the news of its customer wait for each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from google.protobuf.message import Message as Event

from libs.contracts import (
    ConversationResolved,
    CustomerIdentified,
    PoolCommand,
    SurveyAnswered,
    SurveyRequested,
)
from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Due, Received
from services.routing.adapters.contracts import pool_command
from services.routing.adapters.rows import ALL, Arrival, Customer
from services.routing.context import IntakeContext
from services.routing.domain.acquaintance import Served, answer_name, avoided, preferred, remembered
from services.routing.domain.commands import KnowCustomer
from services.routing.domain.standing import Experience, Mood, debt_at, judged, noted
from services.routing.handlers.arrivals import Standing
from services.routing.handlers.stream import stream
from services.routing.pools import BREACHED

REOPENS: Final = 2
"""An episode with a higher number comes after the second reopen: a bad experience."""


def customer_of(ctx: IntakeContext, customer_id: str) -> Customer:
    """What is known of the customer; the row must have been loaded."""
    return (ctx.customers.get(customer_id) if customer_id else None) or Customer(customer_id)


def standing_of(ctx: IntakeContext, customer_id: str) -> Standing:
    """What the pool hears of the customer with a new episode."""
    customer, now_ms = customer_of(ctx, customer_id), ctx.uow.now_ms
    ledger, episodes = _ledger(customer), _episodes(customer)
    out = avoided(episodes, ledger, now_ms)
    return Standing(customer.tier, debt_at(ledger.values(), now_ms), preferred(episodes, now_ms, out), out)


def served_by(ctx: IntakeContext, event: ConversationResolved) -> None:
    """Remembers who ended an episode of the customer, who is not made known by it."""
    customer = ctx.customers.get(event.customer_id) if event.customer_id else None
    if customer is None or not event.resolved_by:
        return
    name = answer_name(event.conversation_id, event.episode)
    after = remembered(_episodes(customer), name, Served(event.resolved_by, event.resolved_at_ms))
    ctx.customers.put(replace(customer, served={one: list(served) for one, served in after.items()}))


def experienced(
    received: Received[Any] | Due, ctx: IntakeContext, customer: Customer, name: str, at_ms: int, mood: Mood
) -> Sequence[Event]:
    """Keeps one experience of the customer; the pool hears of it when it changes the debt."""
    before = _ledger(customer)
    after = (
        noted(before, name, Experience(at_ms, mood))
        if mood != "neither"
        else {other: one for other, one in before.items() if other != name}
    )
    return _keep(received, ctx, customer, replace(customer, ledger={n: list(e) for n, e in after.items()}))


@stream.on(
    CustomerIdentified,
    emits=[PoolCommand],
    load=lambda event, ctx: [ctx.customers.want(event.customer_id), ctx.territories.want(ALL)],
)
async def know_customer(received: Received[CustomerIdentified], ctx: IntakeContext) -> Sequence[Event]:
    """The name, for whoever is offered a conversation, and the tier that the operator's systems say: what the customer
    has in the pools is moved."""
    e = received.event
    customer = customer_of(ctx, e.customer_id)
    return _keep(received, ctx, customer, replace(customer, name=e.display_name, tier=e.tier))


def _conversation(event: SurveyRequested | SurveyAnswered, ctx: IntakeContext) -> Iterable[Want]:
    return [ctx.arrivals.want(event.conversation_id), ctx.territories.want(ALL)]


def _of_conversation(event: SurveyAnswered, ctx: IntakeContext) -> Iterable[Want]:
    known = ctx.arrivals.get(event.conversation_id)
    return [ctx.customers.want(known.customer_id)] if known and known.customer_id else []


@stream.on(SurveyRequested, load=_conversation)
async def know_who_is_asked(received: Received[SurveyRequested], ctx: IntakeContext) -> Sequence[Event]:
    """The answer names no customer, and may come before the episode is heard of."""
    e = received.event
    known = ctx.arrivals.get(e.conversation_id) or Arrival(e.conversation_id)
    if not known.customer_id:
        ctx.arrivals.put(replace(known, customer_id=e.customer_id))
    return []


@stream.on(SurveyAnswered, emits=[PoolCommand], load=(_conversation, _of_conversation))
async def take_answer(received: Received[SurveyAnswered], ctx: IntakeContext) -> Sequence[Event]:
    """A bad rating is a debt, a good one pays a little back; a later revision takes its place."""
    e = received.event
    known = ctx.arrivals.get(e.conversation_id)
    if known is None or not known.customer_id:
        return []
    name, mood = answer_name(e.conversation_id, e.episode), judged(e.score, e.scale_max)
    return experienced(received, ctx, customer_of(ctx, known.customer_id), name, e.answered_at_ms, mood)


@stream.timer(
    BREACHED,
    emits=[PoolCommand],
    load=lambda due, ctx: [ctx.customers.want(due.payload.decode()), ctx.territories.want(ALL)],
)
async def take_breach(due: Due, ctx: IntakeContext) -> Sequence[Event]:
    """A resolution that was promised and is late, as the engine has noticed it."""
    customer = customer_of(ctx, due.payload.decode())
    return experienced(due, ctx, customer, f"breach:{due.key}", due.due_at_ms, "bad")


def _ledger(customer: Customer) -> dict[str, Experience]:
    return {name: Experience(*entry) for name, entry in customer.ledger.items()}


def _episodes(customer: Customer) -> dict[str, Served]:
    return {name: Served(*entry) for name, entry in customer.served.items()}


def _keep(
    cause: Received[Any] | Due, ctx: IntakeContext, before: Customer, after: Customer
) -> Sequence[Event]:
    now_ms = ctx.uow.now_ms
    if after != before or ctx.customers.get(after.customer_id) is None:
        ctx.customers.put(after)
    tier, debt = after.tier, debt_at(_ledger(after).values(), now_ms)
    if (tier, debt) == (before.tier, debt_at(_ledger(before).values(), now_ms)):
        return []
    made_of = (cause.kind, cause.key) if isinstance(cause, Due) else (cause.event_id.hex(), "customer")
    command = KnowCustomer(
        command_id=derived_id(*made_of), customer_id=after.customer_id, tier=tier, debt=debt
    )
    known = ctx.territories.get(ALL)
    pools = [ctx.pool_id, *dict.fromkeys(t.pool_id for t in (known.pools if known else ()))]
    return [pool_command(p, replace(command, command_id=derived_id(command.command_id, p))) for p in pools]
