"""Queues, people and promises: `routing.assignments.v1`."""

from libs.contracts import (
    AgentAssigned,
    AgentOffered,
    OfferClosed,
    OfferOutcome,
    SlaBreached,
    SlaCancelled,
    SlaMet,
    SlaMetric,
    SlaStarted,
    TeamAssigned,
)
from libs.streams import Received, Reject
from services.analytics.context import AnalyticsContext
from services.analytics.domain import learning
from services.analytics.handlers.declaration import Emitted, episode_of, row, stream

_METRICS = {
    SlaMetric.SLA_METRIC_FIRST_RESPONSE: "first_response",
    SlaMetric.SLA_METRIC_RESOLUTION: "resolution",
}


def _metric(event: SlaStarted | SlaBreached | SlaMet | SlaCancelled) -> str:
    if event.metric not in _METRICS:
        raise Reject(f"{type(event).__name__}.metric is {event.metric}, expected one of {sorted(_METRICS)}")
    return _METRICS[event.metric]


@stream.on(TeamAssigned, load=row)
async def note_team(received: Received[TeamAssigned], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.team_assigned(f, episode, e.team_id),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(AgentOffered, load=row)
async def note_offer(received: Received[AgentOffered], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(e.conversation_id, lambda f: learning.offered(f, episode), episode=episode)
    return ()


@stream.on(OfferClosed, load=row)
async def note_missed_offer(received: Received[OfferClosed], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    if e.outcome == OfferOutcome.OFFER_OUTCOME_EXPIRED:
        ctx.learn(e.conversation_id, lambda f: learning.offer_missed(f, episode), episode=episode)
    return ()


@stream.on(AgentAssigned, load=row)
async def note_assignment(received: Received[AgentAssigned], ctx: AnalyticsContext) -> Emitted:
    e, episode = received.event, episode_of(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.agent_assigned(f, episode, e.agent_id, e.team_id, e.assigned_at_ms),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(SlaStarted, load=row)
async def note_clock(received: Received[SlaStarted], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_started(f, episode, metric, e.instance, e.due_at_ms),
        episode=episode,
    )
    return ()


@stream.on(SlaBreached, load=row)
async def note_breach(received: Received[SlaBreached], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_breached(f, episode, metric, e.instance, e.due_at_ms),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(SlaMet, load=row)
async def note_promise_kept(received: Received[SlaMet], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_met(f, episode, metric, e.instance, e.met_at_ms, e.elapsed_ms),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(SlaCancelled, load=row)
async def note_promise_dropped(received: Received[SlaCancelled], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_cancelled(f, episode, metric, e.instance),
        episode=episode,
    )
    return ()
