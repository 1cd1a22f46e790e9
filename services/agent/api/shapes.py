"""What all answers are made of: instants, ids, the base of request bodies."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema


def instant(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return f"{datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19]}.{ms % 1000:03d}Z"


Instant = Annotated[
    int, PlainSerializer(instant, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""Milliseconds inside, RFC 3339 outside."""

ConversationId = Annotated[str, Path(min_length=1, max_length=100)]
MessageId = Annotated[str, Path(min_length=1, max_length=100)]


class Body(BaseModel):
    """A request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def or_none(ms: int) -> int | None:
    """0 stands for never."""
    return ms or None
