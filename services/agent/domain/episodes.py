"""The episode rule: to which episode a message belongs, and whether it opens one.

A conversation is opened, resolved, perhaps opened again; each span is one episode, numbered from 1. Every service
computes the same numbers from the same resolutions, in whatever order messages and resolutions reach it.
"""

from collections.abc import Iterable
from enum import StrEnum


class Kind(StrEnum):
    """What a customer's message is, as triage says."""

    REQUEST = "request"
    UNSURE = "unsure"
    THANKS = "thanks"
    AUTOMATIC = "automatic"
    SPAM = "spam"
    SURVEY_ANSWER = "survey_answer"


_OPENING = frozenset({Kind.REQUEST, Kind.UNSURE})
_NEVER_OPENING = frozenset({Kind.AUTOMATIC, Kind.SPAM, Kind.SURVEY_ANSWER})


def episode_of(message_seq: int, resolutions: Iterable[int]) -> int:
    """The episode of a message: 1 + the number of resolutions whose `through_seq` is below its number."""
    return 1 + sum(through_seq < message_seq for through_seq in resolutions)


def is_opening(message_seq: int, kind: Kind) -> bool:
    """Whether a message opens its episode if nothing else has.

    Requests and doubtful ones do; a conversation's first message always does, unless nobody wrote it or it is spam.
    """
    return kind in _OPENING or (message_seq == 1 and kind not in _NEVER_OPENING)


def effective_kind(kind: Kind, *, automatic: bool, survey_answer: bool) -> Kind:
    """The kind after what the channel knows for sure: headers that say automatic, an answer to an open survey."""
    if survey_answer:
        return Kind.SURVEY_ANSWER
    return Kind.AUTOMATIC if automatic and kind is not Kind.SPAM else kind


def episode_id(conversation_id: str, episode: int) -> str:
    """The name of an episode everywhere."""
    return f"{conversation_id}:{episode}"
