"""Messages and what triage said of them, as answers."""

from services.agent.adapters.queries import Shown
from services.agent.api import schemas
from services.agent.api.schemas import Named
from services.agent.api.shapes import or_none
from services.agent.domain.conversation import Conversation, Understanding
from services.agent.domain.episodes import episode_of
from services.agent.domain.timeline import Entry


def named(id_: str, name: str) -> Named | None:
    """An id with its label, or None for no id."""
    return Named(id=id_, name=name or id_) if id_ else None


def triage_result(u: Understanding) -> schemas.TriageResult:
    """What triage says of a message."""
    d = u.detail
    return schemas.TriageResult(
        kind=u.kind.value,
        kind_confidence=d["kind_confidence"],
        language=u.language,
        language_confidence=d["language_confidence"],
        topic=u.topic,
        topic_confidence=u.topic_confidence,
        urgency=u.urgency,
        anger=u.anger,
        wish_for_person=d["wish_for_person"],
        spam=d["spam"],
        priority=d["priority"],
        tags=list(u.tags),
        required_skills=d["required_skills"],
        mood=d.get("mood", ""),
        macro=d.get("macro", ""),
        suggested_reply=d.get("suggested_reply", ""),
        reply_state=d.get("reply_state", ""),
        escalate=d.get("escalate", ""),
        model_version=d["model_version"],
        policy_version=d["policy_version"],
        triaged_at=d["triaged_at_ms"],
        reasons=[
            schemas.Reason(signal=signal, source=source, detail=detail, weight=weight)
            for signal, source, detail, weight in d["reasons"]
        ],
    )


def message(shown: Shown, conversation: Conversation) -> schemas.Message:
    """An entry of the timeline."""
    entry, understood = shown.entry, shown.understanding
    belongs = None
    if entry.seq and understood is not None and understood.settled:
        belongs = episode_of(entry.seq, conversation.resolutions)
    trails = belongs is not None and belongs > conversation.episode
    return schemas.Message(
        id=entry.message_id,
        position=entry.position,
        direction="in" if entry.seq else "out",
        seq=entry.seq or None,
        after_seq=None if entry.seq else entry.after_seq,
        author=named(entry.author, shown.author),
        channel=entry.channel,
        subject=entry.subject,
        text=entry.text,
        truncated=entry.truncated,
        at=entry.at_ms,
        episode=None if trails else belongs,
        automatic=entry.automatic,
        trailing_cause=understood.cause if trails and understood is not None else None,
        triage=triage_result(understood) if understood is not None else None,
        delivery=_delivery(entry),
        attachments=[
            schemas.File(
                id=one.attachment_id,
                name=one.name,
                media_type=one.media_type,
                size=one.size,
                inline=one.inline,
                location=f"/ingest/v1/conversations/{entry.conversation_id}/files/{one.attachment_id}",
            )
            for one in entry.attachments
        ],
    )


def _delivery(entry: Entry) -> schemas.Delivery | None:
    if entry.seq:
        return None
    return schemas.Delivery(
        state=entry.delivery,
        at=or_none(entry.delivery_at_ms),
        reason=entry.delivery_reason,
        possibly_twice=entry.possibly_twice,
    )
