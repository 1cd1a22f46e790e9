"""Where routing has put a conversation, and its clocks: kept for display, in a row of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from google.protobuf.message import Message as Event

from libs.contracts import (
    AgentAssigned,
    Escalated,
    EscalationCause,
    Released,
    SlaBreached,
    SlaCancelled,
    SlaEscalated,
    SlaMet,
    SlaStarted,
    SlaWarned,
    TeamAssigned,
)
from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Received
from services.agent.adapters.contracts import metric_of
from services.agent.adapters.rows import Note
from services.agent.context import AgentContext
from services.agent.domain.placement import (
    Clock,
    Placement,
    assigned,
    clock_of,
    queued,
    released,
    with_clock,
)
from services.agent.handlers.stream import stream


class _OfConversation(Protocol):
    conversation_id: str


def _wanted(event: _OfConversation, ctx: AgentContext) -> Iterable[Want]:
    return [ctx.placements.want(event.conversation_id)]


def _placement(event: _OfConversation, ctx: AgentContext) -> Placement:
    return ctx.placements.get(event.conversation_id) or Placement(event.conversation_id)


@stream.on(TeamAssigned, load=_wanted)
async def show_queue(received: Received[TeamAssigned], ctx: AgentContext) -> Sequence[Event]:
    """It waits in a queue of a team."""
    e = received.event
    ctx.placements.put(
        queued(_placement(e, ctx), e.team_id, e.queue_id, e.handling, e.epoch, e.assigned_at_ms)
    )
    return []


@stream.on(AgentAssigned, load=_wanted)
async def show_agent(received: Received[AgentAssigned], ctx: AgentContext) -> Sequence[Event]:
    """A person has it."""
    e = received.event
    ctx.placements.put(
        assigned(_placement(e, ctx), e.agent_id, e.team_id, e.queue_id, e.epoch, e.assigned_at_ms)
    )
    return []


@stream.on(Released, load=_wanted)
async def show_release(received: Received[Released], ctx: AgentContext) -> Sequence[Event]:
    """The person no longer has it."""
    e = received.event
    ctx.placements.put(released(_placement(e, ctx), e.agent_id, e.epoch, e.released_at_ms))
    return []


@stream.on(Escalated)
async def note_escalation(received: Received[Escalated], ctx: AgentContext) -> Sequence[Event]:
    """Whoever opens the conversation reads why it could not wait."""
    e = received.event
    author = e.by if e.cause == EscalationCause.ESCALATION_CAUSE_PERSON else ""
    text = ": ".join(filter(None, (e.by, e.reason)))
    note_id = derived_id("escalation", received.event_id.hex())
    ctx.notes.put(Note(note_id, e.conversation_id, author, "escalation", text, e.escalated_at_ms))
    return []


_Sla = SlaStarted | SlaWarned | SlaBreached | SlaMet | SlaCancelled | SlaEscalated


def _clock(event: _Sla, ctx: AgentContext) -> tuple[Placement, Clock]:
    placement = _placement(event, ctx)
    return placement, clock_of(placement, metric_of(event.metric), event.instance)


@stream.on(SlaStarted, load=_wanted)
async def start_clock(received: Received[SlaStarted], ctx: AgentContext) -> Sequence[Event]:
    """A clock runs, again, or has paused (no due time)."""
    e = received.event
    placement, clock = _clock(e, ctx)
    clock = replace(
        clock,
        state="running" if e.due_at_ms else "paused",
        started_at_ms=clock.started_at_ms or e.started_at_ms,
        due_at_ms=e.due_at_ms,
        target_ms=e.target_ms,
    )
    ctx.placements.put(with_clock(placement, clock))
    return []


@stream.on(SlaWarned, load=_wanted)
async def warn_clock(received: Received[SlaWarned], ctx: AgentContext) -> Sequence[Event]:
    """A clock is near its end."""
    e = received.event
    placement, clock = _clock(e, ctx)
    ctx.placements.put(with_clock(placement, replace(clock, warned_at_ms=e.warned_at_ms)))
    return []


@stream.on(SlaBreached, load=_wanted)
async def breach_clock(received: Received[SlaBreached], ctx: AgentContext) -> Sequence[Event]:
    """A clock ran out; it may still be stopped later."""
    e = received.event
    placement, clock = _clock(e, ctx)
    ctx.placements.put(
        with_clock(placement, replace(clock, breached=True, due_at_ms=clock.due_at_ms or e.due_at_ms))
    )
    return []


@stream.on(SlaEscalated, load=_wanted)
async def show_escalation(received: Received[SlaEscalated], ctx: AgentContext) -> Sequence[Event]:
    """A step of the queue's ladder was taken, because a clock was kept waiting."""
    e = received.event
    placement, clock = _clock(e, ctx)
    ctx.placements.put(with_clock(placement, replace(clock, escalated=e.step)))
    return []


@stream.on(SlaMet, load=_wanted)
async def stop_clock(received: Received[SlaMet], ctx: AgentContext) -> Sequence[Event]:
    """What the clock waited for has happened."""
    e = received.event
    placement, clock = _clock(e, ctx)
    clock = replace(clock, state="met", ended_at_ms=e.met_at_ms, elapsed_ms=e.elapsed_ms)
    ctx.placements.put(with_clock(placement, clock))
    return []


@stream.on(SlaCancelled, load=_wanted)
async def cancel_clock(received: Received[SlaCancelled], ctx: AgentContext) -> Sequence[Event]:
    """The clock no longer applies."""
    e = received.event
    placement, clock = _clock(e, ctx)
    ctx.placements.put(
        with_clock(placement, replace(clock, state="cancelled", ended_at_ms=e.cancelled_at_ms))
    )
    return []
