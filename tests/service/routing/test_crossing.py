"""A request that crosses a resolution waits in a queue of its own episode, whatever routing hears first."""

import itertools

import pytest
from google.protobuf.message import Message

from libs.contracts import (
    ConversationResolved,
    ConversationTriaged,
    EpisodeCause,
    EpisodeOpened,
    Kind,
    Signal,
    Urgency,
)
from services.routing.service import definition
from tests.support.harness import START_MS, running

CASE = "crossed"


def _opened(episode: int) -> EpisodeOpened:
    return EpisodeOpened(
        conversation_id=CASE,
        episode=episode,
        cause=EpisodeCause.EPISODE_CAUSE_REOPENED
        if episode > 1
        else EpisodeCause.EPISODE_CAUSE_FIRST_MESSAGE,
        first_seq=episode,
        opened_at_ms=START_MS + episode,
        customer_id="k",
        channel="chat",
        language="en",
    )


def _triaged(seq: int) -> ConversationTriaged:
    return ConversationTriaged(
        conversation_id=CASE,
        message_id=f"m{seq}",
        message_seq=seq,
        kind=Kind.KIND_REQUEST,
        topic=Signal(value="refund", confidence=0.9),
        language=Signal(value="en", confidence=0.9),
        urgency=Urgency.URGENCY_NORMAL,
        received_at_ms=START_MS + seq,
    )


_RESOLVED = ConversationResolved(
    conversation_id=CASE,
    episode=1,
    through_seq=1,
    resolved_by="anna",
    resolved_at_ms=START_MS + 9,
    human_version=1,
)
_AGENT = {"o1": _opened(1), "r": _RESOLVED, "o2": _opened(2)}
_TRIAGE = {"t1": _triaged(1), "t2": _triaged(2)}


def _orders() -> list[tuple[str, ...]]:
    """Every interleaving of the two topics; within a topic the order is kept."""
    return [
        order
        for order in itertools.permutations([*_AGENT, *_TRIAGE])
        if [n for n in order if n in _AGENT] == list(_AGENT)
        and [n for n in order if n in _TRIAGE] == list(_TRIAGE)
    ]


@pytest.mark.parametrize("order", _orders(), ids=" ".join)
async def test_the_second_episode_is_queued_in_any_order(order: tuple[str, ...]) -> None:
    events: dict[str, Message] = {**_AGENT, **_TRIAGE}
    async with running(definition, tasks=False) as service:
        for name in order:
            await service.publish(events[name])
            await service.settle()
        queued = [event.episode for event in await service.events("TeamAssigned")]
    assert queued[-1] == 2
    assert len(queued) == len(set(queued))
