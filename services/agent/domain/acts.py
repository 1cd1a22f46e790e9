"""What people do. Every act that changes what others rely on raises `human_version` by one; notes do not.

Acts are refused with the errors of `errors`; a refused act changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.agent.domain.arrivals import Outcome, open_episode, settle
from services.agent.domain.conversation import (
    Conversation,
    EpisodeEnded,
    Fact,
    Status,
    StatusMoved,
    Understanding,
)
from services.agent.domain.episodes import episode_of
from services.agent.domain.errors import (
    AlreadyResolved,
    BadTime,
    NoOpenEpisode,
    NotSeen,
    NotTrailing,
    ThroughTooEarly,
)

_YEAR_MS = 366 * 86_400_000


def require_open(conversation: Conversation) -> None:
    """Refuses an act that needs an open episode."""
    if conversation.status is Status.RESOLVED:
        raise AlreadyResolved(
            f"Episode {conversation.episode} was resolved through message {conversation.through_seq}."
        )
    if not conversation.live:
        raise NoOpenEpisode("No message of this conversation has opened an episode.")


def reply(conversation: Conversation, after_seq: int, then: Status | None, by: str, at_ms: int) -> Outcome:
    """A public reply by somebody who had seen messages up to `after_seq`; `then` is the status it leaves.

    A request that crossed the reply keeps the conversation open: nobody has seen it.
    """
    require_open(conversation)
    _check_seen(conversation, after_seq)
    conversation = replace(
        conversation,
        human_version=conversation.human_version + 1,
        seen_seq=max(conversation.seen_seq, after_seq),
        position=conversation.position + 1,
    )
    if then is None or conversation.opening_seq > after_seq:
        return conversation, []
    return _move(conversation, then, 0, by, at_ms)


def change_status(conversation: Conversation, status: Status, until_ms: int, by: str, at_ms: int) -> Outcome:
    """Sets the status of an open episode; `until_ms` is for a snooze. Setting what is already so changes nothing else."""
    require_open(conversation)
    if status is Status.SNOOZED and not at_ms < until_ms <= at_ms + _YEAR_MS:
        raise BadTime("A snooze ends after now and within a year.")
    conversation = replace(
        conversation, human_version=conversation.human_version + 1, seen_seq=conversation.last_seq
    )
    return _move(conversation, status, until_ms, by, at_ms)


def resolve(
    conversation: Conversation,
    through_seq: int,
    reason: str,
    by: str,
    at_ms: int,
    later: Sequence[Understanding],
) -> Outcome:
    """Ends the open episode at `through_seq`, the last message its resolver had seen.

    `later` are the opening messages above `through_seq` that are already here, by number: they belong to the next
    episode, which therefore opens in the same step.
    """
    check_resolve(conversation, through_seq)
    span = replace(
        conversation.spans[-1],
        through_seq=through_seq,
        resolved_at_ms=at_ms,
        resolved_by=by,
        reason=reason,
        topic=conversation.topic,
    )
    facts: list[Fact] = [
        EpisodeEnded(conversation.episode, through_seq, at_ms, by, reason),
        StatusMoved(conversation.episode, Status.RESOLVED, conversation.status, at_ms, by),
    ]
    conversation = replace(
        conversation,
        status=Status.RESOLVED,
        through_seq=through_seq,
        spans=(*conversation.spans[:-1], span),
        human_version=conversation.human_version + 1,
        seen_seq=max(conversation.seen_seq, through_seq),
        snoozed_until_ms=0,
    )
    if later:
        conversation, opened = open_episode(conversation, later)
        facts += opened
    return conversation, facts


def check_resolve(conversation: Conversation, through_seq: int) -> None:
    """Refuses a resolution that cannot be."""
    require_open(conversation)
    _check_seen(conversation, through_seq)
    if through_seq < conversation.first_seq:
        raise ThroughTooEarly(
            f"Message {conversation.first_seq} opened this episode; a resolution must cover it."
        )


def open_trailing(
    conversation: Conversation, understood: Understanding
) -> tuple[Conversation, Understanding, list[Fact]]:
    """A person says that a trailing message asks for something after all: it opens its episode."""
    episode = episode_of(understood.seq, conversation.resolutions)
    if not understood.cause or episode <= conversation.episode:
        raise NotTrailing("The message has opened an episode or belongs to one.")
    understood = replace(understood, opens=True, cause="")
    conversation, facts = settle(conversation, understood)
    return replace(conversation, human_version=conversation.human_version + 1), understood, facts


def correct_topic(conversation: Conversation, topic: str, by: str) -> Conversation:
    """A person says what it is about; triage does not overrule it in this episode."""
    return replace(
        conversation,
        topic=topic,
        topic_confidence=1.0,
        topic_by=by,
        human_version=conversation.human_version + 1,
    )


def set_tags(conversation: Conversation, tags: Sequence[str], by: str) -> Conversation:
    """A person sets the tags; triage adds none from then on."""
    return replace(
        conversation,
        tags=tuple(dict.fromkeys(tags)),
        tags_by=by,
        human_version=conversation.human_version + 1,
    )


def hand_over(conversation: Conversation) -> Conversation:
    """A person asks that somebody else takes the open episode."""
    require_open(conversation)
    return replace(conversation, human_version=conversation.human_version + 1)


def _move(conversation: Conversation, status: Status, until_ms: int, by: str, at_ms: int) -> Outcome:
    until_ms = until_ms if status is Status.SNOOZED else 0
    previous = conversation.status
    conversation = replace(conversation, status=status, snoozed_until_ms=until_ms)
    if previous is status:
        return conversation, []
    return conversation, [StatusMoved(conversation.episode, status, previous, at_ms, by)]


def _check_seen(conversation: Conversation, seq: int) -> None:
    if seq > conversation.last_seq:
        raise NotSeen(f"The last message here is {conversation.last_seq}; {seq} was named.")
