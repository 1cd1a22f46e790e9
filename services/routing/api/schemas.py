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


class Customer(BaseModel):
    """Whose conversation it is; the name is empty where ingest knows none."""

    customer_id: str
    name: str


class Promise(BaseModel):
    """A clock that is not settled. `due_at` is null while it is paused."""

    metric: str
    state: Literal["running", "paused"]
    due_at: str | None
    breached: bool


class Why(BaseModel):
    """Why an offer was made. `text` is for people; the decision has the whole explanation."""

    decision_id: str
    cause: str
    rule: str
    """The queue's rule of choice, or agent_free: the agent had room and took the next."""
    ring: int
    by: str | None
    """The person who asked for it."""
    note: str
    text: str


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
    queue_name: str
    team_id: str
    team_name: str
    customer: Customer
    channel: str
    language: str
    topic: str
    urgency: str
    case_reference: str
    eligible_at: str | None
    due_at: str | None
    call_back: bool
    """The customer is not there and waits to be called."""
    clocks: list[Promise]
    why: Why | None


class Assignment(BaseModel):
    """A conversation as routing has it."""

    conversation_id: str
    episode: int
    state: Literal["with_bot", "waiting", "offered", "assigned", "parked", "closed", "moved"]
    """moved: another pool has it, and says so soon."""
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
    call_back: bool


class InHand(Assignment):
    """A conversation that an agent has, with what a screen shows of it."""

    queue_name: str
    team_name: str
    customer: Customer
    clocks: list[Promise]


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
    """A conversation with its clocks and what moves it ahead."""

    clocks: list[Clock]
    boost_ms: int
    boost_parts: dict[str, int]
    pinned_at: str | None


class Waiting(Assignment):
    """A conversation in its queue's order, with what moves it ahead."""

    boost_ms: int
    boost_parts: dict[str, int]
    pinned_at: str | None
    ring: int


class Declined(BaseModel):
    offer_id: str
    state: str


class Decision(BaseModel):
    """Why something was decided; the fields depend on its kind."""

    decision_id: str
    kind: str
    at: str | None
    record: dict[str, Any]


class Notice(BaseModel):
    """What stands over an agent, the pool or a queue: ordered by somebody, or an alarm."""

    kind: Literal["agent", "pool", "queue", "unserved"]
    about: str
    since_at: str | None
    by: str | None
    reason: str


class QueueCount(BaseModel):
    """How a queue stands. `breached` and `due_soon` count conversations by their most urgent running clock."""

    queue_id: str
    team_id: str
    name: str
    waiting: int
    offered: int
    assigned: int
    parked: int
    with_bot: int
    oldest_eligible_at: str | None
    online_agents: int
    agents: dict[str, int]
    """People of the team by presence."""
    breached: int
    due_soon: int
    """Due within 15 minutes."""
    closed: Notice | None
    unserved: Notice | None
    """Something waits that nobody of the pool could ever take."""


class Overview(BaseModel):
    as_of: str | None
    queues: list[QueueCount]
    notices: list[Notice]


class Wait(BaseModel):
    """Eight of ten wait between `low_ms` and `high_ms` from now; null while nobody of the queue was served lately."""

    conversation_id: str
    queue_id: str
    position: int
    expected_ms: int | None
    low_ms: int | None
    high_ms: int | None
    as_of: str | None


class AtWork(BaseModel):
    """Somebody with what they have now, by channel."""

    agent_id: str
    name: str
    teams: list[str]
    presence: Literal["online", "no_new", "away", "offline"]
    since_at: str | None
    reason: str
    draining: bool
    missed: int
    assigned: dict[str, int]
    offered: dict[str, int]


class Drained(BaseModel):
    agent_id: str | None = None
    pool_id: str | None = None
    draining: bool
    changed: bool


class Closed(BaseModel):
    queue_id: str
    closed: bool
    changed: bool
    moved: int


class Audited(BaseModel):
    """An order: who, when, what about what, why, and what became of it."""

    command_id: str
    at: str | None
    by: str
    action: str
    about: str | None
    reason: str
    ok: bool
    outcome: str
    facts: dict[str, Any]


class Ticket(BaseModel):
    ticket: str


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


class ShadowSet(BaseModel):
    """A second policy looks on, or (`on` false) none does."""

    name: str
    on: bool
