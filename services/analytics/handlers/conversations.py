"""The life of episodes: `agent.conversations.v1`."""

from libs.contracts import (
    ConversationCorrected,
    ConversationResolved,
    EpisodeOpened,
    ReplySent,
    Status,
    StatusChanged,
    TransferRequested,
)
from libs.storage import Want
from libs.streams import Received, without_person
from services.analytics.context import AnalyticsContext
from services.analytics.domain import learning
from services.analytics.handlers.declaration import Emitted, episode_of, row, stream

_STATUSES = {
    Status.STATUS_OPEN: "open",
    Status.STATUS_PENDING_CUSTOMER: "pending_customer",
    Status.STATUS_ON_HOLD: "on_hold",
    Status.STATUS_SNOOZED: "snoozed",
    Status.STATUS_RESOLVED: "resolved",
}


def _row_and_erasure(event: EpisodeOpened, ctx: AnalyticsContext) -> list[Want]:
    return [*row(event, ctx), ctx.erasures.want(event.customer_id)]


@stream.on(EpisodeOpened, load=_row_and_erasure)
async def note_opening(received: Received[EpisodeOpened], ctx: AnalyticsContext) -> Emitted:
    e, episode = without_person(received.event, ctx.erasures), episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.opened(
            f,
            episode,
            e.opened_at_ms,
            e.first_seq,
            customer_id=e.customer_id,
            channel=e.channel,
            language=e.language,
            case_reference=e.case_reference,
        ),
        shows=True,
    )
    return ()


@stream.on(ReplySent, load=row)
async def note_reply(received: Received[ReplySent], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.replied(f, episode, e.sent_at_ms, e.human),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(StatusChanged, load=row)
async def note_status(received: Received[StatusChanged], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    status = _STATUSES.get(e.status, "open")
    ctx.learn(
        e.conversation_id,
        lambda f: learning.status_changed(f, episode, status, e.changed_at_ms),
        episode=episode,
    )
    return ()


@stream.on(ConversationCorrected, load=row)
async def note_correction(received: Received[ConversationCorrected], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    if e.field == "topic":
        ctx.learn(e.conversation_id, lambda f: learning.topic_corrected(f, e.value), shows=True)
    return ()


@stream.on(TransferRequested, load=row)
async def note_transfer(received: Received[TransferRequested], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(e.conversation_id, lambda f: learning.transfer_requested(f, episode), episode=episode)
    return ()


@stream.on(ConversationResolved, load=row)
async def note_resolution(received: Received[ConversationResolved], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.resolved(f, episode, e.resolved_at_ms, e.through_seq, e.resolved_by, e.reason),
        shows=True,
    )
    return ()
