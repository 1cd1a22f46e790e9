"""What accounts are made of beside their own fields: mailboxes, templates, who is told by webhook."""

import base64
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.ingest.domain.templates import Template, fault_of


def known_zone(zone: str) -> str:
    """The zone again. Raises ValueError for a name that is none."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError(f"{zone[:60]!r} is no time zone such as Europe/Rome") from None
    return zone


class ImapOAuth(BaseModel):
    """Access to a mailbox by tokens (OAuth 2.0, XOAUTH2), for providers that take no passwords."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_url: Annotated[
        str, Field(pattern=r"^(https://[^/\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)/\S*$")
    ]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr
    refresh_token: SecretStr = SecretStr("")
    """Of the person who let us in; without one the application signs in by itself (client credentials)."""
    scope: str = ""


class ImapBox(BaseModel):
    """A mailbox on a server that is read by IMAP; nothing in it is changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    tls: Literal["tls", "starttls", "none"] = "tls"
    user: str
    password: SecretStr = SecretStr("")
    oauth: ImapOAuth | None = None
    """In place of the password."""
    folder: str = "INBOX"
    first: Literal["new", "all"] = "new"
    """What is read of a mailbox seen for the first time: what comes from now on, or all that is in it."""

    @model_validator(mode="after")
    def _check(self) -> "ImapBox":
        if bool(self.password.get_secret_value()) == (self.oauth is not None):
            raise ValueError(f"mailbox {self.user!r} is opened by a password or by oauth: give one of them")
        return self


class WebhookTarget(BaseModel):
    """A system of the operator that is told of events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    url: str
    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=5)]
    """`whsec_` and 24 to 64 bytes in base64: the newest first; all sign, so that one can be changed without a gap."""
    events: tuple[
        Literal[
            "message.received",
            "message.delivered",
            "delivery.failed",
            "conversation.continued",
            "consent.changed",
        ],
        ...,
    ]

    @model_validator(mode="after")
    def _check(self) -> "WebhookTarget":
        check_secrets(f"webhook {self.id!r}", self.secrets)
        return self


def check_secrets(whose: str, secrets: tuple[SecretStr, ...]) -> None:
    """Raises ValueError for one that nothing can be signed with."""
    for secret in secrets:
        text = secret.get_secret_value()
        try:
            size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
        except ValueError:
            size = 0
        if not text.startswith("whsec_") or not 24 <= size <= 64:
            raise ValueError(
                f"a secret of {whose} is not `whsec_` with 24 to 64 bytes in base64; make one with:"
                " echo whsec_$(openssl rand -base64 32)"
            )


class TemplateText(BaseModel):
    """A text that the provider has approved for an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
    """As the provider calls it: `it`, `pt_BR`."""
    text: Annotated[str, Field(max_length=4096)]
    """The body as it was approved, with its places: {{1}}, or {{name}}."""
    content_sid: Annotated[str, Field(pattern=r"^(HX[0-9a-fA-F]{32})?$")] = ""
    """Its id at Twilio."""

    @model_validator(mode="after")
    def _check(self) -> "TemplateText":
        if fault := fault_of(self.value):
            raise ValueError(f"template {self.name!r} in {self.language!r} cannot be used: {fault}")
        return self

    @property
    def value(self) -> Template:
        """As the domain has it."""
        return Template(self.name, self.language, self.text, self.content_sid)
