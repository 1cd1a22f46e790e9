"""What can be asked of a pool. `command_id` is unique per command; a repeated command changes nothing.

A command with `answered = True` has a caller who waits: the engine remembers its result. The others come from
events, each is harmless when repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from services.routing.domain.directory import AgentProfile, Directory
from services.routing.domain.model import Clock, Handling, Item, PresenceState, Status, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    command_id: str
    answered: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPerson(Command):
    """What a person orders; it is kept for the audit with its outcome."""

    by: str = ""
    """Who; "" = nobody told."""
    reason: str = ""
    """Why, in that person's words."""
    answered: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed(Command):
    """Fire what is due. Every command does that first; this one does nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutDirectory(ByPerson):
    """Replace the policy. `expected_version` 0 = whatever it is."""

    directory: Directory
    expected_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAgent(ByPerson):
    """Add an agent, or change one whose entry has `expected_version` (`directory.version_of`); empty = whatever it is."""

    agent: AgentProfile
    expected_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAgent(ByPerson):
    """Open offers are rescinded, conversations return to their queues. `expected_version` as in PutAgent."""

    agent_id: str
    expected_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPresence(ByPerson):
    """`by` is set when somebody else does it."""

    agent_id: str
    presence: PresenceState


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLease(Command):
    """The agent's heartbeats stopped; ignored when the presence changed since `presence_epoch`."""

    agent_id: str
    presence_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue(Command):
    """An episode needs a person. A higher episode of a known conversation reopens it."""

    conversation_id: str
    episode: int
    channel: str
    language: str
    topic: str
    urgency: Urgency
    started_at_ms: int
    """First customer message of the episode."""
    skills: tuple[tuple[str, int], ...] = ()
    queue_hint: str = ""
    human_version: int = 0
    customer_id: str = ""
    case_reference: str = ""
    tier: str = ""
    """The customer's tier, a name that the queue's `tier_boosts` may know."""
    debt: int = 0
    """What the customer has suffered, 0 to 24."""
    preferred_agent: str = ""
    """Whom the customer knows from another conversation: asked first when he has room; the agent of the conversation's
    own last episode is waited for."""
    avoid_agents: tuple[str, ...] = ()
    """Who is never asked first: rated bad by this customer."""
    first_seq: int = 0
    """The number of the first customer message, 0 = unknown."""
    handling: Handling = "human"
    """`bot`: a bot begins, where the queue has one."""
    escalate: str = ""
    """Why a rule wants somebody to see it at once; "" = it does not."""
    escalated_by: str = ""
    """The rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassify(Command):
    """A later message was understood. A rise of urgency re-keys; a fall is ignored. Topic and language are
    taken only while nobody was offered the item, no human acted on it, and they were unknown; the queue hint goes with
    the topic, or by itself with `insist`, under the same conditions."""

    conversation_id: str
    episode: int
    topic: str
    language: str
    urgency: Urgency
    based_on_human_version: int = 0
    queue_hint: str = ""
    insist: bool = False
    """A rule has escalated: the hint counts although topic and language are known."""
    escalate: str = ""
    """Why, as in Enqueue."""
    escalated_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff(Command):
    """The bot gives the conversation to people, or is not wanted any more."""

    conversation_id: str
    episode: int
    cause: str
    """bot-handed-over, person-wanted, person-replied."""
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerWrote(Command):
    """The customer wrote again in an episode that is open, at `wrote_at_ms`."""

    conversation_id: str
    episode: int
    wrote_at_ms: int
    seq: int = 0
    """The number of the message, 0 = unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowCustomer(Command):
    """The customer has another tier or another debt than was known; whatever they have in the pool is moved."""

    customer_id: str
    tier: str
    debt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReply(Command):
    """A public reply was sent at `replied_at_ms`, by a human unless it says otherwise."""

    conversation_id: str
    episode: int
    replied_at_ms: int
    human_version: int = 0
    after_seq: int = 0
    """The last customer message that its author had seen, 0 = unknown."""
    human: bool = True
    bot: bool = False
    """Not human, and written by the bot that has the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatus(Command):
    """The conversation's status changed at `changed_at_ms`: it says which clocks run."""

    conversation_id: str
    episode: int
    status: Status
    changed_at_ms: int
    human_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Command):
    """The episode ended at `closed_at_ms`: resolved, or merged into another conversation."""

    conversation_id: str
    episode: int
    closed_at_ms: int
    cause: Literal["resolved", "merged"] = "resolved"
    human_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptOffer(Command):
    offer_id: str
    agent_id: str
    answered: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineOffer(Command):
    offer_id: str
    agent_id: str
    reason: str = ""
    answered: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(ByPerson):
    """Give an assigned conversation back to its queue, with its age. `agent_id` "" = a supervisor does it."""

    conversation_id: str
    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(ByPerson):
    """Move a conversation to a queue, a team's first queue, or an agent (exactly one of the three), with its
    age. More than `hop_limit` transfers of an episode go to whom the queue escalates to, or are refused.

    An agent is asked by an offer; `agent_id`, the sender, keeps the conversation until it is accepted.
    """

    conversation_id: str
    agent_id: str
    to_queue: str = ""
    to_team: str = ""
    to_agent: str = ""
    requested_by: str = ""
    """Who asked without waiting for the answer: a refusal comes by the feed."""
    to_pool: str = ""
    """The pool of the queue, team or agent, when it is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Command):
    """A conversation comes from another pool, as it was there; where it shall go is as in Transfer."""

    item: Item
    clocks: tuple[Clock, ...]
    to_queue: str = ""
    to_team: str = ""
    to_agent: str = ""
    from_pool: str = ""
    by: str = ""
    reason: str = ""
