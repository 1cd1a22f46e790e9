"""The rows of analytics as values, and how each is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.storage import TableRepository
from services.analytics.adapters import tables
from services.analytics.domain.facts import Facts, from_json
from services.analytics.domain.outcome import ClockResult, Outcome
from services.analytics.domain.promises import Promise
from services.analytics.domain.standing import Standing

FEED = "outcomes"
"""The one counter of feed positions."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation, and when its outcomes are looked at again."""

    conversation_id: str
    facts: Facts
    due_at_ms: int = 0
    """0: nothing is awaited."""
    published: int = 0
    """How many of its episodes have an outcome."""
    open_since_ms: int = 0
    """When the episode began that has no outcome yet; 0 without one."""
    open_episode: Standing | None = None
    """How that episode stands."""
    idle_from_ms: int = 0
    """Since when nothing is open or awaited; 0 while something is."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode with its newest outcome."""

    conversation_id: str
    episode: int
    revision: int
    published_at_ms: int
    survey_delivered: bool
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A revision as the feed shows it."""

    position: int
    conversation_id: str
    episode: int
    revision: int
    published_at_ms: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeedCounter:
    """The newest position. Its row stays locked from the numbering to the commit, so positions appear in order."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a team or a person."""

    kind: str
    id: str
    name: str
    version: int
    removed: bool


@dataclass(frozen=True, slots=True)
class Person:
    """By whose id the person is known whom a customer is; the highest version holds."""

    customer_id: str
    person_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Presence:
    """The state a person is in."""

    agent_id: str
    state: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class PresenceInterval:
    """A state a person was in, [from, until)."""

    agent_id: str
    from_ms: int
    until_ms: int
    state: str


def columns_of(outcome: Outcome, survey_delivered: bool) -> dict[str, Any]:
    """What the figures are made of, NULL for an instant that has not come: block ranges then stay narrow.

    Of several instances of a clock the last counts.
    """
    clocks = {clock.metric: clock for clock in outcome.clocks}
    nothing = ClockResult("", 0, "", 0, 0)
    first_response, resolution = (
        clocks.get("first_response", nothing),
        clocks.get("resolution", nothing),
    )
    return {
        "team_id": outcome.team_id,
        "topic": outcome.topic,
        "channel": outcome.channel,
        "language": outcome.language,
        "opened_at_ms": outcome.opened_at_ms,
        "assigned_at_ms": None if outcome.wait_ms is None else outcome.opened_at_ms + outcome.wait_ms,
        "first_reply_at_ms": outcome.first_reply_at_ms or None,
        "resolved_at_ms": outcome.resolved_at_ms,
        "wait_ms": outcome.wait_ms,
        "first_response_ms": outcome.first_response_ms,
        "resolution_ms": outcome.resolution_ms,
        "first_response_state": first_response.state,
        "first_response_due_ms": first_response.due_at_ms or None,
        "resolution_state": resolution.state,
        "resolution_due_ms": resolution.due_at_ms or None,
        "survey_delivered": survey_delivered,
        "csat_score": outcome.csat_score,
        "csat_answered_at_ms": outcome.csat_answered_at_ms or None,
        "reopened": outcome.reopened,
        "final": outcome.final,
        "customer_id": outcome.customer_id,
    }


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome as it is stored."""
    fields = {name: getattr(outcome, name) for name in Outcome.__slots__}
    fields["clocks"] = [
        [clock.metric, clock.instance, clock.state, clock.due_at_ms, clock.elapsed_ms]
        for clock in outcome.clocks
    ]
    return fields


def outcome_from_json(value: Mapping[str, Any]) -> Outcome:
    """The outcome from what is stored."""
    return Outcome(
        **{
            **value,
            "agent_ids": tuple(value["agent_ids"]),
            "clocks": tuple(ClockResult(*clock) for clock in value["clocks"]),
        }
    )


def _episode_to_row(episode: Episode) -> dict[str, Any]:
    return {
        "conversation_id": episode.conversation_id,
        "episode": episode.episode,
        "revision": episode.revision,
        "published_at_ms": episode.published_at_ms,
        **columns_of(episode.outcome, episode.survey_delivered),
        "outcome": outcome_to_json(episode.outcome),
    }


def _episode_from_row(row: Mapping[str, Any]) -> Episode:
    return Episode(
        row["conversation_id"],
        row["episode"],
        row["revision"],
        row["published_at_ms"],
        row["survey_delivered"],
        outcome_from_json(row["outcome"]),
    )


def _conversation_from_row(row: Mapping[str, Any]) -> Conversation:
    standing = row["open_episode"]
    return Conversation(
        row["conversation_id"],
        from_json(row["facts"]),
        row["due_at_ms"],
        row["published"],
        row["open_since_ms"],
        None if standing is None else Standing(*standing),
        row["idle_from_ms"],
    )


CONVERSATIONS = TableRepository(tables.CONVERSATIONS, Conversation, from_row=_conversation_from_row)
EPISODES = TableRepository(tables.EPISODES, Episode, _episode_to_row, _episode_from_row)
FEED_ENTRIES = TableRepository(tables.OUTCOME_FEED, FeedEntry)
FEED_COUNTERS = TableRepository(tables.FEED_COUNTER, FeedCounter)
PROMISES = TableRepository(tables.PROMISES, Promise)
PERSONS = TableRepository(tables.PERSONS, Person)
LABELS = TableRepository(tables.LABELS, Label)
PRESENCE = TableRepository(tables.PRESENCE, Presence)
PRESENCE_INTERVALS = TableRepository(tables.PRESENCE_INTERVALS, PresenceInterval)
