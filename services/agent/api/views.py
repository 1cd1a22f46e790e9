"""Rows to answers."""

from collections.abc import Sequence
from typing import Any

from libs.web import Page
from services.agent.adapters.lists import Listed, TrailingMessage
from services.agent.adapters.queries import Whole
from services.agent.adapters.rows import spans_of
from services.agent.api import schemas, way_schemas
from services.agent.api.message_views import named, triage_result
from services.agent.api.schemas import Named
from services.agent.api.shapes import or_none
from services.agent.domain.conversation import Cause, Conversation, Span, Understanding
from services.agent.domain.placement import Clock, Placement
from services.agent.domain.reaching import Way


def summary(row: Listed) -> schemas.Summary:
    """A conversation as lists show it."""
    return schemas.Summary(
        id=row.conversation_id,
        case_reference=row.case_reference,
        customer=Named(id=row.customer_id, name=row.customer),
        channel=row.channel,
        language=row.language,
        subject=row.subject,
        status=row.status,
        episode=row.episode,
        topic=row.topic,
        urgency=row.urgency,
        tags=row.tags,
        team=named(row.team_id, row.team),
        agent=named(row.agent_id, row.agent),
        last_seq=row.last_seq,
        human_version=row.human_version,
        created_at=row.created_at_ms,
        last_message_at=or_none(row.last_message_at_ms),
        snoozed_until_at=or_none(row.snoozed_until_ms),
    )


def _way(way: Way) -> way_schemas.WayView:
    return way_schemas.WayView(
        channel=way.channel,
        account=way.account,
        endpoint=way.endpoint,
        open=way.open,
        ends_at=way.ends_at or None,
        reason=way.reason or None,
        consent=way.consent,
        templates=[
            way_schemas.TemplateView(
                name=one.name, language=one.language, text=one.text, places=list(one.places)
            )
            for one in way.templates
        ],
    )


def _cause(cause: Cause | None) -> way_schemas.CauseView | None:
    if cause is None:
        return None
    return way_schemas.CauseView(
        outreach_id=cause.outreach_id,
        rule=cause.rule,
        event_type=cause.event_type,
        text=cause.text,
        sent_at=cause.sent_at_ms,
    )


def detail(whole: Whole, page: Page[schemas.Message], ways: Sequence[Way] | None = None) -> schemas.Detail:
    """Everything about a conversation."""
    c, labels = whole.placed.conversation, whole.placed.labels
    placement = whole.placed.placement or Placement(c.conversation_id)
    return schemas.Detail(
        id=c.conversation_id,
        case_reference=c.case_reference,
        channel=c.channel,
        language=c.language,
        subject=c.subject,
        status=c.status.value,
        episode=c.episode,
        first_seq=c.first_seq,
        last_seq=c.last_seq,
        through_seq=c.through_seq,
        human_version=c.human_version,
        created_at=c.created_at_ms,
        last_message_at=or_none(c.last_message_at_ms),
        snoozed_until_at=or_none(c.snoozed_until_ms),
        continues=c.continues or None,
        continued_as=c.continued_as or None,
        traceparent=c.traceparent or None,
        cause=_cause(c.cause),
        ways=None if ways is None else [_way(one) for one in ways],
        customer=_customer(c, whole.customers),
        triage=_triage(c, whole.decision),
        assignment=schemas.Assignment(
            team=named(placement.team_id, labels.team),
            queue_id=placement.queue_id or None,
            agent=named(placement.agent_id, labels.agent),
            last_agent=named(placement.last_agent_id, labels.last_agent),
            handling=placement.handling or None,
            since_at=or_none(placement.since_ms),
        ),
        clocks=[_clock(clock) for clock in placement.clocks],
        tags=list(c.tags),
        notes=[_note(row) for row in whole.notes],
        history=_history(c, whole.history),
        messages=page,
    )


