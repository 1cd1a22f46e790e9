"""What people send, and what a reply or a note answers."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, model_validator

from libs.web import TooLarge
from services.agent.api.desk import State
from services.agent.api.shapes import Body, Instant

_MOST_BYTES = 65_536
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]", re.ASCII)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must say something")
    return text


Said = Annotated[str, Field(min_length=1, description="At most 64 KB"), AfterValidator(_said)]


def _written(value: object) -> object:
    # Without this a bare number, also one in quotes, would be taken for Unix time.
    if value is not None and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("must be a text such as 2030-01-31T09:00:00Z")
    return value


Moment = Annotated[AwareDatetime | None, BeforeValidator(_written)]
Seq = Annotated[int, Field(ge=0, le=2**53)]
Tag = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^\S(.*\S)?$")]


class TemplateUse(Body):
    """A template of the conversation's `ways`, filled in."""

    name: str = Field(min_length=1, max_length=512)
    language: str = Field(min_length=1, max_length=20)
    values: dict[str, str] = Field(default={}, max_length=50, description="By place, each a line of text")


class NewReply(Body):
    """A public reply: a text, or a template where the provider takes no free text."""

    text: str = Field(default="", description="At most 64 KB; with a template none: the template is the text")
    channel: str | None = Field(
        default=None,
        min_length=1,
        max_length=40,
        description="One of the conversation's `ways`; by default where the customer wrote last",
    )
    template: TemplateUse | None = None
    after_seq: Seq = Field(description="Number of the last customer message its author had seen")
    then: Literal["pending_customer", "on_hold"] | None = Field(
        default=None, description="Status afterwards; a request that crossed the reply keeps it open"
    )

    @model_validator(mode="after")
    def _says(self) -> "NewReply":
        if self.template is None:
            _said(self.text)
        elif self.text:
            raise ValueError("a template is the text: leave text out")
        return self


class NewNote(Body):
    """An internal note."""

    text: Said


class NewTags(Body):
    """All tags, in order; triage adds none from then on."""

    tags: list[Tag] = Field(max_length=50)


class NewTopic(Body):
    """What it is about, in a person's judgement."""

    topic: str = Field(min_length=1, max_length=100, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    message_id: str = Field(
        default="",
        max_length=100,
        description="The message that shows it; by default what opened the episode",
    )


class NewStatus(Body):
    """The status of an open episode."""

    status: Literal["open", "pending_customer", "on_hold", "snoozed"]
    until_at: Moment = Field(default=None, strict=False, description="End of a snooze; only with snoozed")

    @model_validator(mode="after")
    def _ends(self) -> "NewStatus":
        if (self.status == "snoozed") != (self.until_at is not None):
            raise ValueError("until_at goes with snoozed, and only with it")
        return self


class Resolution(Body):
    """The end of the open episode."""

    through_seq: Seq = Field(description="Number of the last customer message you have seen")
    reason: Literal["solved", "duplicate", "spam", "no_reply", "other"] = "solved"


class NewTransfer(Body):
    """To exactly one of a queue, a team or a person."""

    queue_id: str | None = Field(default=None, min_length=1, max_length=100)
    team_id: str | None = Field(default=None, min_length=1, max_length=100)
    agent_id: str | None = Field(default=None, min_length=1, max_length=100)
    note: str = Field(default="", max_length=4000, description="What the next person should know")

    @model_validator(mode="after")
    def _one(self) -> "NewTransfer":
        if sum(target is not None for target in (self.queue_id, self.team_id, self.agent_id)) != 1:
            raise ValueError("name exactly one of queue_id, team_id and agent_id")
        return self


class NewHandoff(Body):
    """People take a conversation from the bot that has it."""

    reason: Literal["taken_over", "asked_for_person", "not_sure", "anger", "other"] = "taken_over"


class ReplyKept(BaseModel):
    """A reply on its way to the customer."""

    id: str
    conversation: State
    unseen: int
    """Customer messages that its author had not seen."""


class NoteKept(BaseModel):
    """A note that was added."""

    id: str
    at: Instant


def check_size(text: str) -> None:
    """413 above 64 KB."""
    size = len(text.encode())
    if size > _MOST_BYTES:
        raise TooLarge(f"A text has at most {_MOST_BYTES} bytes; this one has {size}.")
