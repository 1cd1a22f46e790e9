"""The refusals of the platform, as RFC 9457 problem documents.

    Problem                     any refusal with a stable `type`; raise one of these, or this with a slug
    +- BadRequest          400  the request cannot be read (cursor, header, JSON)
    +- Unauthorized        401  no token, or one that is not ours, expired or for something else
    +- Forbidden           403  a good token of the wrong role or for another's data
    +- NotFound            404  no such thing, or not for you
    +- Conflict            409  the state does not allow it now
    |  +- IdempotencyRunning    the same key is being worked on: try again shortly
    +- Gone                410  it was there and will not come back
    +- PreconditionFailed  412  If-Match names an older version
    +- TooLarge            413  the body is over the limit
    +- UnsupportedMedia    415  the content type is not the one that is read here
    +- Unprocessable       422  it can be read and makes no sense
    |  +- IdempotencyMismatch   the same key came with another body
    +- PreconditionRequired 428 If-Match is missing
    +- Unavailable         503  a part is away for now; Retry-After says when to ask again

`type` is `urn:centralino:problem:<slug>`; slugs never change their meaning. Expected refusals are these; a
500 is a bug, has its own slug `internal` and says nothing about its inside.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:centralino:problem:"
_STANDARD: Final = frozenset({"type", "title", "status", "detail", "instance", "request_id"})


class Problem(HTTPException):
    """A refusal that the caller may read.

    `detail` and `extensions` go out as they are: never put a secret, a text of a customer or the inside of an
    exception in them. Extensions must be JSON values and may not use the names of RFC 9457.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail or title, dict(headers) if headers else None)
        self.slug = slug
        self.title = title
        self.extensions = dict(extensions or {})
        if taken := _STANDARD & self.extensions.keys():
            raise ValueError(f"problem extensions may not be named {sorted(taken)}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.status_code

    def document(self, request_id: str | None = None) -> dict[str, Any]:
        """The problem document as a JSON value."""
        parts = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
        }
        return {**parts, **({"request_id": request_id} if request_id else {}), **self.extensions}

    def response(self, request_id: str | None = None) -> Response:
        """The answer that carries the document."""
        body = json.dumps(self.document(request_id), separators=(",", ":")).encode()
        return Response(body, self.status_code, self.headers, PROBLEM_MEDIA_TYPE)


class _Fixed(Problem):
    """A problem whose status is fixed by its class; slug and title may be made more exact."""

    fixed_status: ClassVar[int]
    fixed_slug: ClassVar[str]
    fixed_title: ClassVar[str]

    def __init__(
        self,
        detail: str = "",
        *,
        slug: str | None = None,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            self.fixed_status,
            slug or self.fixed_slug,
            title or self.fixed_title,
            detail,
            headers=headers,
            extensions=extensions,
        )


class BadRequest(_Fixed):
    """The request cannot be read."""

    fixed_status, fixed_slug, fixed_title = 400, "bad-request", "The request cannot be read"


class Unauthorized(_Fixed):
    """There is no good token."""

    fixed_status, fixed_slug, fixed_title = 401, "unauthorized", "A valid token is needed"

    def __init__(self, detail: str = "", *, slug: str | None = None, title: str | None = None) -> None:
        challenge = 'Bearer realm="centralino"'
        super().__init__(detail, slug=slug, title=title, headers={"WWW-Authenticate": challenge})


class Forbidden(_Fixed):
    """The token is good and does not allow this."""

    fixed_status, fixed_slug, fixed_title = 403, "forbidden", "This token does not allow it"


class NotFound(_Fixed):
    """No such thing."""

    fixed_status, fixed_slug, fixed_title = 404, "not-found", "There is no such thing"


class Conflict(_Fixed):
    """The state does not allow it now."""

    fixed_status, fixed_slug, fixed_title = 409, "conflict", "The present state does not allow it"


class IdempotencyRunning(Conflict):
    """Another request with this Idempotency-Key has not ended."""

    fixed_slug, fixed_title = "idempotency-running", "A request with this key is still being worked on"


class Gone(_Fixed):
    """It was there and will not come back."""

    fixed_status, fixed_slug, fixed_title = 410, "gone", "It is no longer there"


class PreconditionFailed(_Fixed):
    """If-Match names an older version."""

    fixed_status, fixed_slug, fixed_title = 412, "stale-version", "It has changed since you read it"


class TooLarge(_Fixed):
    """The body is over the limit."""

    fixed_status, fixed_slug, fixed_title = 413, "too-large", "The body is too large"


class UnsupportedMedia(_Fixed):
    """The content type is not the one that is read here."""

    fixed_status, fixed_slug, fixed_title = 415, "unsupported-media-type", "The content type is not read here"


class Unprocessable(_Fixed):
    """It can be read and makes no sense."""

    fixed_status, fixed_slug, fixed_title = 422, "invalid-request", "The request is not valid"


class IdempotencyMismatch(Unprocessable):
    """The same Idempotency-Key came with another body."""

    fixed_slug, fixed_title = "idempotency-mismatch", "This key was used for another request"


class PreconditionRequired(_Fixed):
    """If-Match is missing."""

    fixed_status, fixed_slug, fixed_title = 428, "version-required", "If-Match is needed"


class Unavailable(_Fixed):
    """A part is away for now. `cause` is the label of the metric: database, pool, timeout or other."""

    fixed_status, fixed_slug, fixed_title = 503, "unavailable", "Not available for the moment"

    def __init__(
        self,
        detail: str = "",
        *,
        slug: str | None = None,
        title: str | None = None,
        retry_after_s: int = 2,
        cause: str = "other",
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        headers = {"Retry-After": str(retry_after_s)}
        super().__init__(detail, slug=slug, title=title, headers=headers, extensions=extensions)
        self.cause = cause


def internal_error() -> Problem:
    """The answer to a bug: nothing but the request id leads from it to the log."""
    detail = "This is an error on our side. Quote the request id when you report it."
    return Problem(500, "internal", "Unexpected error", detail)


def from_http_exception(error: HTTPException) -> Problem:
    """The problem for an exception of the framework (unknown path, wrong method, unreadable body)."""
    if isinstance(error, Problem):
        return error
    status = error.status_code
    if status == 404:
        return NotFound("No route has this path.", slug="no-route")
    if status == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"This address takes {allowed}."
        title = "This method is not allowed here"
        return Problem(405, "method-not-allowed", title, detail, headers=error.headers)
    if isinstance(error.__cause__, RecursionError):
        return BadRequest(
            "The body is not JSON that can be read: it is nested too deeply.", slug="unreadable-body"
        )
    if status == 400:
        return BadRequest(str(error.detail), slug="unreadable-body")
    phrase = HTTPStatus(status).phrase
    return Problem(status, phrase.lower().replace(" ", "-"), phrase, str(error.detail), headers=error.headers)
