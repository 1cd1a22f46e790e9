"""The consumer group, and what its handlers have in common."""

from collections.abc import Sequence
from typing import Protocol

from google.protobuf.message import Message

from libs.storage import Want
from libs.streams import Reject, StreamRouter
from services.analytics.context import AnalyticsContext

stream = StreamRouter[AnalyticsContext](group="analytics")
Emitted = Sequence[Message]


class _OfConversation(Protocol):
    conversation_id: str


def row(event: _OfConversation, ctx: AnalyticsContext) -> list[Want]:
    """The one row that an event of a conversation touches."""
    return ctx.conversation(event.conversation_id)


def episode_of(event: Message) -> int:
    """The episode of an event; without one nobody could ever tell where it belongs."""
    episode: int = getattr(event, "episode")  # noqa: B009 - generated messages share no base with the field
    if episode < 1:
        raise Reject(f"{type(event).__name__}.episode is {episode}, expected 1 or more")
    return episode
