"""Queues, people and promises: `routing.assignments.v1`."""

from collections.abc import Callable
from dataclasses import replace

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
from libs.storage import Want
from libs.streams import Received, Reject
from services.analytics.context import AnalyticsContext
from services.analytics.domain import learning, promises
from services.analytics.domain.promises import Promise
from services.analytics.handlers.declaration import Emitted, episode_of, row, stream

_METRICS = {
    SlaMetric.SLA_METRIC_FIRST_RESPONSE: "first_response",
    SlaMetric.SLA_METRIC_RESOLUTION: "resolution",
    SlaMetric.SLA_METRIC_NEXT_RESPONSE: "next_response",
    SlaMetric.SLA_METRIC_UPDATE: "update",
    SlaMetric.SLA_METRIC_AGENT_WORK: "agent_work",
    SlaMetric.SLA_METRIC_TOTAL_RESOLUTION: "total_resolution",
}


_Sla = SlaStarted | SlaBreached | SlaMet | SlaCancelled


def _with_promise(event: _Sla, ctx: AnalyticsContext) -> list[Want]:
    """The row of the conversation, and that of the promise."""
    return [
        *row(event, ctx),
        ctx.promises.want((event.conversation_id, _METRICS.get(event.metric, ""), event.instance)),
    ]


def _promise(event: _Sla, ctx: AnalyticsContext, change: Callable[[Promise], Promise]) -> None:
    key = (event.conversation_id, _metric(event), event.instance)
    known = ctx.promises.get(key) or Promise(*key)
    if isinstance(event, SlaCancelled):
        ctx.promises.put(change(replace(known, episode=known.episode or event.episode)))
        return
    place = (event.team_id, event.queue_id, event.urgency)
    ctx.promises.put(change(promises.placed(known, event.episode, *place)))


def _metric(event: _Sla) -> str:
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


@stream.on(SlaStarted, load=_with_promise)
async def note_clock(received: Received[SlaStarted], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    _promise(e, ctx, lambda p: promises.started(p, e.due_at_ms))
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_started(f, episode, metric, e.instance, e.due_at_ms),
        episode=episode,
    )
    return ()


@stream.on(SlaBreached, load=_with_promise)
async def note_breach(received: Received[SlaBreached], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    _promise(e, ctx, lambda p: promises.breached(p, e.due_at_ms))
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_breached(f, episode, metric, e.instance, e.due_at_ms),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(SlaMet, load=_with_promise)
async def note_promise_kept(received: Received[SlaMet], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    _promise(e, ctx, lambda p: promises.met(p, e.due_at_ms, e.met_at_ms, e.in_time))
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_met(f, episode, metric, e.instance, e.met_at_ms, e.elapsed_ms),
        episode=episode,
        shows=True,
    )
    return ()


@stream.on(SlaCancelled, load=_with_promise)
async def note_promise_dropped(received: Received[SlaCancelled], ctx: AnalyticsContext) -> Emitted:
    e, episode, metric = received.event, episode_of(received.event), _metric(received.event)
    _promise(e, ctx, promises.cancelled)
    ctx.learn(
        e.conversation_id,
        lambda f: learning.clock_cancelled(f, episode, metric, e.instance),
        episode=episode,
    )
    return ()
