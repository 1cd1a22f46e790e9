"""Careful reading of what providers send: any value may be missing, null, or of another type than documented."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.ingest.adapters.channels.port import Unreadable
from services.ingest.domain.texts import cut_to_bytes, storable
from services.ingest.ports import SendRefused, SendUnavailable

_DEEPEST: Final = 60
_MOST_TEXT: Final = 64 * 1024
_LONGEST_ID: Final = 500


def read_json(body: bytes) -> dict[str, Any]:
    """The object in a body. Raises Unreadable for anything else, and for nesting that no provider has."""
    # Only a body with so many brackets can be nested so deep, and hardly any has.
    if body.count(b"{") + body.count(b"[") > _DEEPEST:
        _check_depth(body)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise Unreadable(f"the body is a JSON {type(value).__name__}; expected an object")
    return value


def _check_depth(body: bytes) -> None:
    """Raises Unreadable for nesting that no provider has, before anything is built of it."""
    depth = deepest = 0
    in_text = escaped = False
    for byte in body:
        if in_text:
            in_text, escaped = (byte != 0x22 or escaped), (byte == 0x5C and not escaped)
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > _DEEPEST:
                raise Unreadable(f"the JSON is nested more than {_DEEPEST} deep")
        elif byte in b"]}":
            depth -= 1


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path, or None."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """A text or a number at a path as text; empty for anything else."""
    found = at(value, *path)
    if isinstance(found, str):
        return cut_to_bytes(storable(found), _MOST_TEXT)[0]
    if isinstance(found, bool) or not isinstance(found, int | float):
        return ""
    return str(int(found)) if float(found).is_integer() and abs(found) < 2**63 else str(found)


def id_at(value: Any, *path: str | int) -> str:
    """An id: one line of at most 500 characters."""
    return " ".join(text_at(value, *path).split())[:_LONGEST_ID]


def dicts_at(value: Any, *path: str | int) -> Iterator[dict[str, Any]]:
    """The objects of a list; what is no object is left out."""
    found = at(value, *path)
    if isinstance(found, list):
        yield from (one for one in found if isinstance(one, dict))


def time_at(value: Any, *path: str | int, unit_ms: int = 1000) -> int:
    """A Unix time in milliseconds; 0 when there is none between 2000 and 2100."""
    found = text_at(value, *path)
    if not re.fullmatch(r"\d{1,16}(\.\d{1,9})?", found):
        return 0
    at_ms = int(float(found) * unit_ms)
    return at_ms if 946_684_800_000 <= at_ms <= 4_102_444_800_000 else 0


def digest(content: Any) -> str:
    """An id for what has none: the same content, the same id."""
    data = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str).encode()
    return "digest:" + hashlib.sha256(data).hexdigest()[:40]


def answer_of(status: int, body: bytes) -> dict[str, Any]:
    """The object in a provider's answer of 2xx. Raises by what other statuses mean."""
    if status in (408, 425, 429) or status >= 500:
        raise SendUnavailable(f"the provider answered {status}: {_shown(body)}")
    if not 200 <= status < 300:
        raise SendRefused(f"the provider answered {status}: {_shown(body)}")
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise SendUnavailable(f"the provider answered {status} without JSON: {_shown(body)}") from None
    return value if isinstance(value, dict) else {}


def fitting(text: str, most: int, provider: str) -> str:
    """A text that the provider takes whole. Raises SendRefused for a longer one: half of an answer is a wrong answer."""
    if len(text) > most:
        raise SendRefused(
            f"the text has {len(text)} characters; {provider} takes {most}: shorten it, or send two"
        )
    return text


def taken_id(answer: Any, status: int, *path: str | int) -> str:
    """The id under which a provider has taken a message. Raises SendRefused for an answer of 2xx without one: something
    else was said, and nobody would ever hear what became of the message."""
    id_ = id_at(answer, *path)
    if not id_:
        said = storable(json.dumps(answer)[:300])
        raise SendRefused(f"the provider answered {status} without the id of a message: {said}")
    return id_


def _shown(body: bytes) -> str:
    return storable(body[:300].decode(errors="replace"))
