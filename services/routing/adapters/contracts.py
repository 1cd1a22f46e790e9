"""Between the wire and the domain: events of others to plain values, domain events to published ones."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from libs.contracts import (
    AgentAssigned,
    AgentOffered,
    Escalated,
    EscalationCause,
    Kind,
    OfferClosed,
    OfferOutcome,
    OutOfHours,
    PersonChanged,
    PoolCommand,
    PresenceChanged,
    PresenceState,
    QueueUnserved,
    Released,
    RingOpened,
    SlaBreached,
    SlaCancelled,
    SlaEscalated,
    SlaMet,
    SlaStarted,
    SlaWarned,
    Status,
    TeamAssigned,
    TeamChanged,
    Urgency,
)
from services.routing.adapters.codec import encode
from services.routing.adapters.promise_contracts import PROMISES, team_of
from services.routing.domain import events
from services.routing.domain.commands import Command
from services.routing.domain.engine import Engine
from services.routing.domain.state import Step

EMITTED: tuple[type[Message], ...] = (
    TeamAssigned,
    AgentOffered,
    OfferClosed,
    AgentAssigned,
    Released,
    RingOpened,
    QueueUnserved,
    OutOfHours,
    SlaStarted,
    SlaWarned,
    SlaBreached,
    SlaMet,
    SlaCancelled,
    SlaEscalated,
    Escalated,
    PresenceChanged,
    TeamChanged,
    PersonChanged,
)
"""What the engine's group emits."""

REQUESTS = (Kind.KIND_REQUEST, Kind.KIND_UNSURE, Kind.KIND_UNSPECIFIED)
URGENCIES = {Urgency.URGENCY_LOW: "low", Urgency.URGENCY_HIGH: "high"}
STATUSES = {
    Status.STATUS_OPEN: "open",
    Status.STATUS_PENDING_CUSTOMER: "pending_customer",
    Status.STATUS_ON_HOLD: "on_hold",
    Status.STATUS_SNOOZED: "snoozed",
}
_OUTCOMES = {
    "accepted": OfferOutcome.OFFER_OUTCOME_ACCEPTED,
    "declined": OfferOutcome.OFFER_OUTCOME_DECLINED,
    "expired": OfferOutcome.OFFER_OUTCOME_EXPIRED,
    "rescinded": OfferOutcome.OFFER_OUTCOME_RESCINDED,
}
_PRESENCES = {
    "online": PresenceState.PRESENCE_STATE_ONLINE,
    "no_new": PresenceState.PRESENCE_STATE_NO_NEW,
    "away": PresenceState.PRESENCE_STATE_AWAY,
    "offline": PresenceState.PRESENCE_STATE_OFFLINE,
}
_ESCALATIONS = {
    "person": EscalationCause.ESCALATION_CAUSE_PERSON,
    "hops": EscalationCause.ESCALATION_CAUSE_HOPS,
    "rule": EscalationCause.ESCALATION_CAUSE_RULE,
    "ladder": EscalationCause.ESCALATION_CAUSE_LADDER,
}
_RELEASES = {"transfer": "transferred", "agent-offline": "offline"}
_PRESENCE_REASONS = {"lease-ended": "lease_ended", "missed-offers": "missed_offers"}


def pool_command(pool_id: str, command: Command) -> PoolCommand:
    """A command for the log."""
    name, arguments = encode(command)
    return PoolCommand(command_id=command.command_id, pool_id=pool_id, name=name, arguments=arguments)


def published(engine: Engine, step: Step) -> list[Message]:
    """The events of a step, in order; the end of an alarm is a row and a gauge, not an event."""
    return [_PUBLISH[type(event)](event, engine, step) for event in step.events if type(event) in _PUBLISH]


def _queue_of(engine: Engine, conversation_id: str) -> str:
    item = engine.pool.items.get(conversation_id)
    return item.queue_id if item else ""


def _team_assigned(e: events.TeamAssigned, engine: Engine, step: Step) -> Message:
    item = engine.pool.items.get(e.conversation_id)
    return TeamAssigned(
        conversation_id=e.conversation_id,
        episode=e.episode,
        team_id=e.team_id,
        queue_id=e.queue_id,
        handling=e.handling,
        epoch=item.epoch if item else 0,
        decision_id=e.decision_id,
        policy_version=str(engine.pool.directory.version),
        assigned_at_ms=step.at_ms,
        cause=e.cause,
    )


def _escalated(e: events.Escalated, engine: Engine, step: Step) -> Message:
    return Escalated(
        conversation_id=e.conversation_id,
        episode=e.episode,
        cause=_ESCALATIONS[e.cause],
        by=e.by,
        reason=e.reason,
        boost_ms=e.boost_ms,
        from_queue_id=e.from_queue_id,
        queue_id=e.queue_id,
        team_id=team_of(engine, e.queue_id),
        escalated_at_ms=step.at_ms,
        decision_id=e.decision_id,
    )


