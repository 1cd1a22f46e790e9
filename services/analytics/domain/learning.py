"""How each event changes what is known. Every function touches the part of one topic only, and reads no other."""

from __future__ import annotations

from services.analytics.domain.facts import (
    Care,
    Clock,
    Facts,
    Message,
    Signals,
    with_care,
    with_span,
    with_survey,
)

_HELD = ("on_hold", "snoozed")


# ingest.messages.v1


def message_received(facts: Facts, message: Message) -> Facts:
    """A customer's message was numbered."""
    return facts._replace(messages=(*facts.messages, message))


def delivery_failed(facts: Facts, source_id: str) -> Facts:
    """A reply or an invitation will not arrive."""
    return facts._replace(bounced=(*facts.bounced, source_id))


# triage.decisions.v1


def triaged(facts: Facts, signals: Signals) -> Facts:
    """A message was understood."""
    return facts._replace(signals=(*facts.signals, signals))


# agent.conversations.v1


def opened(
    facts: Facts,
    episode: int,
    at_ms: int,
    first_seq: int,
    *,
    customer_id: str,
    channel: str,
    language: str,
    case_reference: str,
) -> Facts:
    """An episode began."""
    span = facts.span(episode)._replace(
        opened_at_ms=at_ms,
        first_seq=first_seq,
        customer_id=customer_id,
        channel=channel,
        language=language,
        case_reference=case_reference,
        status_since_ms=at_ms,
    )
    return with_span(facts, span)


def forgotten(facts: Facts) -> Facts:
    """The customer was erased: whose episodes they were is not known any more."""
    return facts._replace(spans=tuple(span._replace(customer_id="") for span in facts.spans))


def replied(facts: Facts, episode: int, at_ms: int, human: bool) -> Facts:
    """A public reply was sent; automatic ones answer nobody and are not counted."""
    if not human:
        return facts
    span = facts.span(episode)
    first = span.first_reply_at_ms or at_ms
    return with_span(facts, span._replace(replies=span.replies + 1, first_reply_at_ms=first))


def status_changed(facts: Facts, episode: int, status: str, at_ms: int) -> Facts:
    """The episode waits for somebody else, or no longer."""
    span = facts.span(episode)
    if span.ended or status == span.status:
        return facts
    passed = max(0, at_ms - span.status_since_ms) if span.status_since_ms else 0
    return with_span(
        facts,
        span._replace(
            pending_ms=span.pending_ms + (passed if span.status == "pending_customer" else 0),
            on_hold_ms=span.on_hold_ms + (passed if span.status in _HELD else 0),
            status=status,
            status_since_ms=at_ms,
        ),
    )


def topic_corrected(facts: Facts, topic: str) -> Facts:
    """A person named the topic. The event has no episode: it is the newest one that agent had told of."""
    return with_span(facts, facts.spans[-1]._replace(topic=topic)) if facts.spans else facts


def transfer_requested(facts: Facts, episode: int) -> Facts:
    """Somebody asked that another team or person takes over."""
    span = facts.span(episode)
    return with_span(facts, span._replace(transfers=span.transfers + 1))


def resolved(
    facts: Facts, episode: int, at_ms: int, through_seq: int, resolved_by: str, resolution: str
) -> Facts:
    """The episode ended; a second resolution of it changes nothing."""
    if facts.span(episode).ended:
        return facts
    facts = status_changed(facts, episode, "resolved", at_ms)
    return with_span(
        facts,
        facts.span(episode)._replace(
            resolved_at_ms=at_ms,
            through_seq=through_seq,
            resolved_by=resolved_by,
            resolution=resolution,
            status="resolved",
        ),
    )


# routing.assignments.v1


def team_assigned(facts: Facts, episode: int, team_id: str) -> Facts:
    """It waits in a team's queue."""
    return with_care(facts, facts.care_of(episode)._replace(team_id=team_id))


