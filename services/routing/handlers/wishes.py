"""What people ask for becomes commands of the pool: somebody else, a person instead of the bot, a call."""

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message as Event

from libs.contracts import (
    CallBackRequested,
    HandoffRequested,
    PoolCommand,
    TransferRequested,
)
from libs.storage import Want
from libs.streams import Received
from services.routing.context import IntakeContext
from services.routing.domain.commands import HandOff, Transfer
from services.routing.domain.orders import CallBack
from services.routing.handlers.known import arrival_of, command_id, put_early, send, touch, wanted
from services.routing.handlers.stream import stream


def _target(event: TransferRequested, ctx: IntakeContext) -> Iterable[Want]:
    kind = str(event.WhichOneof("target") or "queue_id")
    place = (kind.removesuffix("_id"), getattr(event, kind))
    return [ctx.arrivals.want(event.conversation_id), ctx.places.want(place)]


@stream.on(HandoffRequested, emits=[PoolCommand], load=wanted)
async def take_handoff(received: Received[HandoffRequested], ctx: IntakeContext) -> Sequence[Event]:
    """People shall have it: from the bot that gives up, or by a person who takes it."""
    e = received.event
    arrival = arrival_of(e, ctx)
    if e.episode > arrival.enqueued_episode:
        put_early(ctx, arrival, e.episode, e.human_version, handoff=e.reason)
        return []
    touch(ctx, arrival, e.human_version)
    return send(
        ctx,
        arrival,
        HandOff(
            command_id=command_id(received, "hand-off"),
            conversation_id=e.conversation_id,
            episode=e.episode,
            cause="bot-handed-over",
            by=e.requested_by,
            reason=e.reason,
        ),
    )


@stream.on(TransferRequested, emits=[PoolCommand], load=_target)
async def take_transfer(received: Received[TransferRequested], ctx: IntakeContext) -> Sequence[Event]:
    """Whoever may write in a conversation may hand it over."""
    e = received.event
    arrival = arrival_of(e, ctx)
    touch(ctx, arrival, e.human_version)
    kind = str(e.WhichOneof("target") or "queue_id")
    place = ctx.places.get((kind.removesuffix("_id"), getattr(e, kind)))
    return send(
        ctx,
        arrival,
        Transfer(
            command_id=command_id(received, "transfer"),
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


@stream.on(CallBackRequested, emits=[PoolCommand], load=wanted)
async def take_wish(received: Received[CallBackRequested], ctx: IntakeContext) -> Sequence[Event]:
    """The customer goes and is called; a queue that does not do that refuses, and the audit says so."""
    command = CallBack(
        command_id=command_id(received, "call-back"),
        by="customer",
        reason=f"asked for in message {received.event.message_seq}",
        conversation_id=received.event.conversation_id,
    )
    return send(ctx, arrival_of(received.event, ctx), command)
