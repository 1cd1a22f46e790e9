"""Reading request bodies: the size limit, the encoding, and texts that no database can store.

A body is checked when the route first asks for it, so the route's own limit holds and an unknown path reads
nothing.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from starlette.types import Message, Receive, Scope

from libs.web.problems import BadRequest, TooLarge, Unprocessable, UnsupportedMedia

_F = TypeVar("_F", bound=Callable[..., Any])
_LIMIT: Final = "__body_limit__"
_RAW: Final = "__raw_body__"
# What could make a JSON text bad although it parses: only such bodies are parsed a second time.
_SUSPECT: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|NaN|Infinity|[eE]\+?[0-9]{3}")
_LONGEST_SHOWN: Final = 60
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def body_limit(most_bytes: int) -> Callable[[_F], _F]:
    """Decorator of a route function (below the router's) that takes larger or only smaller bodies."""

    def mark(function: _F) -> _F:
        setattr(function, _LIMIT, most_bytes)
        return function

    return mark


def raw_body(function: _F) -> _F:
    """Decorator of a route function that gets the bytes as they came: for signed bodies of others, which it judges
    itself."""
    setattr(function, _RAW, True)
    return function


def media_type(value: str | None) -> str:
    """The bare type of a Content-Type header, in lower case; empty when there is none."""
    return (value or "").split(";", 1)[0].strip().lower()


def is_json(media: str) -> bool:
    """True for application/json and application/*+json."""
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def require_media_type(content_type: str | None, *accepted: str) -> None:
    """Raise UnsupportedMedia unless the header names one of `accepted`; for routes that read raw bodies."""
    given = media_type(content_type)
    if given not in accepted:
        raise unsupported_media(given, *accepted)


def unsupported_media(given: str, *accepted: str) -> UnsupportedMedia:
    """The refusal of a body of media type `given` (empty for none); it names what is read instead."""
    seen = f"says {given[:_LONGEST_SHOWN]!r}" if given else "names no type"
    return UnsupportedMedia(
        f"Send {' or '.join(accepted)} and say so in Content-Type; this request {seen}.",
        headers={"Accept-Post": ", ".join(accepted)},
    )


class BodyReader:
    """An ASGI `receive` that hands out checked bodies: JSON and forms in one piece, all else as it comes."""

    __slots__ = ("_default_limit", "_done", "_headers", "_inner", "_limit", "_scope", "_seen")

    def __init__(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], limit: int) -> None:
        self._scope = scope
        self._inner = receive
        self._headers = headers
        self._default_limit = limit
        self._limit = -1
        self._seen = 0
        self._done = False

    async def __call__(self) -> Message:
        if self._done:
            return await self._inner()
        if self._limit < 0:
            self._check_head()
        if getattr(self._scope.get("endpoint"), _RAW, False):
            return self._count(await self._inner())
        media = media_type(self._headers.get(b"content-type", b"").decode("latin-1"))
        if is_json(media):
            return await self._whole(check_json_text)
        if media == "application/x-www-form-urlencoded":
            return await self._whole(check_form_text)
        return self._count(await self._inner())

    def _check_head(self) -> None:
        self._limit = getattr(self._scope.get("endpoint"), _LIMIT, self._default_limit)
        declared = self._headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > self._limit:
            self._refuse_size()
        encoding = self._headers.get(b"content-encoding", b"identity").lower()
        if encoding not in (b"identity", b""):
            raise UnsupportedMedia("Send the body without Content-Encoding.", headers={"Accept-Encoding": ""})

    async def _whole(self, check: Callable[[bytes], None]) -> Message:
        parts: list[bytes] = []
        while True:
            message = self._count(await self._inner())
            if message["type"] != "http.request":
                return message
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        body = b"".join(parts)
        check(body)
        return {"type": "http.request", "body": body, "more_body": False}

    def _count(self, message: Message) -> Message:
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                self._refuse_size()
            self._done = not message.get("more_body", False)
        return message

    def _refuse_size(self) -> NoReturn:
        raise TooLarge(
            f"At most {self._limit} bytes are taken here.", extensions={"limit_bytes": self._limit}
        )


def check_json_text(body: bytes) -> None:
    """Raise BadRequest unless `body` is UTF-8, Unprocessable when it parses and holds what cannot be stored.

    Not storable: NUL, a lone surrogate, NaN and infinities. Text that does not parse passes: the parser
    refuses it.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        seen = f"byte {body[error.start]:#04x} at offset {error.start}"
        raise BadRequest(f"The body is not UTF-8: {seen} begins no character.", slug="not-utf8") from None
    if (offset := body.find(0)) >= 0:
        raise BadRequest(f"The body holds a NUL byte, at offset {offset}.", slug="not-utf8")
    if _SUSPECT.search(body) is None:
        return
    try:
        value = json.loads(body, parse_constant=_refuse_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return
    _refuse_unstorable(value)


def _refuse_unstorable(value: Any) -> None:
    waiting: list[tuple[str, Any]] = [("#", value)]
    while waiting:
        pointer, item = waiting.pop()
        if isinstance(item, str):
            if _UNSTORABLE.search(item):
                detail = "A text holds NUL or half of a surrogate pair."
                raise Unprocessable(
                    detail,
                    slug="unstorable-text",
                    extensions={"errors": [{"pointer": pointer, "detail": detail}]},
                )
        elif isinstance(item, dict):
            for key, inner in item.items():
                if _UNSTORABLE.search(key):
                    raise Unprocessable(
                        "A name holds NUL or half of a surrogate pair.", slug="unstorable-text"
                    )
                waiting.append((f"{pointer}/{key[:100]}", inner))
        elif isinstance(item, list):
            waiting.extend((f"{pointer}/{index}", inner) for index, inner in enumerate(item))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_number(text)
    return number


def _refuse_number(_text: str) -> NoReturn:
    raise Unprocessable("A number is not finite.", slug="number-not-finite")


def check_form_text(body: bytes) -> None:
    """Raise Unprocessable when a field of a URL-encoded form holds NUL."""
    if b"%00" in body or b"\0" in body:
        raise Unprocessable("A field holds NUL.", slug="unstorable-text")