def _agent_offered(e: events.AgentOffered, engine: Engine, step: Step) -> Message:
    return AgentOffered(
        conversation_id=e.conversation_id,
        episode=e.episode,
        offer_id=e.offer_id,
        agent_id=e.agent_id,
        team_id=team_of(engine, _queue_of(engine, e.conversation_id)),
        epoch=e.epoch,
        offered_at_ms=step.at_ms,
        expires_at_ms=e.expires_at_ms,
        decision_id=e.decision_id,
    )


def _offer_closed(e: events.OfferClosed, engine: Engine, step: Step) -> Message:
    return OfferClosed(
        conversation_id=e.conversation_id,
        episode=e.episode,
        offer_id=e.offer_id,
        agent_id=e.agent_id,
        epoch=e.epoch,
        outcome=_OUTCOMES[e.outcome],
        reason=e.reason,
        closed_at_ms=step.at_ms,
    )


def _agent_assigned(e: events.AgentAssigned, engine: Engine, step: Step) -> Message:
    return AgentAssigned(
        conversation_id=e.conversation_id,
        episode=e.episode,
        agent_id=e.agent_id,
        team_id=e.team_id,
        queue_id=_queue_of(engine, e.conversation_id),
        epoch=e.epoch,
        cause=e.cause,
        assigned_at_ms=step.at_ms,
    )


def _released(e: events.Released, engine: Engine, step: Step) -> Message:
    return Released(
        conversation_id=e.conversation_id,
        episode=e.episode,
        agent_id=e.agent_id,
        epoch=e.epoch,
        reason=_RELEASES.get(e.cause, e.cause),
        released_at_ms=step.at_ms,
    )


def _ring_opened(e: events.RingOpened, engine: Engine, step: Step) -> Message:
    return RingOpened(
        conversation_id=e.conversation_id, episode=e.episode, ring=e.ring, opened_at_ms=step.at_ms
    )


def _queue_unserved(e: events.QueueUnserved, engine: Engine, step: Step) -> Message:
    return QueueUnserved(
        conversation_id=e.conversation_id,
        episode=e.episode,
        queue_id=e.queue_id,
        team_id=team_of(engine, e.queue_id),
        why=e.why,
        raised_at_ms=step.at_ms,
    )


def _out_of_hours(e: events.OutOfHours, engine: Engine, step: Step) -> Message:
    directory = engine.pool.directory
    queue = directory.queue_by_id.get(e.queue_id)
    calendar = directory.calendar_by_id.get(queue.relief.hours) if queue else None
    return OutOfHours(
        conversation_id=e.conversation_id,
        episode=e.episode,
        queue_id=e.queue_id,
        opens_at_ms=e.opens_at_ms,
        entered_at_ms=step.at_ms,
        zone=calendar.zone if calendar else "",
    )


def _presence_changed(e: events.PresenceChanged, engine: Engine, step: Step) -> Message:
    return PresenceChanged(
        agent_id=e.agent_id,
        state=_PRESENCES[e.presence],
        previous=_PRESENCES[e.previous],
        reason=_PRESENCE_REASONS.get(e.reason, "asked"),
        changed_at_ms=step.at_ms,
    )


def _team_changed(e: events.TeamChanged, engine: Engine, step: Step) -> Message:
    return team_changed(e, engine.pool.directory.version, step.at_ms)


def team_changed(e: events.TeamChanged, version: int, at_ms: int) -> Message:
    """The newest truth of a team."""
    return TeamChanged(
        team_id=e.team.team_id, name=e.team.name, removed=e.removed, version=version, changed_at_ms=at_ms
    )


def _person_changed(e: events.PersonChanged, engine: Engine, step: Step) -> Message:
    return PersonChanged(
        person_id=e.agent.agent_id,
        name=e.agent.name,
        team_ids=e.agent.teams,
        languages=e.agent.languages,
        removed=e.removed,
        version=step.at_ms,
        changed_at_ms=step.at_ms,
    )


_PUBLISH: dict[type[events.Event], Callable[[Any, Engine, Step], Message]] = {
    **PROMISES,
    events.TeamAssigned: _team_assigned,
    events.AgentOffered: _agent_offered,
    events.OfferClosed: _offer_closed,
    events.AgentAssigned: _agent_assigned,
    events.Released: _released,
    events.RingOpened: _ring_opened,
    events.QueueUnserved: _queue_unserved,
    events.OutOfHours: _out_of_hours,
    events.Escalated: _escalated,
    events.PresenceChanged: _presence_changed,
    events.TeamChanged: _team_changed,
    events.PersonChanged: _person_changed,
}
