"""Cursor pages: keyset paging that holds still while the list moves."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from libs.web.problems import BadRequest

T = TypeVar("T")
R = TypeVar("R")
Scalar = str | int

_VERSION: Final = 1
_INT64: Final = 2**63
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LONGEST: Final = 1024


class Page(BaseModel, Generic[T]):
    """A part of a list. `next_cursor` asks for the part after it; null means that this was the last."""

    items: list[T]
    next_cursor: str | None = None


class PageQuery:
    """The query parameters `limit` (1 to 200, 50 by default) and `cursor`."""

    __slots__ = ("cursor", "limit")

    def __init__(self, limit: int = 50, cursor: str | None = None) -> None:
        self.limit = limit
        self.cursor = cursor

    def after(self, kind: str, *types: type[Scalar]) -> tuple[Any, ...] | None:
        """The key of the last item seen, as values of `types`; None on the first page."""
        return None if self.cursor is None else decode_cursor(self.cursor, kind, *types)


async def _page_query(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=_LONGEST, description="`next_cursor` of the page before")
    ] = None,
) -> PageQuery:
    # Asynchronous because the framework sends a plain callable to a thread at each request.
    return PageQuery(limit, cursor)


PageParams = Annotated[PageQuery, Depends(_page_query)]
"""`page: PageParams` in a route's signature."""


def encode_cursor(kind: str, *key: Scalar) -> str:
    """An opaque cursor. `kind` names the list and its order; change it when the order changes."""
    raw = json.dumps([_VERSION, kind, *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, kind: str, *types: type[Scalar]) -> tuple[Any, ...]:
    """The key in a cursor of `encode_cursor(kind, ...)`. Anything else is BadRequest `bad-cursor`."""
    bad = BadRequest("This cursor is not from this list. Start again without it.", slug="bad-cursor")
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise bad
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        raise bad from None
    if not isinstance(value, list) or len(value) != 2 + len(types) or value[:2] != [_VERSION, kind]:
        raise bad
    key = tuple(value[2:])
    for part, wanted in zip(key, types, strict=True):
        if type(part) is not wanted:
            raise bad
        if isinstance(part, int) and not -_INT64 <= part < _INT64:
            raise bad
        if isinstance(part, str) and _UNSTORABLE.search(part):
            raise bad
    return key


def make_page(
    request: Request,
    response: Response,
    query: PageQuery,
    rows: Sequence[R],
    *,
    kind: str,
    key: Callable[[R], tuple[Scalar, ...]],
    show: Callable[[R], T],
) -> Page[T]:
    """The page of `rows`, which were read with `LIMIT query.limit + 1`: one more row means one more page.

    `key(row)` is what the list is ordered by, `show(row)` the item. Sets the Link header (RFC 8288) to the
    next.
    """
    shown = rows[: query.limit]
    following = encode_cursor(kind, *key(shown[-1])) if len(rows) > query.limit else None
    if following is not None:
        response.headers["Link"] = f'<{_with_cursor(request, following)}>; rel="next"'
    return Page[T](items=[show(row) for row in shown], next_cursor=following)


def _with_cursor(request: Request, cursor: str) -> str:
    # Not from request.url: that is built from the Host header, which may be anything.
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{quote(request.scope['path'])}?{urlencode([*others, ('cursor', cursor)])}"