def agent_assigned(facts: Facts, episode: int, agent_id: str, team_id: str, at_ms: int) -> Facts:
    """A person has it; the same person twice in a row is one entry."""
    care = facts.care_of(episode)
    agents = care.agent_ids if care.agent_ids[-1:] == (agent_id,) else (*care.agent_ids, agent_id)
    return with_care(
        facts,
        care._replace(
            team_id=team_id or care.team_id,
            agent_ids=agents,
            assigned_at_ms=care.assigned_at_ms or at_ms,
        ),
    )


def offered(facts: Facts, episode: int) -> Facts:
    """A person was asked."""
    care = facts.care_of(episode)
    return with_care(facts, care._replace(offers=care.offers + 1))


def offer_missed(facts: Facts, episode: int) -> Facts:
    """The person asked let the offer run out."""
    care = facts.care_of(episode)
    return with_care(facts, care._replace(offers_missed=care.offers_missed + 1))


def clock_started(facts: Facts, episode: int, metric: str, instance: int, due_ms: int) -> Facts:
    """A clock runs, runs again, or (due 0) stands still; a stood-still clock keeps the due time it had."""
    care, clock = _clock(facts, episode, metric, instance)
    return _with_clock(facts, care, clock._replace(due_ms=due_ms or clock.due_ms, paused=not due_ms))


def clock_breached(facts: Facts, episode: int, metric: str, instance: int, due_ms: int) -> Facts:
    """The due time passed."""
    care, clock = _clock(facts, episode, metric, instance)
    return _with_clock(facts, care, clock._replace(breached_due_ms=due_ms or clock.due_ms))


def clock_met(facts: Facts, episode: int, metric: str, instance: int, at_ms: int, elapsed_ms: int) -> Facts:
    """What was promised happened, in time or late."""
    care, clock = _clock(facts, episode, metric, instance)
    return _with_clock(facts, care, clock._replace(met_at_ms=at_ms, elapsed_ms=elapsed_ms))


def clock_cancelled(facts: Facts, episode: int, metric: str, instance: int) -> Facts:
    """The promise no longer applies."""
    care, clock = _clock(facts, episode, metric, instance)
    return _with_clock(facts, care, clock._replace(cancelled=True))


def _clock(facts: Facts, episode: int, metric: str, instance: int) -> tuple[Care, Clock]:
    care = facts.care_of(episode)
    known = (one for one in care.clocks if (one.metric, one.instance) == (metric, instance))
    return care, next(known, Clock(metric, instance))


def _with_clock(facts: Facts, care: Care, clock: Clock) -> Facts:
    others = (one for one in care.clocks if (one.metric, one.instance) != (clock.metric, clock.instance))
    return with_care(facts, care._replace(clocks=tuple(sorted((*others, clock)))))


# survey.responses.v1


def survey_requested(facts: Facts, episode: int, invitation_id: str, at_ms: int, expires_at_ms: int) -> Facts:
    """The customer is asked."""
    survey = facts.survey_of(episode)._replace(
        invitation_id=invitation_id, requested_at_ms=at_ms, expires_at_ms=expires_at_ms, state="requested"
    )
    return with_survey(facts, survey)


def survey_answered(facts: Facts, episode: int, score: int, revision: int, at_ms: int) -> Facts:
    """The customer rated; a later revision replaces an earlier one, and an answer outlives an expiry."""
    survey = facts.survey_of(episode)
    if survey.state == "answered" and revision < survey.revision:
        return facts
    return with_survey(
        facts, survey._replace(state="answered", score=score, revision=revision, answered_at_ms=at_ms)
    )


def survey_expired(facts: Facts, episode: int) -> Facts:
    """Nobody answered."""
    survey = facts.survey_of(episode)
    return facts if survey.state == "answered" else with_survey(facts, survey._replace(state="expired"))


def survey_cancelled(facts: Facts, episode: int, reason: str) -> Facts:
    """Nobody is asked."""
    survey = facts.survey_of(episode)
    if survey.state == "answered":
        return facts
    return with_survey(facts, survey._replace(state="cancelled", reason=reason))
