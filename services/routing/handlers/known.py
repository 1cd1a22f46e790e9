"""What intake knows of the conversation that an event is about, and the way of a command to its pool."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from google.protobuf.message import Message as Event

from libs.runtime import derived_id
from libs.storage import Want
from libs.streams import Received
from services.routing.adapters.contracts import pool_command
from services.routing.adapters.rows import Arrival
from services.routing.context import IntakeContext
from services.routing.domain.commands import Command
from services.routing.handlers.arrivals import early_of


class OfConversation(Protocol):
    conversation_id: str


def wanted(event: OfConversation, ctx: IntakeContext) -> Iterable[Want]:
    """What is loaded for an event about one conversation."""
    return [ctx.arrivals.want(event.conversation_id)]


def arrival_of(event: OfConversation, ctx: IntakeContext) -> Arrival:
    """What is known of the event's conversation, if only its id."""
    return ctx.arrivals.get(event.conversation_id) or Arrival(event.conversation_id)


def command_id(received: Received[Any], part: str) -> str:
    """The same for the same part of the same event."""
    return derived_id(received.event_id.hex(), part)


def send(ctx: IntakeContext, arrival: Arrival, *commands: Command) -> Sequence[Event]:
    """To the pool that got the conversation; one that it has left passes it on."""
    return [pool_command(arrival.pool_id or ctx.pool_id, command) for command in commands]


def put_early(ctx: IntakeContext, arrival: Arrival, episode: int, human_version: int, **facts: Any) -> None:
    """Keeps what happened to an episode that is not in the pool yet."""
    early = {**arrival.early, str(episode): {**early_of(arrival, episode), **facts}}
    ctx.arrivals.put(replace(arrival, early=early, human_version=max(arrival.human_version, human_version)))


def touch(ctx: IntakeContext, arrival: Arrival, human_version: int) -> None:
    """Notes that a person acted."""
    if human_version > arrival.human_version:
        ctx.arrivals.put(replace(arrival, human_version=human_version))
