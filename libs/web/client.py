"""The one way out to services of the platform and to configured providers; wraps the HTTP library.

Requests to addresses that operators or customers type go through `libs.web.outgoing`.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from structlog.contextvars import get_contextvars

from libs.telemetry import current_trace

HttpClient = httpx.AsyncClient
HttpAuth = httpx.Auth
HttpResponse = httpx.Response
HttpFailure = httpx.HTTPError
"""No answer came: connection, timeout, protocol; also raised by `response.raise_for_status()`."""

_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_PASSING: Final = frozenset({502, 503, 504})
_LONGEST_PAUSE_S: Final = 5.0


def http_client(
    base_url: str = "",
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout_s: float = 10.0,
    connect_timeout_s: float = 3.0,
    retries: int = 2,
    headers: Mapping[str, str] | None = None,
    auth: httpx.Auth | None = None,
    most_connections: int = 50,
) -> httpx.AsyncClient:
    """A client with timeouts, retries and the request id and trace of the work at hand.

    Retried, after a growing pause, are connections that could not be made, and for GET, HEAD, OPTIONS, PUT,
    DELETE and any request with an Idempotency-Key also broken answers, timeouts and 502, 503, 504. Redirects
    are not followed and the environment's proxies are not used. Close it, or use it in `async with`.
    """
    inner = transport or httpx.AsyncHTTPTransport(
        limits=httpx.Limits(max_connections=most_connections), trust_env=False
    )
    return httpx.AsyncClient(
        base_url=base_url,
        transport=RetryTransport(inner, retries=retries),
        timeout=httpx.Timeout(timeout_s, connect=connect_timeout_s),
        headers=dict(headers or {}),
        auth=auth,
        follow_redirects=False,
        trust_env=False,
    )


def in_process(app: Callable[..., Any]) -> httpx.AsyncBaseTransport:
    """The transport that calls an ASGI app of this process. It reads whole answers: not for event streams."""
    return httpx.ASGITransport(app=app, raise_app_exceptions=False)


class RetryTransport(httpx.AsyncBaseTransport):
    """Hands requests on with `x-request-id` and `traceparent`, and again when that is safe."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, retries: int, first_pause_s: float = 0.1) -> None:
        self._inner = inner
        self._retries = retries
        self._first_pause_s = first_pause_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _propagate(request)
        repeatable = request.method in _REPEATABLE or "idempotency-key" in request.headers
        # A body that is produced on the way can be sent once only.
        attempts = 1 + (self._retries if isinstance(request.stream, httpx.ByteStream) else 0)
        for attempt in range(1, attempts + 1):
            try:
                response = await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if attempt == attempts:
                    raise
                pause = self._pause(attempt)
            except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.TimeoutException):
                if attempt == attempts or not repeatable:
                    raise
                pause = self._pause(attempt)
            else:
                if attempt == attempts or not repeatable or response.status_code not in _PASSING:
                    return response
                pause = max(self._pause(attempt), _retry_after(response))
                await response.aclose()
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _pause(self, attempt: int) -> float:
        longest: float = min(_LONGEST_PAUSE_S, self._first_pause_s * 2 ** (attempt - 1))
        return longest * random.uniform(0.5, 1.0)


def _propagate(request: httpx.Request) -> None:
    request_id = get_contextvars().get("request_id")
    if isinstance(request_id, str):
        request.headers.setdefault("x-request-id", request_id)
    trace = current_trace()
    if trace is not None:
        request.headers.setdefault("traceparent", trace.header)


def _retry_after(response: httpx.Response) -> float:
    given = response.headers.get("retry-after", "")
    return min(_LONGEST_PAUSE_S, float(given)) if given.isascii() and given.isdigit() else 0.0
