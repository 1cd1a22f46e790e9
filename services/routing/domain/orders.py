"""What supervisors order, and agents who ask for help: like every command, with its answer and its audit.

`expected_version` is `versions.placement` of the conversation as it was read; "" = whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.routing.domain.commands import ByPerson, Command
from services.routing.domain.directory import Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(ByPerson):
    """Bring a conversation to a queue, a team's first queue or an agent (exactly one of the three), with its age.

    Unlike a transfer it is no hop. An agent is asked by an offer.
    """

    conversation_id: str
    to_queue: str = ""
    to_team: str = ""
    to_agent: str = ""
    expected_version: str = ""
    to_pool: str = ""
    """As in Transfer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin(ByPerson):
    """Put a waiting conversation first in its queue, or no longer; it ends when somebody has the conversation."""

    conversation_id: str
    on: bool
    expected_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boost(ByPerson):
    """Let a conversation go ahead by so much, inside the pool's limit; 0 = no longer."""

    conversation_id: str
    boost_ms: int
    expected_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate(ByPerson):
    """The conversation needs somebody else: it gets its queue's escalation boost and goes where the queue escalates
    to, if it says so. `agent_id` "" = a supervisor does it, else its holder."""

    conversation_id: str
    agent_id: str = ""
    expected_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn(Command):
    """The wait in the queue is expected to be too long: the next one of the overflow chain may be faster. Ignored
    when the conversation no longer waits there."""

    conversation_id: str
    queue_id: str
    expected_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack(ByPerson):
    """The customer goes instead of waiting and is called when somebody is free, or (`on` false) waits again."""

    conversation_id: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain(ByPerson):
    """Let an agent, or with `agent_id` "" the whole pool, take nothing more, or again.

    Open offers are rescinded. What is in hand is finished, or with `give_back` returns to its queues.
    """

    agent_id: str
    on: bool
    give_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseQueue(ByPerson):
    """Let nothing new into a queue, or again. Conversations for it go along its overflow, else to the default queue.

    What waits is served to the end, or with `move_waiting` goes the same way.
    """

    queue_id: str
    on: bool
    move_waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutShadow(ByPerson):
    """Let another policy decide beside the live one, without acting; `directory` None = no longer."""

    name: str = ""
    directory: Directory | None = None
