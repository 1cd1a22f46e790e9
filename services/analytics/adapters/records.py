"""A revision as others see it: the event on the log and the JSON of the feed."""

from datetime import UTC, datetime
from typing import Any

from libs.contracts import ClockResult, ConversationOutcome, SurveyState
from services.analytics.domain.outcome import Outcome

_SURVEYS = {
    "pending": SurveyState.SURVEY_STATE_PENDING,
    "answered": SurveyState.SURVEY_STATE_ANSWERED,
    "expired": SurveyState.SURVEY_STATE_EXPIRED,
    "cancelled": SurveyState.SURVEY_STATE_CANCELLED,
}


def rfc3339(at_ms: int) -> str | None:
    """Unix milliseconds as RFC 3339 in UTC; 0 is None."""
    if not at_ms:
        return None
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def record_of(outcome: Outcome, revision: int, cause: str, published_at_ms: int) -> dict[str, Any]:
    """The JSON of a revision: times RFC 3339, durations in `_ms`, null for what did not happen."""
    return {
        "episode_id": outcome.episode_id,
        "revision": revision,
        "final": outcome.final,
        "revision_cause": cause,
        "published_at": rfc3339(published_at_ms),
        "conversation_id": outcome.conversation_id,
        "episode": outcome.episode,
        "case_reference": outcome.case_reference,
        "customer_id": outcome.customer_id,
        "channel": outcome.channel,
        "language": outcome.language,
        "topic": outcome.topic,
        "team_id": outcome.team_id,
        "resolved_by": outcome.resolved_by,
        "agent_ids": list(outcome.agent_ids),
        "resolution": outcome.resolution,
        "opened_at": rfc3339(outcome.opened_at_ms),
        "first_reply_at": rfc3339(outcome.first_reply_at_ms),
        "resolved_at": rfc3339(outcome.resolved_at_ms),
        "wait_ms": outcome.wait_ms,
        "first_response_ms": outcome.first_response_ms,
        "resolution_ms": outcome.resolution_ms,
        "pending_ms": outcome.pending_ms,
        "on_hold_ms": outcome.on_hold_ms,
        "customer_messages": outcome.customer_messages,
        "agent_replies": outcome.agent_replies,
        "transfers": outcome.transfers,
        "offers": outcome.offers,
        "offers_missed": outcome.offers_missed,
        "clocks": [
            {
                "metric": clock.metric,
                "state": clock.state,
                "due_at": rfc3339(clock.due_at_ms),
                "elapsed_ms": clock.elapsed_ms,
            }
            for clock in outcome.clocks
        ],
        "survey": outcome.survey,
        "survey_cancel_reason": outcome.survey_cancel_reason,
        "csat_score": outcome.csat_score or None,
        "csat_answered_at": rfc3339(outcome.csat_answered_at_ms),
        "reopened": outcome.reopened,
        "first_seq": outcome.first_seq,
        "through_seq": outcome.through_seq,
        "anger": outcome.anger,
        "urgency": outcome.urgency,
    }


def event_of(outcome: Outcome, revision: int, cause: str, published_at_ms: int) -> ConversationOutcome:
    """The event of a revision."""
    return ConversationOutcome(
        episode_id=outcome.episode_id,
        revision=revision,
        final=outcome.final,
        revision_cause=cause,
        conversation_id=outcome.conversation_id,
        episode=outcome.episode,
        case_reference=outcome.case_reference,
        customer_id=outcome.customer_id,
        channel=outcome.channel,
        language=outcome.language,
        topic=outcome.topic,
        team_id=outcome.team_id,
        resolved_by=outcome.resolved_by,
        agent_ids=outcome.agent_ids,
        resolution=outcome.resolution,
        opened_at_ms=outcome.opened_at_ms,
        first_reply_at_ms=outcome.first_reply_at_ms,
        resolved_at_ms=outcome.resolved_at_ms,
        wait_ms=outcome.wait_ms,
        first_response_ms=outcome.first_response_ms,
        resolution_ms=outcome.resolution_ms or 0,
        pending_ms=outcome.pending_ms,
        on_hold_ms=outcome.on_hold_ms,
        customer_messages=outcome.customer_messages,
        agent_replies=outcome.agent_replies,
        transfers=outcome.transfers,
        offers=outcome.offers,
        offers_missed=outcome.offers_missed,
        clocks=[
            ClockResult(
                metric=clock.metric,
                state=clock.state,
                due_at_ms=clock.due_at_ms,
                elapsed_ms=clock.elapsed_ms,
            )
            for clock in outcome.clocks
        ],
        survey=_SURVEYS[outcome.survey],
        survey_cancel_reason=outcome.survey_cancel_reason,
        csat_score=outcome.csat_score,
        csat_answered_at_ms=outcome.csat_answered_at_ms,
        reopened=outcome.reopened,
        first_seq=outcome.first_seq,
        through_seq=outcome.through_seq,
        anger=outcome.anger,
        urgency=outcome.urgency,
        published_at_ms=published_at_ms,
    )
