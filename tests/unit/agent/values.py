"""Builders: messages, decisions, conversations."""

from typing import Any

from services.agent.domain.arrivals import begin, receive, settle
from services.agent.domain.conversation import Conversation, Message, Origin, Understanding
from services.agent.domain.episodes import Kind

NOW_MS = 1_780_000_000_000


def message(seq: int, *, automatic: bool = False, survey_answer: bool = False, **changes: Any) -> Message:
    """The customer's message number `seq`, a second after the one before."""
    fields: dict[str, Any] = {
        "message_id": f"m{seq}",
        "seq": seq,
        "customer_id": "customer-1",
        "origin": Origin("chat", "", automatic, survey_answer),
        "case_reference": "CQ7-X2M4K",
        "subject": "",
        "received_at_ms": NOW_MS + seq * 1000,
        "continues": "",
    }
    return Message(**{**fields, **changes})


def decision(seq: int, kind: Kind = Kind.REQUEST, **changes: Any) -> Understanding:
    """What triage says of message number `seq`."""
    fields: dict[str, Any] = {
        "message_id": f"m{seq}",
        "conversation_id": "c1",
        "customer_id": "customer-1",
        "channel": "chat",
        "seq": seq,
        "received_at_ms": NOW_MS + seq * 1000,
        "kind": kind,
        "language": "en",
        "topic": "payment",
        "topic_confidence": 0.8,
        "urgency": "normal",
        "anger": 0.1,
        "tags": (),
        "detail": {},
    }
    return Understanding(**{**fields, **changes})


def after(*kinds: Kind) -> Conversation:
    """A conversation after messages of these kinds, each of them understood."""
    conversation = begin("c1", "customer-1", "chat", NOW_MS)
    for seq, kind in enumerate(kinds, 1):
        conversation = arrive(conversation, seq, kind)
    return conversation


def arrive(conversation: Conversation, seq: int, kind: Kind = Kind.REQUEST) -> Conversation:
    """The conversation after one more message."""
    sent = message(seq)
    conversation = receive(conversation, sent)
    return settle(conversation, decision(seq, kind).settled_with(sent.origin))[0]