def _customer(c: Conversation, rows: list[dict[str, Any]]) -> schemas.CustomerView:
    """The person: what the conversation's own customer says, and what only the linked ones say where it is silent."""

    def first(name: str) -> str:
        return next((row[name] for row in rows if row[name]), "")

    attributes: dict[str, str] = {}
    for row in reversed(rows):
        attributes.update(row["attributes"])
    return schemas.CustomerView(
        id=c.customer_id,
        linked_ids=[row["customer_id"] for row in rows if row["customer_id"] != c.customer_id],
        name=first("display_name"),
        language=first("language"),
        tier=first("tier"),
        attributes=attributes,
        customer_since=min((row["first_seen_at_ms"] for row in rows), default=None),
        identities=[schemas.Identity(**identity) for row in rows for identity in row["identities"]],
        consents=[
            schemas.Consent(**{k: v for k, v in one.items() if k != "at_ms"}, at=one["at_ms"])
            for row in rows
            for one in row["consents"]
        ],
        context_location=f"/ingest/v1/customers/{c.customer_id}/context" if c.customer_id else None,
    )


def _triage(c: Conversation, decision: Understanding | None) -> schemas.Triage:
    return schemas.Triage(
        topic=c.topic,
        topic_confidence=c.topic_confidence,
        corrected_by=c.topic_by or None,
        urgency=c.urgency,
        anger=c.anger,
        tags=list(c.tags),
        tags_set_by=c.tags_by or None,
        decision=triage_result(decision) if decision else None,
    )


def _clock(clock: Clock) -> schemas.ClockView:
    return schemas.ClockView(
        metric=clock.metric,
        instance=clock.instance,
        state=clock.state,
        breached=clock.breached,
        started_at=or_none(clock.started_at_ms),
        due_at=or_none(clock.due_at_ms),
        ended_at=or_none(clock.ended_at_ms),
        target_ms=clock.target_ms,
        elapsed_ms=clock.elapsed_ms,
        escalated=clock.escalated,
    )


def _note(row: dict[str, Any]) -> schemas.NoteView:
    return schemas.NoteView(
        id=row["note_id"],
        author=Named(id=row["agent_id"], name=row["author"] or row["agent_id"]),
        kind=row["kind"],
        text=row["text"],
        at=row["at_ms"],
    )


def episode(span: Span) -> schemas.Episode:
    """One episode."""
    ended = span.resolved_at_ms > 0
    return schemas.Episode(
        episode=span.episode,
        first_seq=span.first_seq,
        opened_at=span.opened_at_ms,
        through_seq=span.through_seq if ended else None,
        resolved_at=or_none(span.resolved_at_ms),
        resolved_by=span.resolved_by or None,
        reason=span.reason or None,
        topic=span.topic or None,
    )


def _history(c: Conversation, rows: list[dict[str, Any]]) -> schemas.History:
    before = c.spans[-1].opened_at_ms if c.spans else c.created_at_ms
    contacts = [span.resolved_at_ms for span in c.spans if span.resolved_at_ms]
    contacts += [row["last_message_at_ms"] for row in rows]
    earlier = [at for at in contacts if 0 < at < before]
    return schemas.History(
        episodes=[episode(span) for span in c.spans],
        conversations=[
            schemas.Earlier(
                id=row["conversation_id"],
                case_reference=row["case_reference"],
                channel=row["channel"],
                status=row["status"],
                topic=row["topic"],
                created_at=row["created_at_ms"],
                last_message_at=or_none(row["last_message_at_ms"]),
                episodes=[episode(span) for span in spans_of(row["spans"])],
            )
            for row in rows
        ],
        last_contact_at=max(earlier, default=None),
    )


def trailing(row: TrailingMessage) -> schemas.Trailing:
    """A message that opened nothing."""
    return schemas.Trailing(
        id=row.message_id,
        conversation_id=row.conversation_id,
        case_reference=row.case_reference,
        seq=row.seq,
        cause=row.cause,
        channel=row.channel,
        subject=row.subject,
        text=row.text,
        received_at=row.received_at_ms,
    )
