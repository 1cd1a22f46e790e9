"""What customers cause. A message counts once both halves are here, its text and what triage says of it.

The halves come from different topics, so either may be first; `settle` runs with the second and gives the same
conversation and facts both ways.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.agent.domain.conversation import (
    SYSTEM,
    WAITING,
    Conversation,
    EpisodeBegan,
    Fact,
    Message,
    Span,
    Status,
    StatusMoved,
    Understanding,
)
from services.agent.domain.episodes import Kind, episode_of

Outcome = tuple[Conversation, list[Fact]]

_URGENCIES = ("low", "normal", "high")
_SPEAKS = frozenset({Kind.REQUEST, Kind.UNSURE, Kind.THANKS})


def begin(conversation_id: str, customer_id: str, channel: str, at_ms: int) -> Conversation:
    """A conversation of which one half of one message is known."""
    return Conversation(conversation_id, customer_id, channel, "und", "", "", at_ms)


def receive(conversation: Conversation, message: Message) -> Conversation:
    """Takes note of a message; which episode it belongs to is not said yet."""
    newest = message.seq > conversation.last_seq
    return replace(
        conversation,
        customer_id=message.customer_id,
        channel=message.origin.channel if newest else conversation.channel,
        case_reference=conversation.case_reference or message.case_reference,
        subject=conversation.subject or message.subject,
        created_at_ms=min(conversation.created_at_ms, message.received_at_ms),
        last_message_at_ms=max(conversation.last_message_at_ms, message.received_at_ms),
        last_seq=max(conversation.last_seq, message.seq),
        position=conversation.position + 1,
        continues=conversation.continues or message.continues,
        cause=conversation.cause or message.cause,
    )


def settle(conversation: Conversation, understood: Understanding) -> Outcome:
    """Puts a settled message where it belongs: opens its episode, wakes a waiting one, or leaves it trailing."""
    if understood.opens and understood.seq > conversation.opening_seq:
        conversation = replace(conversation, opening_seq=understood.seq)
    if understood.kind is Kind.AUTOMATIC and understood.seq > conversation.automatic_seq:
        conversation = replace(conversation, automatic_seq=understood.seq)
    episode = episode_of(understood.seq, conversation.resolutions)
    if episode > conversation.episode:
        return open_episode(conversation, [understood]) if understood.opens else (conversation, [])
    if episode < conversation.episode or not conversation.live:
        return conversation, []
    return _join(conversation, understood)


def open_episode(conversation: Conversation, openings: Sequence[Understanding]) -> Outcome:
    """Opens the next episode with the opening messages that belong to it, by number; the first one opens it."""
    first = openings[0]
    episode = conversation.episode + 1
    span = Span(episode, first.seq, first.received_at_ms, human_version=conversation.human_version)
    facts: list[Fact] = [
        EpisodeBegan(episode, first.seq, first.received_at_ms, first.channel, first.language)
    ]
    if conversation.status is Status.RESOLVED:
        facts.append(StatusMoved(episode, Status.OPEN, conversation.status, first.received_at_ms, SYSTEM))
    known = first.topic != "unknown"
    conversation = replace(
        conversation,
        status=Status.OPEN,
        episode=episode,
        first_seq=first.seq,
        spans=(*conversation.spans, span),
        language=first.language if first.language != "und" else conversation.language,
        topic=first.topic if known else conversation.topic,
        topic_confidence=first.topic_confidence if known else conversation.topic_confidence,
        topic_by="" if known else conversation.topic_by,
        urgency=first.urgency,
        anger=first.anger,
        tags=conversation.tags if conversation.tags_by else _with(conversation.tags, first.tags),
    )
    for later in openings[1:]:
        conversation = _signals(conversation, later)
    return conversation, facts


def wake(conversation: Conversation, at_ms: int) -> Outcome:
    """A snooze has ended."""
    if conversation.status is not Status.SNOOZED or conversation.snoozed_until_ms > at_ms:
        return conversation, []
    return _reopen(conversation, at_ms)


def _join(conversation: Conversation, understood: Understanding) -> Outcome:
    conversation = _signals(conversation, understood)
    if understood.opens and understood.seq < conversation.first_seq:
        span = replace(
            conversation.spans[-1], first_seq=understood.seq, opened_at_ms=understood.received_at_ms
        )
        conversation = replace(conversation, first_seq=understood.seq, spans=(*conversation.spans[:-1], span))
    if wakes(conversation, understood):
        return _reopen(conversation, understood.received_at_ms)
    return conversation, []


def wakes(conversation: Conversation, understood: Understanding) -> bool:
    """Whether a message ends the waiting: it is new to who set it, a person wrote it, and it answers or asks."""
    if conversation.status not in WAITING or understood.seq <= conversation.seen_seq:
        return False
    if conversation.status is Status.PENDING_CUSTOMER:
        return understood.kind in _SPEAKS
    return understood.opens


def _reopen(conversation: Conversation, at_ms: int) -> Outcome:
    fact = StatusMoved(conversation.episode, Status.OPEN, conversation.status, at_ms, SYSTEM)
    return replace(conversation, status=Status.OPEN, snoozed_until_ms=0), [fact]


def _signals(conversation: Conversation, understood: Understanding) -> Conversation:
    """Triage's later word: fills what is unknown, raises urgency, never overrules a person."""
    if understood.kind not in _SPEAKS:
        return conversation
    fills = conversation.topic == "unknown" and not conversation.topic_by
    return replace(
        conversation,
        language=conversation.language if conversation.language != "und" else understood.language,
        topic=understood.topic if fills else conversation.topic,
        topic_confidence=understood.topic_confidence if fills else conversation.topic_confidence,
        urgency=max(conversation.urgency, understood.urgency, key=_URGENCIES.index),
        anger=understood.anger,
        tags=conversation.tags if conversation.tags_by else _with(conversation.tags, understood.tags),
    )


def _with(tags: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return (*tags, *(tag for tag in more if tag not in tags))
