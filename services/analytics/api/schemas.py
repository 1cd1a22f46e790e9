"""What analytics answers. Times are RFC 3339 in UTC, durations milliseconds; null is what did not happen."""

from typing import Literal

from pydantic import BaseModel, Field

Survey = Literal["pending", "answered", "expired", "cancelled"]


class Clock(BaseModel):
    """A promise as it stood when the episode ended."""

    metric: str = Field(description="`first_response` or `resolution`")
    state: str = Field(description="`met`, `breached` or `cancelled`")
    due_at: str | None
    elapsed_ms: int


class OutcomeRecord(BaseModel):
    """How an episode ended. The highest revision is the whole truth of it; it holds no text and no name."""

    episode_id: str
    revision: int = Field(ge=1, description="1..n without gap")
    final: bool = Field(description="Nothing will change any more")
    revision_cause: str = Field(
        description="`resolved`, `answered`, `expired`, `cancelled`, `reopened`, `final`, or `corrected`: a late fact"
    )
    published_at: str
    conversation_id: str
    episode: int
    case_reference: str
    customer_id: str
    channel: str
    language: str
    topic: str
    team_id: str
    resolved_by: str
    agent_ids: list[str]
    resolution: str
    opened_at: str | None
    first_reply_at: str | None
    resolved_at: str | None
    wait_ms: int | None = Field(description="From the opening message to the first assignment of a person")
    first_response_ms: int | None = Field(description="From the opening message to the first human reply")
    resolution_ms: int | None = Field(description="From the opening message to the resolution")
    pending_ms: int = Field(description="Of that, waiting for the customer")
    on_hold_ms: int = Field(description="Of that, on hold or snoozed")
    customer_messages: int
    agent_replies: int
    transfers: int
    offers: int
    offers_missed: int
    clocks: list[Clock]
    survey: Survey
    survey_cancel_reason: str
    csat_score: int | None = Field(description="1 (worst) to 5 (best)")
    csat_answered_at: str | None
    reopened: bool
    first_seq: int
    through_seq: int
    anger: float
    urgency: str


class OutcomePage(BaseModel):
    """A part of the feed, oldest first."""

    items: list[OutcomeRecord]
    next_cursor: str = Field(description="Send it as `after` the next time; there is always one")


class Revisions(BaseModel):
    """The revisions of one episode, oldest first."""

    items: list[OutcomeRecord]


class EpisodeItem(BaseModel):
    """An episode that has ended, to drill down to."""

    episode_id: str
    conversation_id: str
    episode: int
    revision: int
    final: bool
    team_id: str
    topic: str
    channel: str
    language: str
    opened_at: str | None
    resolved_at: str | None
    wait_ms: int | None
    first_response_ms: int | None
    resolution_ms: int | None
    first_response_clock: str
    resolution_clock: str
    csat_score: int | None
    reopened: bool
