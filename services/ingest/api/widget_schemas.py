"""What the widget says over HTTP."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.ingest.domain.visitors import MOST_FILES, MOST_TEXT

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


UploadId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SessionIn(_In):
    """Asks for a session, or for a longer one: the header X-Widget-Session says which visitor goes on."""

    identity: Annotated[str, StringConstraints(max_length=4096)] = Field(
        default="",
        description="Who is signed in on the site: a JSON Web Token with `sub`, `exp`, perhaps `name` and `email`,"
        " signed HS256 with a secret of the account; empty for a visitor who is not",
    )
    language: Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3})?$")] = Field(
        default="", description="ISO 639-1, such as `it`"
    )


class WidgetSession(BaseModel):
    """A session. Send it as X-Widget-Session."""

    session: str
    visitor: str = Field(description="Changes when somebody else sits before the widget")
    verified: bool
    name: str
    expires_at: str
    brand: str
    conversation_id: str | None = Field(default=None, description="The visitor's newest conversation")
    most_text: int = Field(default=MOST_TEXT, description="Characters of one message")
    most_files: int = Field(default=MOST_FILES, description="Files of one message")
    most_file_bytes: int = Field(description="Bytes of one file")


class WidgetMessageIn(_In):
    """What a visitor has written."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")] = Field(
        description="Made by the widget: however often it is sent, it is one message"
    )
    text: str = Field(default="", max_length=MOST_TEXT, description="Empty only where files say all")
    files: Annotated[tuple[UploadId, ...], Field(max_length=MOST_FILES)] = Field(
        default=(), description="Ids of files that POST files has taken from this visitor"
    )
    subject: Words = ""
    name: Words = ""
    email: Annotated[
        str, StringConstraints(max_length=254, pattern=r"^([^@\s<>\"',;]+@[^@\s<>\"',;]+)?$")
    ] = Field(default="", description="As the visitor claims it")


class WidgetUpload(BaseModel):
    """A file that is kept until a message names it, for a day."""

    id: str
    name: str = Field(description="As it is kept: without folders and control marks")
    media_type: str = Field(description="What its bytes show")
    size: int


class WidgetMessage(BaseModel):
    """The message is durable. The conversation is there once it has been found."""

    id: str
    state: Literal["accepted", "received"]
    conversation_id: str | None = None
    case_reference: str | None = None


class WidgetActivityIn(_In):
    """What the visitor does."""

    typing: bool = False
    read_entry_seq: int = Field(default=0, ge=0, le=2**53, description="The newest entry they have seen")


class AgentActivityIn(_In):
    """What the agent does."""

    typing: bool = False
    read_message_seq: int = Field(
        default=0, ge=0, le=2**53, description="The newest customer message they have seen"
    )


class ActivityOut(BaseModel):
    """How far each side has read."""

    customer_read_entry_seq: int
    agent_read_message_seq: int


class WidgetFile(BaseModel):
    """A file of a message."""

    id: str
    name: str
    media_type: str
    size: int
    state: str = Field(description="stored, waiting, failed or expired")


class WidgetEntry(BaseModel):
    """One line of the conversation."""

    entry_seq: int
    kind: Literal["customer", "reply", "notice", "resolved", "survey"]
    text: str
    at: str
    message_seq: int | None
    id: str | None = Field(description="The widget's own id of a message it has sent")
    files: list[WidgetFile]


class WidgetConversation(BaseModel):
    """Which conversation the entries that follow are of."""

    conversation_id: str
    case_reference: str
    agent_read_message_seq: int
    customer_read_entry_seq: int
