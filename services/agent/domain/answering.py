"""The reply that a rule of triage gives: said once in an episode, to somebody who asks, and never after a person acted."""

from dataclasses import replace
from typing import Final

from services.agent.domain.conversation import Conversation, Status, Understanding
from services.agent.domain.episodes import Kind, episode_of

SENT: Final = "sent"
_ASKS: Final = frozenset({Kind.REQUEST, Kind.UNSURE})
_LATEST_MS: Final = 3_600_000


def reply_of(understood: Understanding) -> str:
    """What a rule says, in the message's language; empty when none does."""
    return str(understood.detail.get("suggested_reply", ""))


def answer(conversation: Conversation, understood: Understanding, now_ms: int) -> tuple[Conversation, str]:
    """After a message has been put where it belongs: whether its rule's reply is said, and if not, why.

    The second value is empty without a reply, `sent`, or the reason: `not asked` (thanks, automatic mail, spam, a survey's
    answer), `closed`, `answered` (once in an episode), `person` (somebody acted in the episode, or since triage
    decided), `late` (an hour after the message). When it is sent, the timeline has a place for it.
    """
    if not reply_of(understood):
        return conversation, ""
    if understood.kind not in _ASKS:
        return conversation, "not asked"
    if (
        conversation.status is Status.RESOLVED
        or not conversation.live
        or episode_of(understood.seq, conversation.resolutions) != conversation.episode
    ):
        return conversation, "closed"
    span = conversation.spans[-1]
    if span.rule_reply:
        return conversation, "answered"
    if not conversation.human_version == span.human_version == understood.detail.get("human_version", 0):
        return conversation, "person"
    if now_ms - understood.received_at_ms > _LATEST_MS:
        return conversation, "late"
    spans = (*conversation.spans[:-1], replace(span, rule_reply=understood.message_id))
    return replace(conversation, spans=spans, position=conversation.position + 1), SENT
