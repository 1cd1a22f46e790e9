"""What there is: items, offers, clocks, agents' states. Frozen values; a change is a new value.

An item is a conversation as routing sees it: one per conversation, used again when the conversation is
reopened. Times are integer milliseconds since the epoch, 0 = none. Ids are opaque text, "" = none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

ItemState = Literal["with_bot", "waiting", "offered", "assigned", "parked", "closed"]
OfferState = Literal["open", "accepted", "declined", "expired", "rescinded"]
PresenceState = Literal["online", "no_new", "away", "offline"]
NoticeKind = Literal["agent", "pool", "queue", "unserved"]
ClockState = Literal["running", "paused", "met", "cancelled"]
Handling = Literal["human", "bot"]
Urgency = Literal["low", "normal", "high"]
Status = Literal["open", "pending_customer", "on_hold", "snoozed"]

URGENCIES: tuple[Urgency, ...] = ("low", "normal", "high")
PRESENCES: tuple[PresenceState, ...] = ("online", "no_new", "away", "offline")
UNDETERMINED = "und"
UNKNOWN_TOPIC = "unknown"
FIRST_RESPONSE = "first_response"
NEXT_RESPONSE = "next_response"
UPDATE = "update"
RESOLUTION = "resolution"
AGENT_WORK = "agent_work"
TOTAL_RESOLUTION = "total_resolution"
METRICS = (FIRST_RESPONSE, NEXT_RESPONSE, UPDATE, RESOLUTION, AGENT_WORK, TOTAL_RESOLUTION)


class Item(NamedTuple):
    """A conversation in the pool. `key_ms` orders the waiting ones: smaller first, ties by eligible_at,
    then id."""

    conversation_id: str
    episode: int
    state: ItemState
    queue_id: str
    channel: str
    language: str
    topic: str
    urgency: Urgency
    skills: tuple[tuple[str, int], ...]
    """Required skills with their lowest level; never relaxed."""
    eligible_at_ms: int
    """First customer message of the episode: the age. Offers, declines, transfers and requeues keep it."""
    waiting_since_ms: int
    """Entry into waiting from new, the bot or released; rings count from here."""
    boost_ms: int
    due_ms: int
    """Earliest due of the unfulfilled clocks, else eligible_at + the longest target of the pool."""
    key_ms: int
    """due - boost; of a pinned item what `choice.key_of` says."""
    epoch: int = 0
    """Rises by one with every offer; an assignment carries the epoch of its offer."""
    ring: int = 0
    """How many rings of the queue are open beyond the first: each asks for less than the one before."""
    relax_at_ms: int = 0
    """When the next ring opens, 0 = not by time."""
    excluded: tuple[str, ...] = ()
    """Agents who declined, missed or gave it back, sorted."""
    recheck_at_ms: int = 0
    """When the exclusions are looked at again, so that a lone agent cannot block the item."""
    held_for: str = ""
    """Affinity: only this agent until `hold_until_ms`."""
    hold_until_ms: int = 0
    agent_id: str = ""
    assigned_at_ms: int = 0
    assigned_epoch: int = 0
    """The epoch of the current assignment."""
    offer_id: str = ""
    """The open offer. Together with `agent_id` only during a transfer to an agent."""
    more_offers: tuple[str, ...] = ()
    """The other open offers of the same epoch, when the queue offers to several at once: the first to accept wins."""
    last_agent_id: str = ""
    hops: int = 0
    paused: bool = False
    """pending_customer: the resolution clock stands still."""
    replied: bool = False
    """A human has replied to the conversation at least once."""
    human_version: int = 0
    customer_id: str = ""
    case_reference: str = ""
    closed_at_ms: int = 0
    tier: str = ""
    """The customer's tier; it moves the item ahead and never bypasses capacity."""
    debt: int = 0
    """What the customer has suffered, 0 to 24 (the ledger of surveys)."""
    escalated_ms: int = 0
    """Boost by escalations (`escalation`)."""
    manual_ms: int = 0
    """Boost by a supervisor."""
    returning: bool = False
    """The customer answered after the conversation was parked: it goes back to its agent, or on with a boost."""
    park_at_ms: int = 0
    """When an assigned item whose customer is silent gives its capacity back; 0 = it does not."""
    overflow_at_ms: int = 0
    """When the item goes on to the next queue of the overflow chain; 0 = not by time."""
    call_back: bool = False
    """The customer has gone and is called when somebody is free; the place in the queue is kept."""
    pinned_at_ms: int = 0
    """When a supervisor put it first in its queue; 0 = not. The earlier pin goes first."""
    status: Status = "open"
    unanswered: tuple[tuple[int, int], ...] = ()
    """(number, instant) of the customer's messages that no human reply has answered, oldest first."""
    answers: tuple[tuple[int, int], ...] = ()
    """(last message its author had seen, instant) of the newest human replies, in order."""
    yields_until_ms: int = 0
    """Until then the last free agent of the reserve is left to others; 0 = no longer, or not at all."""
    bot_until_ms: int = 0
    """Until when the bot that has it may be silent."""
    moved_to: str = ""
    """Closed here, since it went to this pool."""
    escalations: tuple[str, ...] = ()
    """Why rules have escalated the episode."""
    known_by: str = ""
    """The agent whom the customer knows from another conversation."""
    avoided: tuple[str, ...] = ()
    """Agents whom the customer rated bad: never waited for nor asked first."""

    @property
    def order(self) -> tuple[int, int, str]:
        return (self.key_ms, self.eligible_at_ms, self.conversation_id)


