"""Optimistic locking over HTTP: the ETag is the row's version, and an update names the one it saw."""

import re
from typing import Annotated, Final

from fastapi import Header

from libs.web.problems import BadRequest, PreconditionFailed, PreconditionRequired

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match", max_length=1000, description="The ETag that you have read; 428 when it is missing"
    ),
]
"""`if_match: IfMatch = None` in a route's signature."""

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_LIST: Final = re.compile(rf"\s*{_TAG.pattern}\s*(,\s*{_TAG.pattern}\s*)*")


def etag_of(version: int | str) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def check_if_match(header: str | None, version: int | str) -> None:
    """Pass only when the If-Match header names `version` (or is `*`).

    428 when it is missing, 400 when it is no list of entity tags, 412 when it names another version; the
    problem of 412 has the present one as `current`. Weak tags never match (RFC 9110, strong comparison).
    """
    if header is None:
        raise PreconditionRequired("Read it first and send its ETag as If-Match.")
    if header.strip() == "*":
        return
    if _LIST.fullmatch(header) is None:
        raise BadRequest('If-Match must be an ETag in quotes, such as "7".', slug="bad-if-match")
    if any(not weak and tag == str(version) for weak, tag in _TAG.findall(header)):
        return
    raise PreconditionFailed(
        "Read it again: it has another version now.", extensions={"current": etag_of(version)}
    )
