"""Promises on the wire: each step of a clock as the event that is published."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from libs.contracts import (
    SlaBreached,
    SlaCancelled,
    SlaEscalated,
    SlaMet,
    SlaMetric,
    SlaStarted,
    SlaWarned,
)
from services.routing.domain import events
from services.routing.domain.engine import Engine
from services.routing.domain.model import Clock
from services.routing.domain.state import Step

_METRICS = {
    "first_response": SlaMetric.SLA_METRIC_FIRST_RESPONSE,
    "resolution": SlaMetric.SLA_METRIC_RESOLUTION,
    "next_response": SlaMetric.SLA_METRIC_NEXT_RESPONSE,
    "update": SlaMetric.SLA_METRIC_UPDATE,
    "agent_work": SlaMetric.SLA_METRIC_AGENT_WORK,
    "total_resolution": SlaMetric.SLA_METRIC_TOTAL_RESOLUTION,
}


def team_of(engine: Engine, queue_id: str) -> str:
    """The team of a queue; empty for one that is gone."""
    queue = engine.pool.directory.queue_by_id.get(queue_id)
    return queue.team_id if queue else ""


def _sla_head(e: Any, engine: Engine) -> dict[str, Any]:
    item = engine.pool.items.get(e.conversation_id)
    return {
        "conversation_id": e.conversation_id,
        "episode": item.episode if item else 0,
        "metric": _METRICS[e.metric],
        "instance": e.instance,
    }


def _sla_place(e: Any, engine: Engine) -> dict[str, Any]:
    """Where the conversation is, and its class: what attainment is counted by."""
    item = engine.pool.items.get(e.conversation_id)
    if item is None:
        return {}
    return {
        "team_id": team_of(engine, item.queue_id),
        "queue_id": item.queue_id,
        "urgency": item.urgency,
    }


def _clock(e: Any, step: Step) -> Clock | None:
    return step.clocks.get((e.conversation_id, e.metric, e.instance))


def _sla_started(e: events.SlaStarted, engine: Engine, step: Step) -> Message:
    clock = _clock(e, step)
    return SlaStarted(
        **_sla_head(e, engine),
        started_at_ms=clock.started_at_ms if clock else step.at_ms,
        due_at_ms=e.due_ms,
        target_ms=e.target_ms,
        policy_version=str(engine.pool.directory.version),
        **_sla_place(e, engine),
    )


def _sla_warned(e: events.SlaWarned, engine: Engine, step: Step) -> Message:
    head = _sla_head(e, engine)
    item = engine.pool.items.get(e.conversation_id)
    percent = engine.pool.queue_of(item).sla.warn_percent if item else 0
    return SlaWarned(**head, warned_at_ms=step.at_ms, due_at_ms=e.due_ms, percent=percent)


def _sla_breached(e: events.SlaBreached, engine: Engine, step: Step) -> Message:
    return SlaBreached(**_sla_head(e, engine), due_at_ms=e.due_ms, **_sla_place(e, engine))


def _sla_met(e: events.SlaMet, engine: Engine, step: Step) -> Message:
    clock = _clock(e, step)
    elapsed_ms = clock.consumed_ms if clock else 0
    return SlaMet(
        **_sla_head(e, engine),
        met_at_ms=e.fulfilled_at_ms,
        elapsed_ms=elapsed_ms,
        due_at_ms=e.due_ms,
        in_time=e.in_time,
        **_sla_place(e, engine),
    )


def _sla_cancelled(e: events.SlaCancelled, engine: Engine, step: Step) -> Message:
    return SlaCancelled(**_sla_head(e, engine), cancelled_at_ms=step.at_ms, reason=e.cause)


def _sla_escalated(e: events.SlaEscalated, engine: Engine, step: Step) -> Message:
    place = _sla_place(e, engine)
    return SlaEscalated(
        **_sla_head(e, engine),
        due_at_ms=e.due_ms,
        taken_at_ms=step.at_ms,
        step=e.step,
        action=e.action,
        outcome=e.outcome,
        people=e.people,
        team_id=place.get("team_id", ""),
        queue_id=place.get("queue_id", ""),
        decision_id=e.decision_id,
    )


PROMISES: dict[type[events.Event], Callable[[Any, Engine, Step], Message]] = {
    events.SlaStarted: _sla_started,
    events.SlaWarned: _sla_warned,
    events.SlaBreached: _sla_breached,
    events.SlaMet: _sla_met,
    events.SlaCancelled: _sla_cancelled,
    events.SlaEscalated: _sla_escalated,
}
