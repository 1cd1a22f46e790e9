"""What requests and answers look like."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from services.survey.adapters.tables import Answer as KeptAnswer
from services.survey.domain.definitions import Definition as DefinitionValue
from services.survey.domain.invitations import Invitation as InvitationValue
from services.survey.operations import MOST_COMMENT

StateName = Literal["scheduled", "requested", "answered", "expired", "cancelled"]


def instant(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


Instant = Annotated[
    int, PlainSerializer(instant, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""Milliseconds inside, RFC 3339 outside."""


class NewAnswer(BaseModel):
    """An answer as a program sends it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    score: int = Field(ge=1, le=11, description="1 (worst) to the scale's end (best)")
    comment: str = Field(default="", max_length=2 * MOST_COMMENT, description="At most 2,000 characters")


class Answered(BaseModel):
    """The answer as it is kept."""

    score: int
    scale_max: int
    comment: str
    revision: int = Field(description="1 for the first answer, one more for each that changed it")
    answered_at: Instant
    open_until: Instant = Field(description="Until then it can be changed; past for a late answer")
    late: bool = Field(description="It came after the window: kept, counted in no figure")


class Revision(BaseModel):
    """One state of an answer."""

    revision: int
    score: int
    comment: str
    language: str
    answered_at: Instant


class Invitation(BaseModel):
    """One invitation, of one episode."""

    id: str
    conversation_id: str
    episode: int
    customer_id: str
    channel: str
    language: str
    definition: str
    state: StateName
    cancel_reason: str | None
    resolved_at: Instant | None
    due_at: Instant = Field(description="When it is to be sent, or was to be")
    requested_at: Instant | None
    expires_at: Instant | None
    score: int | None
    comment: str | None
    revision: int
    answered_at: Instant | None
    late: bool = Field(description="The answer came after the window; the state stays as it was")


class InvitationDetail(Invitation):
    """An invitation and the history of its answer."""

    answers: list[Revision]


class Link(BaseModel):
    """What the sender puts into a message."""

    link: str
    text: str = Field(description="The invitation in the customer's language, with the link in it")
    language: str
    expires_at: Instant


class Definition(BaseModel):
    """A survey."""

    key: str
    title: str
    scale_max: int
    languages: list[str]
    questions: dict[str, str]


def invitation(value: InvitationValue) -> Invitation:
    """An invitation as it is listed."""
    return Invitation.model_validate(_shown(value))


def invitation_detail(value: InvitationValue, answers: list[KeptAnswer]) -> InvitationDetail:
    """An invitation with its answers."""
    kept = [
        Revision(
            revision=one.revision,
            score=one.score,
            comment=one.comment,
            language=one.language,
            answered_at=one.answered_at_ms,
        )
        for one in answers
    ]
    return InvitationDetail.model_validate({**_shown(value), "answers": kept})


def _shown(value: InvitationValue) -> dict[str, object]:
    answered = value.revision > 0
    return {
        "id": value.invitation_id,
        "conversation_id": value.conversation_id,
        "episode": value.episode,
        "customer_id": value.customer_id,
        "channel": value.channel,
        "language": value.language,
        "definition": value.definition,
        "state": value.state.value,
        "cancel_reason": value.cancel_reason or None,
        "resolved_at": value.resolved_at_ms or None,
        "due_at": value.due_at_ms,
        "requested_at": value.requested_at_ms or None,
        "expires_at": value.expires_at_ms or None,
        "score": value.score if answered else None,
        "comment": value.comment if answered else None,
        "revision": value.revision,
        "answered_at": value.answered_at_ms or None,
        "late": value.late,
    }


def definition(value: DefinitionValue) -> Definition:
    """A definition without the small print of the page."""
    return Definition(
        key=value.key,
        title=value.title,
        scale_max=value.scale_max,
        languages=list(value.texts),
        questions={language: texts.question for language, texts in value.texts.items()},
    )


def answered(value: InvitationValue, scale_max: int) -> Answered:
    """What a program is told when its answer is kept."""
    return Answered(
        score=value.score,
        scale_max=scale_max,
        comment=value.comment,
        revision=value.revision,
        answered_at=value.answered_at_ms,
        open_until=value.expires_at_ms,
        late=value.late,
    )
