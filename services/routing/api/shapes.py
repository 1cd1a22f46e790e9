"""What answers and bodies are made of: instants, ids, problems, the outside names of inside facts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from libs.web import Principal, Problem, etag_of, require_role
from services.routing.domain.directory import ABSENT
from services.routing.domain.replies import SLUGS

Agent = Annotated[Principal, Depends(require_role("agent"))]
Supervisor = Annotated[Principal, Depends(require_role("supervisor"))]
Reader = Annotated[Principal, Depends(require_role("agent", "service"))]

PoolId = Annotated[
    str | None,
    Query(
        min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:@+-]+$", description="Left out = the first one"
    ),
]
# NUL cannot be stored.
PathId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._:@+-]+$")]
NewId = Annotated[Id, Path(description="Letters, digits and . _ : @ + -")]

_STATUS = {
    "not-found": 404,
    "not-yours": 403,
    "invalid-directory": 422,
    "invalid-agent": 422,
    "invalid-boost": 422,
    "stale-version": 412,
}
_NAMED = ("offer_id", "conversation_id", "queue_id", "team_id", "agent_id", "state", "version")
_NEXT = {
    "not-found": "Check the id, or read the list again.",
    "not-yours": "GET /routing/v1/offers lists your own.",
    "not-assigned": "GET /routing/v1/assignments lists your own.",
    "wrong-state": "Read the conversation again.",
    "stale-version": "Read it again and send its ETag.",
    "no-call-back": "`relief.call_back` of the queue allows it.",
    "queue-closed": "Name another queue, or let a supervisor open it.",
    "too-many-hops": "Finish it, or ask a supervisor to move it.",
}
_INSTANTS = {
    "due_ms": "due_at",
    "at_ms": "at",
    "since_ms": "since_at",
    "key_ms": "key_at",
    "waiting_since_ms": "waiting_since_at",
}


class Body(BaseModel):
    """A request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def instant(ms: int) -> str | None:
    """RFC 3339 in UTC with milliseconds; 0 stands for never."""
    if not ms:
        return None
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def shown(value: Any) -> Any:
    """Inside facts as the API shows them: `x_at_ms` becomes the RFC 3339 text `x_at`; "" becomes null for ids."""
    if isinstance(value, Mapping):
        return dict(_shown_field(name, field) for name, field in value.items())
    if isinstance(value, list | tuple):
        return [shown(v) for v in value]
    return value


def _shown_field(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, int) and (name.endswith("_at_ms") or name in _INSTANTS):
        return _INSTANTS.get(name, name.removesuffix("_ms")), instant(value)
    if value == "" and name.endswith("_id"):
        return name, None
    return name, shown(value)


def refusal(slug: str, body: Mapping[str, Any]) -> Problem:
    """The problem document of a refused command; what happened stands beside the standard members."""
    facts = {name: value for name, value in shown(body).items() if name not in ("type", "status", "title")}
    title = SLUGS.get(slug, slug).split(";")[0].capitalize()
    if slug == "stale-version" and facts["version"] != ABSENT:
        facts["current"] = etag_of(facts["version"])
    return Problem(_STATUS.get(slug, 409), slug, title, _detail(slug, facts), extensions=facts)


def _detail(slug: str, facts: Mapping[str, Any]) -> str:
    if slug == "offer-gone":
        holder = facts.get("agent_id")
        now = f"{holder} has the conversation" if holder else f"it is {facts.get('conversation_state')}"
        return f"The offer was {facts.get('state')} at {facts.get('closed_at')}; {now}."
    if slug == "agent-unavailable":
        return f"The agent cannot take it: {facts.get('why')}."
    if "problems" in facts:
        return "; ".join(facts["problems"][:5])
    seen = ", ".join(f"{name} {facts[name]}" for name in _NAMED if facts.get(name))
    said = SLUGS.get(slug, slug).split(";")[0].capitalize()
    return f"{said}: {seen or 'nothing is named'}. {_NEXT.get(slug, '')}".rstrip()
