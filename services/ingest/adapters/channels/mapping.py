"""Files that declare a provider: what may stand in them, and what is wrong with one that is refused."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.ingest.domain.channels import ProviderStatus

PathText = Annotated[str, Field(pattern=r"^[^\s.]+(\.[^\s.]+)*$", max_length=200)]
"""Steps by dots; a number is a place in a list: `events.0.source.userId`."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verify(_Strict):
    """How a webhook shows that it is genuine."""

    scheme: Literal["hmac", "header"]
    header: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,80}$")]
    """In small letters."""
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    message: str = "{body}"
    """What is signed: `{body}` and, with `timestamp_header`, `{timestamp}`."""
    timestamp_header: str = ""
    timestamp_unit: Literal["s", "ms"] = "s"


class MessageShape(_Strict):
    """Where the parts of a message stand in an item."""

    when: dict[PathText, str | list[str]] = {}
    """Values that make an item a message; a list means one of them."""
    id: PathText
    sender: PathText
    text: PathText
    name: PathText | None = None
    language: PathText | None = None
    sent_at: PathText | None = None
    time_unit: Literal["s", "ms"] = "ms"
    kind: PathText | None = None
    """What the message is called when it has no text: shown as unsupported."""
    media: PathText | None = None


class StatusShape(_Strict):
    """Where the parts of a delivery status stand in an item."""

    when: dict[PathText, str | list[str]] = {}
    id: PathText
    status: PathText
    map: dict[str, ProviderStatus]
    reason: PathText | None = None
    recipient: PathText | None = None


class Failure(_Strict):
    """An answer of 2xx that says no all the same."""

    path: PathText
    ok: list[str]
    """Values at the path that mean yes."""
    busy: list[str] = []
    """Values that mean later; all others mean never."""
    reason: PathText | None = None


class OutgoingShape(_Strict):
    """The request that sends a text. `{recipient}`, `{text}`, `{delivery_id}`, `{token}`, `{sender}` and `{base_url}` are
    filled in; a value that is one of them alone is taken as it is, so that no text can break out of its place."""

    method: Literal["POST", "PUT"] = "POST"
    url: str
    base_url: str
    headers: dict[str, str] = {}
    body: dict[str, Any]
    id: PathText | None = None
    failure: Failure | None = None
    longest_text: int = Field(default=4096, ge=1, le=65536)


class Sample(_Strict):
    """A webhook and what must come of it: every file is tested by its samples."""

    name: str
    secret: str = "sample-secret"
    headers: dict[str, str] = {}
    body: str
    """Byte for byte as it is signed."""
    now: int = 0
    """Unix time in seconds at which it arrives."""
    expect: list[dict[str, Any]]
    """The fields of each message or status that are compared."""


class ProviderFile(_Strict):
    """A provider."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    verify: Verify
    items: PathText | None = None
    """The list of happenings in the body; without it the body is one."""
    skip: dict[PathText, str | list[str]] = {}
    """Items that concern nobody."""
    message: MessageShape
    status: StatusShape | None = None
    outgoing: OutgoingShape
    samples: Annotated[list[Sample], Field(min_length=1)]


def read_mapping(path: Path) -> ProviderFile:
    """A declared provider. Raises ValueError that names the file, the place and what was expected."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return ProviderFile.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise ValueError(f"{path} declares no provider: {faults}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read as YAML: {error}") from None
