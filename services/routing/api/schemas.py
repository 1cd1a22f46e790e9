"""What the routes answer."""

from typing import Any, Literal

from pydantic import BaseModel


class Presence(BaseModel):
    """An agent's presence and load."""

    agent_id: str
    name: str
    presence: Literal["online", "no_new", "away", "offline"]
    since_at: str | None
    reason: str
    lease_until_at: str | None
    open_offers: int
    assigned: int
    feed_seq: int


class Offer(BaseModel):
    """Work held out to the agent until `expires_at`."""

    offer_id: str
    conversation_id: str
    episode: int
    epoch: int
    state: str
    made_at: str | None
    expires_at: str | None
    transfer_from: str
    queue_id: str
    team_id: str
    channel: str
    language: str
    topic: str
    urgency: str
    case_reference: str
    eligible_at: str | None
    due_at: str | None


class Assignment(BaseModel):
    """A conversation as routing has it."""

    conversation_id: str
    episode: int
    state: Literal["waiting", "offered", "assigned", "parked", "closed"]
    queue_id: str
    team_id: str
    agent_id: str | None
    epoch: int
    offer_id: str | None
    channel: str
    language: str
    topic: str
    urgency: str
    case_reference: str
    eligible_at: str | None
    waiting_since_at: str | None
    assigned_at: str | None
    due_at: str | None
    hops: int


class Clock(BaseModel):
    """One SLA clock. `due_at` is null while it is paused."""

    metric: str
    instance: int
    state: Literal["running", "paused", "met", "cancelled"]
    target_ms: int
    started_at: str | None
    due_at: str | None
    warned: bool
    breached: bool
    ended_at: str | None


class Conversation(Assignment):
    """A conversation with its clocks."""

    clocks: list[Clock]


class Declined(BaseModel):
    offer_id: str
    state: str


class Decision(BaseModel):
    """Why something was decided; the fields depend on its kind."""

    decision_id: str
    kind: str
    at: str | None
    record: dict[str, Any]


class QueueCount(BaseModel):
    """How a queue stands."""

    queue_id: str
    team_id: str
    name: str
    waiting: int
    offered: int
    assigned: int
    oldest_eligible_at: str | None
    online_agents: int


class Lease(BaseModel):
    """Heartbeats must come before `lease_until_at`."""

    agent_id: str
    lease_until_at: str | None


class Accepted(BaseModel):
    """The command is on its way; ask at `location`."""

    command_id: str
    location: str


class Version(BaseModel):
    version: int


class Removed(BaseModel):
    agent_id: str
