"""What happens elsewhere becomes commands of the pool, in whatever order it is heard of."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from google.protobuf.message import Message as Event

from libs.contracts import (
    CallBackRequested,
    ConversationResolved,
    ConversationTriaged,
    EpisodeOpened,
    HandoffRequested,
    PoolCommand,
    ReplySent,
    StatusChanged,
    TransferRequested,
)
from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Received
from services.routing.adapters.contracts import STATUSES, pool_command
from services.routing.adapters.rows import ALL, Arrival
from services.routing.context import IntakeContext
from services.routing.domain.commands import (
    Close,
    Command,
    CustomerWrote,
    Enqueue,
    HandOff,
    RecordReply,
    RecordStatus,
    Transfer,
)
from services.routing.domain.orders import CallBack
from services.routing.domain.territories import pool_of
from services.routing.handlers.arrivals import admit, early_of, reclassify, said_of, with_reply
from services.routing.handlers.customers import REOPENS, customer_of, experienced, served_by, standing_of
from services.routing.handlers.stream import stream

_KEPT_DECISIONS = 20


class _OfConversation(Protocol):
    conversation_id: str


def _wanted(event: _OfConversation, ctx: IntakeContext) -> Iterable[Want]:
    return [ctx.arrivals.want(event.conversation_id)]


def _admitting(event: _OfConversation, ctx: IntakeContext) -> Iterable[Want]:
    return [ctx.arrivals.want(event.conversation_id), ctx.territories.want(ALL)]


def _target(event: TransferRequested, ctx: IntakeContext) -> Iterable[Want]:
    kind = str(event.WhichOneof("target") or "queue_id")
    place = (kind.removesuffix("_id"), getattr(event, kind))
    return [ctx.arrivals.want(event.conversation_id), ctx.places.want(place)]


def _customer(event: _OfConversation, ctx: IntakeContext) -> Iterable[Want]:
    """The customer of a conversation that may be admitted, once the conversation is loaded."""
    known = ctx.arrivals.get(event.conversation_id)
    return [ctx.customers.want(known.customer_id)] if known and known.customer_id else []


def _opener(event: EpisodeOpened, ctx: IntakeContext) -> Iterable[Want]:
    return [*_admitting(event, ctx), *([ctx.customers.want(event.customer_id)] if event.customer_id else [])]


def _resolved(event: ConversationResolved, ctx: IntakeContext) -> Iterable[Want]:
    return [*_wanted(event, ctx), *([ctx.customers.want(event.customer_id)] if event.customer_id else [])]


def _arrival(event: _OfConversation, ctx: IntakeContext) -> Arrival:
    return ctx.arrivals.get(event.conversation_id) or Arrival(event.conversation_id)


def _id(received: Received[Any], part: str) -> str:
    return derived_id(received.event_id.hex(), part)


def _send(ctx: IntakeContext, arrival: Arrival, *commands: Command) -> Sequence[Event]:
    """To the pool that got the conversation; one that it has left passes it on."""
    return [pool_command(arrival.pool_id or ctx.pool_id, command) for command in commands]


@stream.on(EpisodeOpened, emits=[PoolCommand], load=_opener)
async def open_episode(received: Received[EpisodeOpened], ctx: IntakeContext) -> Sequence[Event]:
    """An episode waits for a person as soon as its opening message is understood."""
    e = received.event
    known = _arrival(e, ctx)
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
    arrival = _arrival(e, ctx)
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
    again = reclassify(arrival, [str(e.message_seq)], lambda part: _id(received, part))
    if triaged[str(e.message_seq)]["request"]:
        wrote = CustomerWrote(
            command_id=_id(received, "wrote"),
            conversation_id=arrival.conversation_id,
            episode=arrival.opened_episode,
            wrote_at_ms=e.received_at_ms,
            seq=e.message_seq,
        )
        again.append(wrote)
    return _send(ctx, arrival, *again)


@stream.on(ReplySent, emits=[PoolCommand], load=_wanted)
async def take_reply(received: Received[ReplySent], ctx: IntakeContext) -> Sequence[Event]:
    """A human reply meets the promise of a response; an automatic one only where the queue says so."""
    e = received.event
    arrival = _arrival(e, ctx)
    if e.episode > arrival.enqueued_episode:
        _put_early(ctx, arrival, e.episode, e.human_version, replies=with_reply(arrival, e))
        return []
    _touch(ctx, arrival, e.human_version)
    return _send(
        ctx,
        arrival,
        RecordReply(
            command_id=_id(received, "reply"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            replied_at_ms=e.sent_at_ms,
            human_version=e.human_version,
            after_seq=e.after_seq,
            human=e.human,
            bot=e.bot,
        ),
    )


@stream.on(HandoffRequested, emits=[PoolCommand], load=_wanted)
async def take_handoff(received: Received[HandoffRequested], ctx: IntakeContext) -> Sequence[Event]:
    """People shall have it: from the bot that gives up, or by a person who takes it."""
    e = received.event
    arrival = _arrival(e, ctx)
    if e.episode > arrival.enqueued_episode:
        _put_early(ctx, arrival, e.episode, e.human_version, handoff=e.reason)
        return []
    _touch(ctx, arrival, e.human_version)
    return _send(
        ctx,
        arrival,
        HandOff(
            command_id=_id(received, "hand-off"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            cause="bot-handed-over",
            by=e.requested_by,
            reason=e.reason,
        ),
    )


@stream.on(StatusChanged, emits=[PoolCommand], load=_wanted)
async def take_status(received: Received[StatusChanged], ctx: IntakeContext) -> Sequence[Event]:
    """pending_customer pauses a clock. The end of an episode has an event of its own."""
    e = received.event
    status = STATUSES.get(e.status)
    if status is None:
        return []
    arrival = _arrival(e, ctx)
    if e.episode > arrival.enqueued_episode:
        _put_early(ctx, arrival, e.episode, e.human_version, status=status, status_at_ms=e.changed_at_ms)
        return []
    _touch(ctx, arrival, e.human_version)
    return _send(
        ctx,
        arrival,
        RecordStatus(
            command_id=_id(received, "status"),
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
    arrival = _arrival(e, ctx)
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
    return _send(
        ctx,
        arrival,
        Close(
            command_id=_id(received, "close"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            closed_at_ms=e.resolved_at_ms,
            human_version=e.human_version,
        ),
    )


@stream.on(TransferRequested, emits=[PoolCommand], load=_target)
async def take_transfer(received: Received[TransferRequested], ctx: IntakeContext) -> Sequence[Event]:
    """Whoever may write in a conversation may hand it over."""
    e = received.event
    arrival = _arrival(e, ctx)
    _touch(ctx, arrival, e.human_version)
    kind = str(e.WhichOneof("target") or "queue_id")
    place = ctx.places.get((kind.removesuffix("_id"), getattr(e, kind)))
    return _send(
        ctx,
        arrival,
        Transfer(
            command_id=_id(received, "transfer"),
            conversation_id=e.conversation_id,
            agent_id="",
            to_queue=e.queue_id,
            to_team=e.team_id,
            to_agent=e.agent_id,
            reason="requested",
            requested_by=e.requested_by,
            to_pool=place.pool_id if place else "",
        ),
    )


@stream.on(CallBackRequested, emits=[PoolCommand], load=_wanted)
async def take_wish(received: Received[CallBackRequested], ctx: IntakeContext) -> Sequence[Event]:
    """The customer goes and is called; a queue that does not do that refuses, and the audit says so."""
    command = CallBack(
        command_id=_id(received, "call-back"),
        by="customer",
        reason=f"asked for in message {received.event.message_seq}",
        conversation_id=received.event.conversation_id,
    )
    return _send(ctx, _arrival(received.event, ctx), command)


def _put_early(ctx: IntakeContext, arrival: Arrival, episode: int, human_version: int, **facts: Any) -> None:
    early = {**arrival.early, str(episode): {**early_of(arrival, episode), **facts}}
    ctx.arrivals.put(replace(arrival, early=early, human_version=max(arrival.human_version, human_version)))


def _touch(ctx: IntakeContext, arrival: Arrival, human_version: int) -> None:
    if human_version > arrival.human_version:
        ctx.arrivals.put(replace(arrival, human_version=human_version))


def _admit(received: Received[Any], ctx: IntakeContext, arrival: Arrival) -> Sequence[Event]:
    standing = standing_of(ctx, arrival.customer_id)
    after, commands = admit(arrival, lambda part: _id(received, part), standing)
    first = commands[0] if commands else None
    if isinstance(first, Enqueue) and not after.pool_id:
        known = ctx.territories.get(ALL)
        asked = (first.topic, first.language, first.channel, first.queue_hint)
        after = replace(after, pool_id=pool_of(known.pools if known else (), ctx.pool_id, *asked))
    ctx.arrivals.put(after)
    return _send(ctx, after, *commands)
