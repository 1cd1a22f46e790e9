"""Decisions to events, rows and what the API shows; events to queries."""

from typing import Any

from libs.contracts import (
    Channel,
    ConversationCorrected,
    ConversationTriaged,
    Handling,
    Kind,
    MessageReceived,
    Purpose,
    Urgency,
)
from libs.contracts import Reason as WireReason
from libs.contracts import Signal as WireSignal
from services.triage.adapters.tables import StoredCorrection, StoredDecision, Unnamed
from services.triage.domain.classification import Query
from services.triage.domain.decision import Circumstances, Decision
from services.triage.domain.memory import Conversation
from services.triage.domain.overlay import words_of
from services.triage.domain.signals import UNKNOWN

_CHANNELS = {
    Channel.CHANNEL_WEB: "web",
    Channel.CHANNEL_CHAT: "chat",
    Channel.CHANNEL_MAIL: "mail",
    Channel.CHANNEL_API: "api",
}
_KINDS = {
    "request": Kind.KIND_REQUEST,
    "unsure": Kind.KIND_UNSURE,
    "thanks": Kind.KIND_THANKS,
    "automatic": Kind.KIND_AUTOMATIC,
    "spam": Kind.KIND_SPAM,
    "survey_answer": Kind.KIND_SURVEY_ANSWER,
}
_URGENCIES = {
    "low": Urgency.URGENCY_LOW,
    "normal": Urgency.URGENCY_NORMAL,
    "high": Urgency.URGENCY_HIGH,
}
_LONGEST_DETAIL = 120
_LONGEST_UNNAMED = 2_000


def query_of(event: MessageReceived, earlier_language: str) -> Query:
    """What is classified of a message: subject and text."""
    text = f"{event.subject}\n{event.text}" if event.subject else event.text
    return Query(text, earlier_language, event.language_hint)


def circumstances_of(event: MessageReceived, conversation: Conversation) -> Circumstances:
    """What is known of a message beside its text."""
    return Circumstances(
        channel=_CHANNELS.get(event.channel, ""),
        automatic=event.automatic,
        survey_answer=event.purpose == Purpose.PURPOSE_SURVEY_ANSWER,
        corrected_topic=conversation.corrected_topic,
        tags_corrected=conversation.tags_corrected,
    )


def event_of(
    decision: Decision, received: MessageReceived, human_version: int, now_ms: int
) -> ConversationTriaged:
    """The event that tells the others."""
    signals, ruling = decision.signals, decision.ruling
    return ConversationTriaged(
        conversation_id=received.conversation_id,
        message_id=received.message_id,
        message_seq=received.message_seq,
        kind=_KINDS[signals.kind.value],
        kind_confidence=signals.kind.confidence,
        language=WireSignal(value=signals.language.value, confidence=signals.language.confidence),
        topic=WireSignal(value=signals.topic.value, confidence=signals.topic.confidence),
        urgency=_URGENCIES[signals.urgency.value],
        urgency_confidence=signals.urgency.confidence,
        anger=signals.anger,
        wish_for_person=signals.wish_for_person,
        spam=signals.spam,
        handling=Handling.HANDLING_HUMAN,
        priority=ruling.priority,
        tags=ruling.tags,
        required_skills=ruling.skills,
        queue_hint=ruling.queue_hint,
        model_version=signals.model_version,
        policy_version=signals.policy_version,
        human_version=human_version,
        reasons=[
            WireReason(
                signal=reason.signal,
                source=reason.source,
                detail=reason.detail[:_LONGEST_DETAIL],
                weight=round(reason.weight, 4),
            )
            for reason in decision.reasons
        ],
        triaged_at_ms=now_ms,
        customer_id=received.customer_id,
        channel=_CHANNELS.get(received.channel, ""),
        received_at_ms=received.received_at_ms,
    )


def row_of(decision: Decision, received: MessageReceived, human_version: int, now_ms: int) -> StoredDecision:
    """The row that is kept of a decision."""
    signals = decision.signals
    return StoredDecision(
        conversation_id=received.conversation_id,
        message_seq=received.message_seq,
        message_id=received.message_id,
        topic=signals.topic.value,
        topic_confidence=signals.topic.confidence,
        kind=signals.kind.value,
        language=signals.language.value,
        decided_at_ms=now_ms,
        human_version=human_version,
        detail=shown(decision),
    )


def lesson_of(event: ConversationCorrected) -> StoredCorrection | None:
    """The row that is kept of a correction; None where there is nothing to learn from."""
    if event.field != "topic" or not event.text.strip() or not event.value:
        return None
    return StoredCorrection(
        conversation_id=event.conversation_id,
        human_version=event.human_version,
        message_id=event.message_id,
        customer_id=event.customer_id,
        text=event.text,
        language=event.language,
        topic=event.value,
        before=event.before,
        corrected_by=event.corrected_by,
        corrected_at_ms=event.corrected_at_ms,
    )


def unnamed_of(decision: Decision, received: MessageReceived, now_ms: int) -> Unnamed | None:
    """The row that is kept of a request whose topic nobody knew; None of any other message."""
    signals = decision.signals
    text = query_of(received, "").text[:_LONGEST_UNNAMED]
    if (
        signals.topic.value != UNKNOWN
        or signals.kind.value not in ("request", "unsure")
        or not words_of(text)
    ):
        return None
    return Unnamed(
        received.conversation_id,
        received.message_seq,
        received.customer_id,
        text,
        signals.language.value,
        now_ms,
    )


def shown(decision: Decision) -> dict[str, Any]:
    """A decision as the API shows it."""
    signals, ruling = decision.signals, decision.ruling
    return {
        "language": {"value": signals.language.value, "confidence": round(signals.language.confidence, 4)},
        "topic": {"value": signals.topic.value, "confidence": round(signals.topic.confidence, 4)},
        "best_topic": signals.best_topic,
        "out_of_scope": round(signals.out_of_scope, 4),
        "kind": {"value": signals.kind.value, "confidence": round(signals.kind.confidence, 4)},
        "urgency": {"value": signals.urgency.value, "confidence": round(signals.urgency.confidence, 4)},
        "anger": round(signals.anger, 4),
        "wish_for_person": round(signals.wish_for_person, 4),
        "spam": round(signals.spam, 4),
        "known_share": round(signals.known_share, 4),
        "handling": ruling.handling,
        "priority": ruling.priority,
        "tags": list(ruling.tags),
        "required_skills": list(ruling.skills),
        "queue_hint": ruling.queue_hint,
        "model_version": signals.model_version,
        "policy_version": signals.policy_version,
        "reasons": [
            {
                "signal": reason.signal,
                "source": reason.source,
                "detail": reason.detail[:_LONGEST_DETAIL],
                "weight": round(reason.weight, 4),
            }
            for reason in decision.reasons
        ],
    }
