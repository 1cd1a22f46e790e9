"""How an episode stands that has no outcome yet: what the figures need of it, cheap enough for every event."""

from __future__ import annotations

from typing import NamedTuple

from services.analytics.domain.facts import Facts
from services.analytics.domain.outcome import (
    clock_results,
    language_of,
    opened_at,
    signals_of,
    since,
    topic_of,
)


class Standing(NamedTuple):
    """The columns of an episode; a named tuple, because it is stored as a JSON list."""

    episode: int
    team_id: str
    topic: str
    channel: str
    language: str
    opened_at_ms: int
    assigned_at_ms: int
    first_reply_at_ms: int
    resolved_at_ms: int
    wait_ms: int | None
    first_response_ms: int | None
    first_response_state: str
    first_response_due_ms: int
    resolution_state: str
    resolution_due_ms: int
    customer_id: str = ""


def standing_of(facts: Facts, published: int) -> Standing | None:
    """The first opened episode after the `published` ones, or None."""
    for span in facts.spans:
        if span.episode > published and span.opened_at_ms:
            break
    else:
        return None
    care = facts.care_of(span.episode)
    signals = signals_of(facts, span)
    opened_at_ms = opened_at(facts, span)
    clocks = {clock.metric: clock for clock in clock_results(care)}
    first_response, resolution = clocks.get("first_response"), clocks.get("resolution")
    return Standing(
        span.episode,
        care.team_id,
        span.topic or topic_of(signals),
        span.channel,
        language_of(span, signals),
        opened_at_ms,
        care.assigned_at_ms,
        span.first_reply_at_ms,
        span.resolved_at_ms,
        since(opened_at_ms, care.assigned_at_ms),
        since(opened_at_ms, span.first_reply_at_ms),
        first_response.state if first_response else "",
        first_response.due_at_ms if first_response else 0,
        resolution.state if resolution else "",
        resolution.due_at_ms if resolution else 0,
        span.customer_id,
    )
