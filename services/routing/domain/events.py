"""What a pool tells. Facts in the past tense; the service maps them to the published contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.routing.domain.directory import AgentProfile, Team
from services.routing.domain.model import Clock, Handling, Item, OfferState, PresenceState
from services.routing.domain.sla_policy import Action

EscalationCause = Literal["person", "hops", "rule", "ladder"]


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all; carries no time of its own, the step has it."""


@dataclass(frozen=True, slots=True)
class TeamAssigned(Event):
    """An item entered a queue (new, reopened, transferred, re-routed)."""

    conversation_id: str
    episode: int
    queue_id: str
    team_id: str
    topic: str
    urgency: str
    eligible_at_ms: int
    key_ms: int
    cause: str
    decision_id: str
    handling: Handling = "human"


@dataclass(frozen=True, slots=True)
class LeftPool(Event):
    """The conversation is another pool's now; whoever owns this one's commands sends it there (`commands.Adopt`)."""

    item: Item
    clocks: tuple[Clock, ...]
    to_pool: str
    to_queue: str
    to_team: str
    to_agent: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Escalated(Event):
    """The conversation went ahead, or to somebody else, because it could not wait its turn."""

    conversation_id: str
    episode: int
    cause: EscalationCause
    by: str
    reason: str
    boost_ms: int
    """Of all parts together, as it is now."""
    from_queue_id: str
    queue_id: str
    """The same when it stays."""
    decision_id: str


@dataclass(frozen=True, slots=True)
class AgentOffered(Event):
    conversation_id: str
    episode: int
    offer_id: str
    agent_id: str
    epoch: int
    expires_at_ms: int
    decision_id: str


@dataclass(frozen=True, slots=True)
class OfferClosed(Event):
    conversation_id: str
    episode: int
    offer_id: str
    agent_id: str
    epoch: int
    outcome: OfferState
    reason: str


@dataclass(frozen=True, slots=True)
class AgentAssigned(Event):
    conversation_id: str
    episode: int
    agent_id: str
    team_id: str
    epoch: int
    offer_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class Released(Event):
    """An agent no longer has the conversation; `epoch` is the one of the assignment that ended."""

    conversation_id: str
    episode: int
    agent_id: str
    epoch: int
    cause: str


@dataclass(frozen=True, slots=True)
class RingOpened(Event):
    conversation_id: str
    episode: int
    ring: int
    cause: str


@dataclass(frozen=True, slots=True)
class QueueUnserved(Event):
    """The alarm: the conversation waits in a queue in which nobody of the pool could ever take it. Once a queue,
    until it is lifted."""

    conversation_id: str
    episode: int
    queue_id: str
    why: str


@dataclass(frozen=True, slots=True)
class QueueServed(Event):
    """The alarm is over: whatever waits in the queue can be taken by somebody."""

    queue_id: str


@dataclass(frozen=True, slots=True)
class OutOfHours(Event):
    """A conversation came into a queue out of its hours and waits for them; 0 = no hours within a year."""

    conversation_id: str
    episode: int
    queue_id: str
    opens_at_ms: int


@dataclass(frozen=True, slots=True)
class SlaStarted(Event):
    """A clock was started, or its due changed: repeated with due 0 on a pause and the new due on a resume."""

    conversation_id: str
    metric: str
    instance: int
    due_ms: int
    target_ms: int


@dataclass(frozen=True, slots=True)
class SlaWarned(Event):
    conversation_id: str
    metric: str
    instance: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class SlaBreached(Event):
    """Once per (conversation, metric, instance); stamped with the due instant, however late it is noticed."""

    conversation_id: str
    metric: str
    instance: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class SlaMet(Event):
    """Fulfilled. `in_time` is judged by the instant of the fulfilment: it may follow a breach that was
    noticed before the reply was heard of."""

    conversation_id: str
    metric: str
    instance: int
    due_ms: int
    fulfilled_at_ms: int
    in_time: bool


@dataclass(frozen=True, slots=True)
class SlaCancelled(Event):
    conversation_id: str
    metric: str
    instance: int
    cause: str


@dataclass(frozen=True, slots=True)
class SlaEscalated(Event):
    """A step of the ladder was taken; once per (conversation, metric, instance, step)."""

    conversation_id: str
    metric: str
    instance: int
    due_ms: int
    step: str
    action: Action
    outcome: str
    people: tuple[str, ...]
    """Who was told, or from whom it was taken."""
    decision_id: str


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    agent_id: str
    presence: PresenceState
    previous: PresenceState
    presence_epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class TeamChanged(Event):
    team: Team
    removed: bool


@dataclass(frozen=True, slots=True)
class PersonChanged(Event):
    agent: AgentProfile
    removed: bool
