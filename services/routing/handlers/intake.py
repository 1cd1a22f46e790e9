"""What happens elsewhere becomes commands of the pool, in whatever order it is heard of."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message as Event

from libs.contracts import (
    ConversationResolved,
    ConversationTriaged,
    EpisodeOpened,
    PoolCommand,
    ReplySent,
    StatusChanged,
)
from libs.storage import Want
from libs.streams import Received
from services.routing.adapters.contracts import STATUSES
from services.routing.adapters.rows import ALL, Arrival
from services.routing.context import IntakeContext
from services.routing.domain.commands import (
    Close,
    CustomerWrote,
    Enqueue,
    RecordReply,
    RecordStatus,
)
from services.routing.domain.territories import pool_of
from services.routing.handlers.arrivals import admit, reclassify, said_of, with_reply
from services.routing.handlers.customers import REOPENS, customer_of, experienced, served_by, standing_of
from services.routing.handlers.known import (
    OfConversation,
    arrival_of,
    command_id,
    put_early,
    send,
    touch,
    wanted,
)
from services.routing.handlers.stream import stream

_KEPT_DECISIONS = 20


def _admitting(event: OfConversation, ctx: IntakeContext) -> Iterable[Want]:
    return [ctx.arrivals.want(event.conversation_id), ctx.territories.want(ALL)]


def _customer(event: OfConversation, ctx: IntakeContext) -> Iterable[Want]:
    """The customer of a conversation that may be admitted, once the conversation is loaded."""
    known = ctx.arrivals.get(event.conversation_id)
    return [ctx.customers.want(known.customer_id)] if known and known.customer_id else []


def _opener(event: EpisodeOpened, ctx: IntakeContext) -> Iterable[Want]:
    return [*_admitting(event, ctx), *([ctx.customers.want(event.customer_id)] if event.customer_id else [])]


def _resolved(event: ConversationResolved, ctx: IntakeContext) -> Iterable[Want]:
    return [*wanted(event, ctx), *([ctx.customers.want(event.customer_id)] if event.customer_id else [])]


@stream.on(EpisodeOpened, emits=[PoolCommand], load=_opener)
async def open_episode(received: Received[EpisodeOpened], ctx: IntakeContext) -> Sequence[Event]:
    """An episode waits for a person as soon as its opening message is understood."""
    e = received.event
    known = arrival_of(e, ctx)
    if e.episode <= known.opened_episode:
        return []
    arrival = replace(
        known,
        opened_episode=e.episode,
        first_seq=e.first_seq,
        channel=e.channel,
        language=e.language,
        case_reference=e.case_reference,
        customer_id=e.customer_id,
        early={k: v for k, v in known.early.items() if k == str(e.episode)},
    )
    customer = customer_of(ctx, e.customer_id)
    # Made here, so that who learns of the tier meanwhile finds the row and waits for it.
    ctx.customers.put(customer)
    news: Sequence[Event] = []
    if e.episode > REOPENS:
        news = experienced(received, ctx, customer, f"reopen:{e.conversation_id}", e.opened_at_ms, "bad")
    return [*news, *_admit(received, ctx, arrival)]


@stream.on(ConversationTriaged, emits=[PoolCommand], load=(_admitting, _customer))
async def take_decision(received: Received[ConversationTriaged], ctx: IntakeContext) -> Sequence[Event]:
    """Of an opening message: enqueue. Of a later request: the urgency may rise."""
    e = received.event
    arrival = arrival_of(e, ctx)
    in_pool = arrival.enqueued_episode == arrival.opened_episode > 0
    if in_pool and e.message_seq <= arrival.first_seq:
        return []
    # Kept even while the episode is in the pool: the message may turn out to open the next one.
    triaged = {**arrival.triaged, str(e.message_seq): said_of(e)}
    for seq in sorted(triaged, key=int)[:-_KEPT_DECISIONS]:
        del triaged[seq]
    arrival = replace(arrival, triaged=triaged)
    if not in_pool or arrival.resolved_episode >= arrival.opened_episode:
        return _admit(received, ctx, arrival)
    ctx.arrivals.put(arrival)
    again = reclassify(arrival, [str(e.message_seq)], lambda part: command_id(received, part))
    if triaged[str(e.message_seq)]["request"]:
        wrote = CustomerWrote(
            command_id=command_id(received, "wrote"),
            conversation_id=arrival.conversation_id,
            episode=arrival.opened_episode,
            wrote_at_ms=e.received_at_ms,
            seq=e.message_seq,
        )
        again.append(wrote)
    return send(ctx, arrival, *again)


@stream.on(ReplySent, emits=[PoolCommand], load=wanted)
async def take_reply(received: Received[ReplySent], ctx: IntakeContext) -> Sequence[Event]:
    """A human reply meets the promise of a response; an automatic one only where the queue says so."""
    e = received.event
    arrival = arrival_of(e, ctx)
    if e.episode > arrival.enqueued_episode:
        put_early(ctx, arrival, e.episode, e.human_version, replies=with_reply(arrival, e))
        return []
    touch(ctx, arrival, e.human_version)
    return send(
        ctx,
        arrival,
        RecordReply(
            command_id=command_id(received, "reply"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            replied_at_ms=e.sent_at_ms,
            human_version=e.human_version,
            after_seq=e.after_seq,
            human=e.human,
            bot=e.bot,
        ),
    )


@stream.on(StatusChanged, emits=[PoolCommand], load=wanted)
async def take_status(received: Received[StatusChanged], ctx: IntakeContext) -> Sequence[Event]:
    """pending_customer pauses a clock. The end of an episode has an event of its own."""
    e = received.event
    status = STATUSES.get(e.status)
    if status is None:
        return []
    arrival = arrival_of(e, ctx)
    if e.episode > arrival.enqueued_episode:
        put_early(ctx, arrival, e.episode, e.human_version, status=status, status_at_ms=e.changed_at_ms)
        return []
    touch(ctx, arrival, e.human_version)
    return send(
        ctx,
        arrival,
        RecordStatus(
            command_id=command_id(received, "status"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            status=status,  # type: ignore[arg-type]  # one of the values of STATUSES
            changed_at_ms=e.changed_at_ms,
            human_version=e.human_version,
        ),
    )


@stream.on(ConversationResolved, emits=[PoolCommand], load=_resolved)
async def take_resolution(received: Received[ConversationResolved], ctx: IntakeContext) -> Sequence[Event]:
    """The episode leaves the pool; one that had not come in never will."""
    e = received.event
    arrival = arrival_of(e, ctx)
    if e.episode <= arrival.resolved_episode:
        return []
    served_by(ctx, e)
    ctx.arrivals.put(
        replace(
            arrival,
            resolved_episode=e.episode,
            triaged={seq: said for seq, said in arrival.triaged.items() if int(seq) > e.through_seq},
            early={},
            human_version=max(arrival.human_version, e.human_version),
        )
    )
    if e.episode > arrival.enqueued_episode:
        return []
    return send(
        ctx,
        arrival,
        Close(
            command_id=command_id(received, "close"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            closed_at_ms=e.resolved_at_ms,
            human_version=e.human_version,
        ),
    )


def _admit(received: Received[Any], ctx: IntakeContext, arrival: Arrival) -> Sequence[Event]:
    standing = standing_of(ctx, arrival.customer_id)
    after, commands = admit(arrival, lambda part: command_id(received, part), standing)
    first = commands[0] if commands else None
    if isinstance(first, Enqueue) and not after.pool_id:
        known = ctx.territories.get(ALL)
        asked = (first.topic, first.language, first.channel, first.queue_hint)
        after = replace(after, pool_id=pool_of(known.pools if known else (), ctx.pool_id, *asked))
    ctx.arrivals.put(after)
    return send(ctx, after, *commands)
