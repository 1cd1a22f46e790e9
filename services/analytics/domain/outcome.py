"""How an episode ended, as a pure function of the facts and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.analytics.domain.facts import Care, Clock, Facts, Signals, Span

CLOSED_SURVEYS: Final = frozenset({"answered", "expired", "cancelled"})
_URGENCIES: Final = ("", "low", "normal", "high")
UNKNOWN_TOPIC: Final = "unknown"
UNDETERMINED: Final = "und"


@dataclass(frozen=True, slots=True)
class ClockResult:
    """A clock as it stood when the episode ended."""

    metric: str
    instance: int
    state: str
    """met, breached or cancelled."""
    due_at_ms: int
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole truth of an episode; 0 and "" stand for what did not happen, None for a time that has no end."""

    conversation_id: str
    episode: int
    final: bool
    case_reference: str
    customer_id: str
    channel: str
    language: str
    topic: str
    team_id: str
    resolved_by: str
    agent_ids: tuple[str, ...]
    resolution: str
    opened_at_ms: int
    first_reply_at_ms: int
    resolved_at_ms: int
    wait_ms: int | None
    first_response_ms: int | None
    resolution_ms: int | None
    pending_ms: int
    on_hold_ms: int
    customer_messages: int
    agent_replies: int
    transfers: int
    offers: int
    offers_missed: int
    clocks: tuple[ClockResult, ...]
    survey: str
    survey_cancel_reason: str
    csat_score: int
    csat_answered_at_ms: int
    reopened: bool
    first_seq: int
    through_seq: int
    anger: float
    urgency: str

    @property
    def episode_id(self) -> str:
        """The key of the outcome stream."""
        return f"{self.conversation_id}:{self.episode}"


def outcome_of(
    conversation_id: str, facts: Facts, episode: int, now_ms: int, reopen_window_ms: int
) -> Outcome:
    """The outcome of an episode that has been opened; of an open one, as it stands so far."""
    span, care, survey = facts.span(episode), facts.care_of(episode), facts.survey_of(episode)
    signals = signals_of(facts, span)
    opened_at_ms = opened_at(facts, span)
    final_at_ms = final_at(facts, episode, reopen_window_ms)
    return Outcome(
        conversation_id=conversation_id,
        episode=episode,
        final=final_at_ms is not None and now_ms >= final_at_ms,
        case_reference=span.case_reference,
        customer_id=span.customer_id,
        channel=span.channel,
        language=language_of(span, signals),
        topic=span.topic or topic_of(signals),
        team_id=care.team_id,
        resolved_by=span.resolved_by,
        agent_ids=care.agent_ids,
        resolution=span.resolution,
        opened_at_ms=opened_at_ms,
        first_reply_at_ms=span.first_reply_at_ms,
        resolved_at_ms=span.resolved_at_ms,
        wait_ms=since(opened_at_ms, care.assigned_at_ms),
        first_response_ms=since(opened_at_ms, span.first_reply_at_ms),
        resolution_ms=since(opened_at_ms, span.resolved_at_ms),
        pending_ms=span.pending_ms,
        on_hold_ms=span.on_hold_ms,
        customer_messages=sum(1 for one in facts.messages if one.counted and _belongs(facts, span, one.seq)),
        agent_replies=span.replies,
        transfers=span.transfers,
        offers=care.offers,
        offers_missed=care.offers_missed,
        clocks=clock_results(care),
        survey=survey.state if survey.state in CLOSED_SURVEYS else "pending",
        survey_cancel_reason=survey.reason,
        csat_score=survey.score,
        csat_answered_at_ms=survey.answered_at_ms,
        reopened=any(one.episode > episode and one.opened_at_ms for one in facts.spans),
        first_seq=span.first_seq,
        through_seq=span.through_seq,
        anger=max((one.anger for one in signals), default=0.0),
        urgency=_URGENCIES[max((one.urgency for one in signals), default=0)],
    )


def ended_episodes(facts: Facts) -> list[int]:
    """The episodes that have an outcome: opened and resolved, as far as both are known."""
    return [span.episode for span in facts.spans if span.ended and span.opened_at_ms]


def final_at(facts: Facts, episode: int, reopen_window_ms: int) -> int | None:
    """When nothing will change any more; None while the survey is not closed.

    An answer may be replaced until the invitation runs out, so an answered survey closes with its window.
    """
    span, survey = facts.span(episode), facts.survey_of(episode)
    if not span.ended or survey.state not in CLOSED_SURVEYS:
        return None
    answerable_until = survey.expires_at_ms if survey.state == "answered" else 0
    return max(span.resolved_at_ms + reopen_window_ms, answerable_until)


def awaits_routing(facts: Facts, episode: int) -> bool:
    """Whether a clock of the episode still runs: once it has ended, routing is about to say how."""
    return any(clock_state(clock) == "running" for clock in facts.care_of(episode).clocks)


def survey_delivered(facts: Facts, episode: int) -> bool:
    """Whether the customer was asked and the question did not bounce: the base of the response rate."""
    survey = facts.survey_of(episode)
    return survey.requested_at_ms > 0 and survey.invitation_id not in facts.bounced


def clock_state(clock: Clock) -> str:
    """running, met, breached or cancelled.

    A breach that was noticed before a reply in time was heard of is none. A clock that goes on after a reopen is
    breached only once, in the earlier episode, so a late end counts as a breach without the event too.
    """
    if clock.breached_due_ms:
        return "met" if 0 < clock.met_at_ms <= clock.breached_due_ms else "breached"
    if clock.met_at_ms:
        late = not clock.paused and 0 < clock.due_ms < clock.met_at_ms
        return "breached" if late else "met"
    return "cancelled" if clock.cancelled else "running"


def _belongs(facts: Facts, span: Span, seq: int) -> bool:
    """Whether a message is part of the episode; what trailed after the last one, before the opening message, is not."""
    return seq >= span.first_seq and facts.episode_of(seq) == span.episode


def signals_of(facts: Facts, span: Span) -> list[Signals]:
    """What triage said of the messages of an episode."""
    return [one for one in facts.signals if _belongs(facts, span, one.seq)]


def opened_at(facts: Facts, span: Span) -> int:
    """When the opening message was received; as long as that is unknown, when the episode was opened."""
    return next((one.at_ms for one in facts.messages if one.seq == span.first_seq), span.opened_at_ms)


def since(from_ms: int, to_ms: int) -> int | None:
    """The time between two instants, never below 0; None while the second has not come."""
    return max(0, to_ms - from_ms) if to_ms else None


def topic_of(signals: list[Signals]) -> str:
    """The first topic that is known."""
    return next((one.topic for one in signals if one.topic not in ("", UNKNOWN_TOPIC)), UNKNOWN_TOPIC)


def language_of(span: Span, signals: list[Signals]) -> str:
    """The language of the episode, else of the first message whose language is determined."""
    if span.language not in ("", UNDETERMINED):
        return span.language
    return next((one.language for one in signals if one.language not in ("", UNDETERMINED)), UNDETERMINED)


def clock_results(care: Care) -> tuple[ClockResult, ...]:
    """The clocks that have ended."""
    return tuple(
        ClockResult(
            clock.metric, clock.instance, state, clock.breached_due_ms or clock.due_ms, clock.elapsed_ms
        )
        for clock in care.clocks
        if (state := clock_state(clock)) != "running"
    )
