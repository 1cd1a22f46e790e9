"""Decisions to events, rows and what the API shows; events to queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

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
from libs.contracts import Entity as WireEntity
from libs.contracts import Reason as WireReason
from libs.contracts import Signal as WireSignal
from services.triage.adapters.showing import LONGEST_DETAIL, shown
from services.triage.adapters.tables import Customer, StoredCorrection, StoredDecision, Unnamed
from services.triage.domain.classification import Query
from services.triage.domain.decision import Decision
from services.triage.domain.entities import masked
from services.triage.domain.facts import WEEKDAYS, Circumstances, stored
from services.triage.domain.memory import Conversation
from services.triage.domain.overlay import words_of
from services.triage.domain.signals import UNKNOWN

_CHANNELS = {
    Channel.CHANNEL_WEB: "web",
    Channel.CHANNEL_CHAT: "chat",
    Channel.CHANNEL_MAIL: "mail",
    Channel.CHANNEL_API: "api",
    Channel.CHANNEL_SMS: "sms",
    Channel.CHANNEL_WHATSAPP: "whatsapp",
    Channel.CHANNEL_MESSENGER: "messenger",
    Channel.CHANNEL_INSTAGRAM: "instagram",
    Channel.CHANNEL_TELEGRAM: "telegram",
    Channel.CHANNEL_VOICE: "voice",
    Channel.CHANNEL_WEBHOOK: "webhook",
}
_HANDLINGS = {"human": Handling.HANDLING_HUMAN, "bot": Handling.HANDLING_BOT}
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
_LONGEST_UNNAMED = 2_000


def query_of(event: MessageReceived, earlier_language: str) -> Query:
    """What is classified of a message: subject and text."""
    text = f"{event.subject}\n{event.text}" if event.subject else event.text
    return Query(text, earlier_language, event.language_hint)


def by_hand(event: MessageReceived) -> bool:
    """Whether a person may have written it, as part of a conversation."""
    return not event.automatic and event.purpose != Purpose.PURPOSE_SURVEY_ANSWER


def circumstances_of(
    event: MessageReceived, conversation: Conversation, customer: Customer, contacts: int, zone: ZoneInfo
) -> Circumstances:
    """What is known of a message beside its text. `contacts` are the customer's conversations of seven days."""
    at = datetime.fromtimestamp(event.received_at_ms / 1000, zone)
    before = conversation.decided if conversation.decided_seq < event.message_seq else {}
    return Circumstances(
        account=event.account,
        tier=customer.tier,
        attributes=customer.attributes,
        contacts_this_week=contacts,
        message_number=event.message_seq,
        hour=at.hour + at.minute / 60,
        weekday=WEEKDAYS[at.weekday()],
        earlier_mood=before.get("mood", ""),
        earlier_strength=before.get("mood_strength", 0.0),
        channel=_CHANNELS.get(event.channel, ""),
        automatic=event.automatic,
        survey_answer=event.purpose == Purpose.PURPOSE_SURVEY_ANSWER,
        corrected_topic=conversation.corrected_topic,
        tags_corrected=conversation.tags_corrected,
    )


def watched_of(decision: Decision) -> dict[str, Any]:
    """What of a decision is compared with the next one of the conversation."""
    signals, ruling = decision.signals, decision.ruling
    return {
        "topic": signals.topic.value,
        "language": signals.language.value,
        "urgency": signals.urgency.value,
        "mood": signals.mood.value,
        "mood_strength": round(signals.mood_strength, 4),
        "priority": ruling.priority,
        "queue_hint": ruling.queue_hint,
        "escalate": ruling.escalate,
    }


def event_of(
    decision: Decision,
    received: MessageReceived,
    human_version: int,
    now_ms: int,
    changed: Sequence[str] = (),
) -> ConversationTriaged:
    """The event that tells the others."""
    signals, ruling = decision.signals, decision.ruling
    offset = len(received.subject) + 1 if received.subject else 0
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
        handling=_HANDLINGS[ruling.handling],
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
                detail=reason.detail[:LONGEST_DETAIL],
                weight=round(reason.weight, 4),
                **_place(reason.start, reason.end, offset),
            )
            for reason in decision.reasons
        ],
        triaged_at_ms=now_ms,
        customer_id=received.customer_id,
        channel=_CHANNELS.get(received.channel, ""),
        received_at_ms=received.received_at_ms,
        mood=WireSignal(value=signals.mood.value, confidence=signals.mood.confidence),
        mood_strength=signals.mood_strength,
        disappointment=signals.disappointment,
        joy=signals.joy,
        complexity=signals.complexity,
        self_service=signals.self_service,
        entities=[
            WireEntity(
                kind=entity.kind,
                value=masked(entity),
                confidence=entity.confidence,
                rule=entity.rule,
                personal=entity.personal,
                **_place(entity.start, entity.end, offset),
            )
            for entity in signals.entities
        ],
        macro=ruling.macro,
        reply=ruling.reply,
        escalate=ruling.escalate,
        rules_version=decision.rules_version,
        mood_turn=str(decision.facts["mood_turn"]),
        changed=changed,
        second_topic=WireSignal(value=signals.second_topic.value, confidence=signals.second_topic.confidence),
    )


def _place(start: int, end: int, offset: int) -> dict[str, Any]:
    """Places in subject and text together, as places in one of them."""
    if end > start >= offset > 0:
        return {"start": start - offset, "end": end - offset}
    return {"start": start, "end": end, "in_subject": offset > 0 and end > start}


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
        facts=stored(decision.facts),
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
