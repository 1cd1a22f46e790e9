"""Every operation of the published API that writes, with a request that it could take, for tests that spoil it."""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OPENAPI = Path(__file__).resolve().parents[2] / "openapi" / "all.json"
WRITING = ("post", "put", "patch", "delete")
JSON = "application/json"
UNKNOWN = "none"
MARKS = "\u202eabc\u202c \u200fשלום\u200e مرحبا\u061c e\u0301\U0001f469\u200d\U0001f4bb\ufeff"
"""Marks of direction, marks that combine, joined signs."""
_WORDS = ("sample", "en", "a@b.example", "+393330000001")
# What the schemas cannot say: a target is named once, and only a snooze has an end.
_CHOSEN: dict[str, Any] = {
    "agent_request_transfer": {"queue_id": "sample"},
    "routing_transfer_conversation": {"queue_id": "sample"},
    "agent_change_status": {"status": "open"},
    "agent_send_reply": {"text": "sample", "after_seq": 1},
    "ingest_post_event": {"type": "sample", "customer": {"external_id": "sample"}},
}
_DOCUMENT: dict[str, Any] = json.loads(OPENAPI.read_text())

Pointer = tuple[str | int, ...]


@dataclass(frozen=True)
class Operation:
    """One operation: where it is, who may call it, and what it reads."""

    id: str
    method: str
    template: str
    schema: dict[str, Any] | None
    """Of its JSON body; None when it reads none."""
    needs_body: bool
    needs_token: bool
    takes_token: bool
    headers: frozenset[str]

    def path(self, value: str = UNKNOWN) -> str:
        """Its address, with this in place of every id."""
        return re.sub(r"{\w+}", value, self.template)

    @property
    def has_id(self) -> bool:
        return "{" in self.template

    def sample(self) -> Any:
        """A body that its schema takes; None when it reads none."""
        return None if self.schema is None else deepcopy(_CHOSEN.get(self.id) or _sample(self.schema))

    def full(self) -> Any:
        """A body with every field there is."""
        return None if self.schema is None else _sample(self.schema)

    def leaves(self, fits: Callable[[Any, dict[str, Any]], bool]) -> list[Pointer]:
        """The places of the full body whose value and schema fit."""
        return [at for at, value, schema in _walk((), self.full(), self.schema) if fits(value, schema)]


_SIGNED = {"ingest_post_hook"}
"""Taken by a provider's signature over the raw bytes, before anybody reads them: tests/conformance/test_channels.py."""


def _operations() -> list[Operation]:
    found = []
    for template, item in _DOCUMENT["paths"].items():
        for method in WRITING:
            if method in item and item[method]["operationId"] not in _SIGNED:
                found.append(_operation(method, template, item[method]))
    return found


def _operation(method: str, template: str, stated: dict[str, Any]) -> Operation:
    body = stated.get("requestBody", {})
    security: list[Any] = stated.get("security", [])
    return Operation(
        id=stated["operationId"],
        method=method.upper(),
        template=template,
        schema=body.get("content", {}).get(JSON, {}).get("schema"),
        needs_body=body.get("required", False),
        needs_token=bool(security) and {} not in security,
        takes_token=bool(security),
        headers=frozenset(one["name"] for one in stated.get("parameters", ()) if one["in"] == "header"),
    )


def changed(body: Any, at: Pointer, value: Any) -> Any:
    """The body with another value in that place."""
    if not at:
        return value
    copy = deepcopy(body)
    inner = copy
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return copy


_ALTERNATIVES = {"Place": ("team_id", "agent_id")}
"""Members that cannot be beside the others, by the title of their schema."""


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference, or the first behind a choice; it says `nullable` and whether it has `alternatives`."""
    while True:
        if "$ref" in schema:
            schema = _DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            first, *others = schema["anyOf"]
            more = [one for one in others if one != {"type": "null"}]
            schema = {**first, "nullable": True} if more != others else first
            schema = {**schema, "alternatives": True} if more else schema
        else:
            return schema


def _sample(given: dict[str, Any]) -> Any:
    schema = _plain(given)
    if "enum" in schema:
        return schema["enum"][0] or schema["enum"][1]
    match schema["type"]:
        case "object":
            left_out = _ALTERNATIVES.get(schema.get("title", ""), ())
            properties = schema.get("properties", {}).items()
            named = {name: _sample(one) for name, one in properties if name not in left_out}
            any_name = schema.get("patternProperties", {}).values()
            return named | dict(zip(_WORDS, map(_sample, any_name), strict=False))
        case "array":
            return [_sample(schema["items"])]
        case "string":
            return "2030-01-01T00:00:00Z" if schema.get("format") == "date-time" else _word(schema)
        case "integer":
            return 1
        case "number":
            return 0.5
        case "boolean":
            return True
    raise AssertionError(f"no sample is known for {schema}")


def _word(schema: dict[str, Any]) -> str:
    pattern = schema.get("pattern", "")
    return next(w for w in _WORDS if re.search(pattern, w) and len(w) <= schema.get("maxLength", len(w)))


def _walk(
    at: Pointer, value: Any, given: dict[str, Any] | None
) -> Iterator[tuple[Pointer, Any, dict[str, Any]]]:
    schema = _plain(given or {})
    yield at, value, schema
    if isinstance(value, dict):
        pattern = next(iter(schema.get("patternProperties", {}).values()), None)
        for name, inner in value.items():
            yield from _walk((*at, name), inner, schema.get("properties", {}).get(name, pattern))
    elif isinstance(value, list):
        yield from _walk((*at, 0), value[0], schema["items"])


ALL = _operations()
"""All that write, in the order of the document."""


def each(among: list[Operation]) -> pytest.MarkDecorator:
    """Runs a test on each of these operations."""
    return pytest.mark.parametrize("operation", among, ids=[one.id for one in among])
