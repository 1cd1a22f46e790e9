"""Events to values and facts to events."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message as Event

from libs.contracts import (
    Channel,
    ConversationResolved,
    ConversationTriaged,
    EpisodeCause,
    EpisodeOpened,
    MessageReceived,
    Purpose,
    ReplySent,
    SlaMetric,
    StatusChanged,
    Urgency,
)
from libs.contracts import Kind as WireKind
from libs.contracts import Status as WireStatus
from services.agent.domain.conversation import (
    Conversation,
    EpisodeBegan,
    EpisodeEnded,
    Fact,
    Message,
    Origin,
    Status,
    Understanding,
)
from services.agent.domain.episodes import Kind
from services.agent.domain.timeline import Entry

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
_KINDS = {
    WireKind.KIND_REQUEST: Kind.REQUEST,
    WireKind.KIND_UNSURE: Kind.UNSURE,
    WireKind.KIND_THANKS: Kind.THANKS,
    WireKind.KIND_AUTOMATIC: Kind.AUTOMATIC,
    WireKind.KIND_SPAM: Kind.SPAM,
    WireKind.KIND_SURVEY_ANSWER: Kind.SURVEY_ANSWER,
}
_URGENCIES = {Urgency.URGENCY_LOW: "low", Urgency.URGENCY_HIGH: "high"}
_METRICS = {
    SlaMetric.SLA_METRIC_FIRST_RESPONSE: "first_response",
    SlaMetric.SLA_METRIC_RESOLUTION: "resolution",
    SlaMetric.SLA_METRIC_NEXT_RESPONSE: "next_response",
    SlaMetric.SLA_METRIC_UPDATE: "update",
    SlaMetric.SLA_METRIC_AGENT_WORK: "agent_work",
    SlaMetric.SLA_METRIC_TOTAL_RESOLUTION: "total_resolution",
}
_STATUSES = {
    Status.OPEN: WireStatus.STATUS_OPEN,
    Status.PENDING_CUSTOMER: WireStatus.STATUS_PENDING_CUSTOMER,
    Status.ON_HOLD: WireStatus.STATUS_ON_HOLD,
    Status.SNOOZED: WireStatus.STATUS_SNOOZED,
    Status.RESOLVED: WireStatus.STATUS_RESOLVED,
}


def metric_of(metric: Any) -> str:
    """The name of a clock; one that this build does not know keeps its number."""
    return _METRICS.get(metric, f"metric_{int(metric)}")


def message_of(event: MessageReceived) -> Message:
    """A customer's message without its text."""
    return Message(
        event.message_id,
        event.message_seq,
        event.customer_id,
        Origin(
            _CHANNELS.get(event.channel, ""),
            event.language_hint,
            event.automatic,
            event.purpose == Purpose.PURPOSE_SURVEY_ANSWER,
        ),
        event.case_reference,
        event.subject,
        event.received_at_ms,
        event.continues_conversation_id,
    )


def entry_of(event: MessageReceived, message: Message, position: int) -> Entry:
    """The message as it stands in the timeline."""
    origin = message.origin
    return Entry(
        message.message_id,
        event.conversation_id,
        position,
        message.seq,
        0,
        "",
        origin.channel,
        origin.language_hint,
        origin.automatic,
        origin.survey_answer,
        message.subject,
        event.text,
        event.truncated,
        message.received_at_ms,
    )


def understanding_of(event: ConversationTriaged) -> Understanding:
    """What triage says of a message. A kind that this build does not know is doubtful, so it opens."""
    return Understanding(
        event.message_id,
        event.conversation_id,
        event.customer_id,
        event.channel,
        event.message_seq,
        event.received_at_ms,
        _KINDS.get(event.kind, Kind.UNSURE),
        event.language.value,
        event.topic.value or "unknown",
        event.topic.confidence,
        _URGENCIES.get(event.urgency, "normal"),
        event.anger,
        tuple(dict.fromkeys(event.tags)),
        {
            "kind_confidence": event.kind_confidence,
            "language_confidence": event.language.confidence,
            "urgency_confidence": event.urgency_confidence,
            "wish_for_person": event.wish_for_person,
            "spam": event.spam,
            "priority": event.priority,
            "required_skills": list(event.required_skills),
            "queue_hint": event.queue_hint,
            "macro": event.macro,
            "suggested_reply": event.reply,
            "escalate": event.escalate,
            "mood": event.mood.value,
            "mood_strength": event.mood_strength,
            "mood_turn": event.mood_turn,
            "complexity": event.complexity,
            "entities": [[one.kind, one.value, one.confidence] for one in event.entities],
            "model_version": event.model_version,
            "policy_version": event.policy_version,
            "human_version": event.human_version,
            "triaged_at_ms": event.triaged_at_ms,
            "reasons": [[r.signal, r.source, r.detail, r.weight] for r in event.reasons],
        },
    )


def reply_sent(after: Conversation, reply: Entry) -> ReplySent:
    """A reply of a person, or a notice, on its way to the customer. `after` is the conversation with it."""
    return ReplySent(
        reply_id=reply.message_id,
        conversation_id=reply.conversation_id,
        episode=after.episode,
        agent_id=reply.author,
        text=reply.text,
        after_seq=reply.after_seq,
        sent_at_ms=reply.at_ms,
        channel=reply.channel,
        human=not reply.automatic,
        human_version=after.human_version,
        customer_id=after.customer_id,
    )


def events_of(conversation: Conversation, facts: Sequence[Fact]) -> list[Event]:
    """Facts as events, in their order. `conversation` is the one after them."""
    return [_event_of(conversation, fact) for fact in facts]


def _event_of(conversation: Conversation, fact: Fact) -> Event:
    if isinstance(fact, EpisodeBegan):
        return EpisodeOpened(
            conversation_id=conversation.conversation_id,
            episode=fact.episode,
            cause=(
                EpisodeCause.EPISODE_CAUSE_FIRST_MESSAGE
                if fact.episode == 1
                else EpisodeCause.EPISODE_CAUSE_REOPENED
            ),
            first_seq=fact.first_seq,
            opened_at_ms=fact.at_ms,
            customer_id=conversation.customer_id,
            channel=fact.channel,
            language=fact.language,
            case_reference=conversation.case_reference,
        )
    if isinstance(fact, EpisodeEnded):
        return ConversationResolved(
            conversation_id=conversation.conversation_id,
            episode=fact.episode,
            through_seq=fact.through_seq,
            resolved_by=fact.by,
            resolved_at_ms=fact.at_ms,
            human_version=conversation.human_version,
            customer_id=conversation.customer_id,
            channel=conversation.channel,
            language=conversation.language,
            reason=fact.reason,
        )
    return StatusChanged(
        conversation_id=conversation.conversation_id,
        episode=fact.episode,
        status=_STATUSES[fact.status],
        previous=_STATUSES[fact.previous],
        changed_at_ms=fact.at_ms,
        changed_by=fact.by,
        human_version=conversation.human_version,
    )