class Offer(NamedTuple):
    """Work held out to one agent; capacity is held while it is open. Exactly one terminal state."""

    offer_id: str
    conversation_id: str
    episode: int
    agent_id: str
    epoch: int
    made_at_ms: int
    expires_at_ms: int
    state: OfferState = "open"
    closed_at_ms: int = 0
    reason: str = ""
    transfer_from: str = ""
    """The agent who keeps the conversation until the offer is accepted."""
    queue_id: str = ""
    """The queue the conversation moves to when the offer is accepted; "" = it stays."""


class Notice(NamedTuple):
    """Something that stands over a part of the pool until it is lifted.

    | kind | about | meaning |
    |---|---|---|
    | agent | an agent | drains: he takes nothing more |
    | pool | the pool | drains: nobody takes anything more |
    | queue | a queue | closed: nothing new comes in |
    | unserved | a queue | the alarm that something waits in it that nobody could take |
    """

    kind: NoticeKind
    about: str
    since_ms: int
    by: str = ""
    """Who ordered it; "" = the engine itself."""
    reason: str = ""
    lifted: bool = False

    @property
    def notice_id(self) -> tuple[str, str]:
        return (self.kind, self.about)


class Clock(NamedTuple):
    """One SLA promise, counted in open time of its calendar. `due_ms` is 0 while it is paused or cannot be
    due."""

    conversation_id: str
    metric: str
    instance: int
    calendar_id: str
    target_ms: int
    started_at_ms: int
    state: ClockState
    consumed_ms: int
    running_since_ms: int
    due_ms: int
    warn_at_ms: int
    warned: bool = False
    breached_due_ms: int = 0
    """The due instant of the recorded breach. A breach is recorded once and stays."""
    ended_at_ms: int = 0
    policy_version: int = 0
    """The directory whose policy it follows."""
    runs: tuple[tuple[int, int], ...] = ()
    """When it ran until it last stopped, from and to, so that another calendar can count it anew."""
    settled_ms: int = 0
    """What was consumed in runs that are too many to be kept."""
    step_at_ms: int = 0
    """When the next step of its ladder is due, 0 = none."""
    taken: tuple[str, ...] = ()
    """The steps of the ladder that were taken, each once."""

    @property
    def clock_id(self) -> tuple[str, str, int]:
        return (self.conversation_id, self.metric, self.instance)

    @property
    def unfulfilled(self) -> bool:
        return self.state in ("running", "paused")


class AgentState(NamedTuple):
    """What the engine remembers of an agent besides the directory. Load is derived from items and offers."""

    agent_id: str
    presence: PresenceState = "offline"
    presence_epoch: int = 0
    """Rises with every transition; the end of a lease names the one that it ends."""
    since_ms: int = 0
    reason: str = ""
    missed: int = 0
    """Offers missed in a row."""
    feed_seq: int = 0
    last_assigned_at_ms: int = 0
    idle_since_ms: int = 0
    """When an assignment last began or ended, or the agent came online."""
    turn: int = 0
    """The pool's counter at the last offer to the agent."""
    window_start_ms: int = 0
    window_count: int = 0
    window_before: int = 0
    """The sliding count of assignments (`pace.Window`), kept where the capacity policy has a fair share."""


class PoolState(NamedTuple):
    """The pool's own counters. `sequence` makes the ids of offers and decisions unique."""

    pool_id: str
    at_ms: int = 0
    sequence: int = 0


class Result(NamedTuple):
    """The answer to a command: `ok` with a representation, or a refusal with a stable slug and what
    happened."""

    command_id: str
    ok: bool
    slug: str
    body: Mapping[str, Any]
    at_ms: int


class FeedEntry(NamedTuple):
    """One line of an agent's feed; `seq` is dense per agent."""

    agent_id: str
    seq: int
    kind: str
    payload: Mapping[str, Any]
    at_ms: int
