"""By which channels a conversation can go on, and why it was begun, as the reading routes show it."""

from pydantic import BaseModel, Field

from services.agent.api.shapes import Instant


class TemplateView(BaseModel):
    """A text that the provider has approved, with the places to fill in."""

    name: str
    language: str
    text: str
    places: list[str]


class WayView(BaseModel):
    """One channel the conversation can go on by."""

    channel: str
    account: str
    endpoint: str
    open: bool = Field(description="Whether a reply may be a free text now")
    ends_at: str | None = Field(description="Until when, where the provider sets an end")
    reason: str | None = Field(description="Why it is closed, and what to do")
    consent: str = Field(
        description="answer, wrote, called or given; none or withdrawn where they may not be written to"
    )
    templates: list[TemplateView] = Field(description="What can be sent even outside the window")


class CauseView(BaseModel):
    """The message of ours that the conversation answers: the customer had not asked for it."""

    outreach_id: str
    rule: str
    event_type: str
    text: str
    sent_at: Instant
