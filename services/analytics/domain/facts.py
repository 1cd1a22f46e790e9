"""What is known of one conversation, kept apart by the topic it came from.

Order holds within a topic and between topics there is none. So each topic has a part of its own, folded in its order,
and nothing is combined before an outcome is asked for (`outcome.py`): the same events give the same facts however the
topics interleave. The values are named tuples because they are stored as JSON lists, many times a second.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Message(NamedTuple):
    """A customer's message, from `ingest.messages.v1`."""

    seq: int
    at_ms: int
    counted: bool
    """False for what no person wrote and for answers to a survey."""


class Signals(NamedTuple):
    """What triage said of a message, from `triage.decisions.v1`."""

    seq: int
    topic: str
    urgency: int
    """0 unknown, 1 low, 2 normal, 3 high."""
    anger: float
    language: str


class Span(NamedTuple):
    """An episode as `agent.conversations.v1` tells it. `opened_at_ms` is 0 before EpisodeOpened, others likewise."""

    episode: int
    opened_at_ms: int = 0
    first_seq: int = 0
    customer_id: str = ""
    channel: str = ""
    language: str = ""
    case_reference: str = ""
    topic: str = ""
    """A person's correction."""
    replies: int = 0
    first_reply_at_ms: int = 0
    transfers: int = 0
    status: str = "open"
    status_since_ms: int = 0
    pending_ms: int = 0
    on_hold_ms: int = 0
    resolved_at_ms: int = 0
    through_seq: int = 0
    resolved_by: str = ""
    resolution: str = ""

    @property
    def ended(self) -> bool:
        """Whether it has been resolved."""
        return self.resolved_at_ms > 0


class Clock(NamedTuple):
    """A promise as `routing.assignments.v1` tells it; 0 where a thing has not happened."""

    metric: str
    instance: int
    due_ms: int = 0
    paused: bool = False
    breached_due_ms: int = 0
    met_at_ms: int = 0
    elapsed_ms: int = 0
    cancelled: bool = False


class Care(NamedTuple):
    """Who had an episode, as `routing.assignments.v1` tells it."""

    episode: int
    team_id: str = ""
    agent_ids: tuple[str, ...] = ()
    assigned_at_ms: int = 0
    """The first assignment of a person."""
    offers: int = 0
    offers_missed: int = 0
    clocks: tuple[Clock, ...] = ()


class Survey(NamedTuple):
    """The survey of an episode, as `survey.responses.v1` tells it."""

    episode: int
    invitation_id: str = ""
    requested_at_ms: int = 0
    expires_at_ms: int = 0
    state: str = "pending"
    """pending, requested, answered, expired or cancelled."""
    reason: str = ""
    score: int = 0
    revision: int = 0
    answered_at_ms: int = 0


class Facts(NamedTuple):
    """Everything known of a conversation."""

    messages: tuple[Message, ...] = ()
    bounced: tuple[str, ...] = ()
    """Ids of replies and invitations that could not be delivered."""
    signals: tuple[Signals, ...] = ()
    spans: tuple[Span, ...] = ()
    care: tuple[Care, ...] = ()
    surveys: tuple[Survey, ...] = ()

    def span(self, episode: int) -> Span:
        """The episode as far as it is known."""
        return next((one for one in self.spans if one.episode == episode), Span(episode))

    def care_of(self, episode: int) -> Care:
        """Its assignments as far as they are known."""
        return next((one for one in self.care if one.episode == episode), Care(episode))

    def survey_of(self, episode: int) -> Survey:
        """Its survey as far as it is known."""
        return next((one for one in self.surveys if one.episode == episode), Survey(episode))

    def episode_of(self, seq: int) -> int:
        """The candidate episode of a message: 1 + number of resolutions whose `through_seq` is below its number."""
        return 1 + sum(1 for span in self.spans if span.ended and span.through_seq < seq)


def with_span(facts: Facts, span: Span) -> Facts:
    """The facts with this in place of what was known of the episode."""
    others = tuple(one for one in facts.spans if one.episode != span.episode)
    return facts._replace(spans=tuple(sorted((*others, span))))


def with_care(facts: Facts, care: Care) -> Facts:
    """The facts with this in place of what was known of the episode's assignments."""
    others = tuple(one for one in facts.care if one.episode != care.episode)
    return facts._replace(care=tuple(sorted((*others, care))))


def with_survey(facts: Facts, survey: Survey) -> Facts:
    """The facts with this in place of what was known of the episode's survey."""
    others = tuple(one for one in facts.surveys if one.episode != survey.episode)
    return facts._replace(surveys=tuple(sorted((*others, survey))))


def from_json(value: list[Any]) -> Facts:
    """Facts from the lists they are stored as."""
    messages, bounced, signals, spans, care, surveys = value
    return Facts(
        tuple(Message(*row) for row in messages),
        tuple(bounced),
        tuple(Signals(*row) for row in signals),
        tuple(Span(*row) for row in spans),
        tuple(_care_from_json(row) for row in care),
        tuple(Survey(*row) for row in surveys),
    )


def _care_from_json(row: list[Any]) -> Care:
    return Care(*row)._replace(
        agent_ids=tuple(row[2]),
        clocks=tuple(Clock(*clock) for clock in row[6]),
    )
