"""Which of the customer's messages have an answer, in whatever order messages and replies are heard of.

A reply answers the messages that its author had seen: those up to its number, or, where a number is not known, those
written before it.
"""

from __future__ import annotations

from services.routing.domain.model import Item

_UNANSWERED_KEPT = 50
_ANSWERS_KEPT = 20


def wrote(item: Item, seq: int, at_ms: int) -> Item:
    """The item with one more message of the customer; one that is known or answered changes nothing."""
    if (seq, at_ms) in item.unanswered or answer_to(item, seq, at_ms):
        return item
    known = sorted((*item.unanswered, (seq, at_ms)), key=lambda message: (message[1], message[0]))
    return item._replace(unanswered=tuple(known[:_UNANSWERED_KEPT]))


def answered(item: Item, after_seq: int, at_ms: int) -> Item:
    """The item after a human reply whose author had seen the messages up to `after_seq`, 0 = unknown."""
    answer = (after_seq, at_ms)
    if answer in item.answers:
        return item
    answers = sorted((*item.answers, answer), key=lambda known: (known[1], known[0]))
    left = tuple(message for message in item.unanswered if not _covers(answer, *message))
    return item._replace(answers=tuple(answers[-_ANSWERS_KEPT:]), unanswered=left)


def answer_to(item: Item, seq: int, at_ms: int) -> int:
    """When a message was answered first, 0 = it is not."""
    return next((answer[1] for answer in item.answers if _covers(answer, seq, at_ms)), 0)


def after_an_answer(item: Item, seq: int, at_ms: int) -> bool:
    """Whether some reply was written before its author had seen the message."""
    return any(not _covers(answer, seq, at_ms) for answer in item.answers)


def _covers(answer: tuple[int, int], seq: int, at_ms: int) -> bool:
    after_seq, replied_at_ms = answer
    return after_seq >= seq if after_seq and seq else at_ms <= replied_at_ms
