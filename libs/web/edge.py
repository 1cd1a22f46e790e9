"""The one ASGI middleware around a service: request id, trace, metrics, body checks, no naked error."""

import re
from collections.abc import Mapping
from time import perf_counter
from typing import Final

from prometheus_client import Counter, Histogram
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from libs.telemetry import (
    Kind,
    Span,
    TraceContext,
    get_logger,
    metrics,
    parse_traceparent,
    recorder,
    start_trace,
)
from libs.telemetry.tracing import current_trace, set_current_trace
from libs.web.bodies import BodyReader
from libs.web.outages import problem_of
from libs.web.problems import BadRequest, Problem, Unavailable

REQUEST_ID_KEY: Final = "centralino.request_id"
CAUSE_KEY: Final = "centralino.cause"
_HEADERS_KEY: Final = "centralino.answer_headers"
_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{8,64}")
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Asked every few seconds by whatever watches the process: no work of the platform.
_WATCHED: Final = ("/livez", "/readyz", "/metrics")
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_READ: Final = frozenset(
    {b"x-request-id", b"traceparent", b"content-length", b"content-type", b"content-encoding"}
)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_DATA_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGE_POLICY: Final = (
    b"content-security-policy",
    b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'",
)
_NO_STORE: Final = (b"cache-control", b"no-store")
_log = get_logger("http")


class Edge:
    """Wraps one service's app. Every request ends here: answered, counted, and with its id in the answer.

    Answers get `x-request-id`, the security headers, and `cache-control: no-store` and a content security
    policy where the route set none. An error that no handler took becomes a problem document.
    """

    def __init__(self, app: ASGIApp, *, service: str, max_body_bytes: int, access_log: bool = False) -> None:
        self._app = app
        self._service = service
        self._max_body_bytes = max_body_bytes
        self._access_log = access_log
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        headers = {name: value for name, value in scope["headers"] if name in _READ}
        span = self._span(scope, headers)
        trace = _trace_of(headers) if span is None else span.context
        request_id = _request_id_of(headers) or trace.trace_id
        scope[REQUEST_ID_KEY] = request_id
        outer_trace = current_trace()
        set_current_trace(trace)
        tokens = bind_contextvars(request_id=request_id, trace_id=trace.trace_id)
        answer = _Answer(send, request_id.encode(), scope, self._service)
        reader = (
            receive
            if scope["method"] in _BODILESS
            else BodyReader(scope, receive, headers, self._max_body_bytes)
        )
        try:
            if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
                raise BadRequest("The address holds NUL.", slug="bad-address")
            await self._app(scope, reader, answer)
        except Exception as error:  # noqa: BLE001 - the last place that can turn it into an answer
            await self._answer_error(error, scope, receive, answer)
        finally:
            self._count(scope, answer, perf_counter() - started)
            if span is not None and not answer.streaming:
                self._end(span, scope, answer.status or 499)
            reset_contextvars(**tokens)
            set_current_trace(outer_trace)

    def _span(self, scope: Scope, headers: dict[bytes, bytes]) -> Span | None:
        """The request as a span, if spans are recorded. Named when the route is known."""
        where = recorder()
        if where is None or scope["path"].endswith(_WATCHED):
            return None
        method = _method(scope)
        attributes = {"http.request.method": method, "url.scheme": scope.get("scheme", "http")}
        return where.start(self._service, method, Kind.SERVER, _parent_of(headers), attributes)

    def _end(self, span: Span, scope: Scope, status: int) -> None:
        """The template stands for the address, which may hold a customer's token."""
        route = route_template(scope)
        known = {} if route == "none" else {"http.route": f"/{self._service}{route}"}
        span.end(
            name=" ".join([_method(scope), *known.values()]),
            error=str(status) if status >= 500 else "",
            attributes={"http.response.status_code": status, **known},
        )

    async def _answer_error(
        self, error: Exception, scope: Scope, receive: Receive, answer: "_Answer"
    ) -> None:
        problem = problem_of(error)
        if answer.status:
            _log.error("failed_after_the_answer_began", exc_info=error, route=route_template(scope))
            raise error
        note_problem(scope, problem)
        if problem.status == 500:
            _log.error(
                "unexpected_error", exc_info=error, method=scope["method"], route=route_template(scope)
            )
        elif problem.status == 503:
            _log.warning("unavailable", exc_info=error, route=route_template(scope))
        await problem.response(scope[REQUEST_ID_KEY])(scope, receive, answer)

    def _count(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        route = route_template(scope)
        method = _method(scope)
        status = answer.status or 499
        counted = self._counters.get((method, route, status))
        if counted is None:
            # Looking a labelled metric up costs more than counting; there are few routes and statuses.
            counted = (
                metrics.http_requests.labels(self._service, method, route, status),
                metrics.http_duration.labels(self._service, method, route),
            )
            self._counters[method, route, status] = counted
        counted[0].inc()
        if answer.streaming:
            metrics.http_streams.labels(self._service, route).dec()
        else:
            counted[1].observe(seconds)
        if status == 500:
            metrics.http_unexpected.labels(self._service).inc()
        elif status == 503:
            metrics.http_unavailable.labels(self._service, scope.get(CAUSE_KEY, "other")).inc()
        if self._access_log:
            _log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))


class _Answer:
    """The `send` of one request: remembers the status and completes the head."""

    __slots__ = ("_request_id", "_scope", "_send", "_service", "status", "streaming")

    def __init__(self, send: Send, request_id: bytes, scope: Scope, service: str) -> None:
        self._send = send
        self._request_id = request_id
        self._scope = scope
        self._service = service
        self.status = 0
        self.streaming = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._complete(message.get("headers", ()))
        await self._send(message)

    def _complete(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        page = cached = guarded = False
        for name, value in given:
            if name == b"content-type":
                page = value.startswith(b"text/html")
                if value.startswith(b"text/event-stream"):
                    self.streaming = True
                    metrics.http_streams.labels(self._service, route_template(self._scope)).inc()
            elif name == b"cache-control":
                cached = True
            elif name == b"content-security-policy":
                guarded = True
        headers = [*given, (b"x-request-id", self._request_id), *_ALWAYS, *self._scope.get(_HEADERS_KEY, ())]
        if not guarded:
            headers.append(_PAGE_POLICY if page else _DATA_POLICY)
        if not cached:
            headers.append(_NO_STORE)
        return headers


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def _parent_of(headers: dict[bytes, bytes]) -> TraceContext | None:
    given = headers.get(b"traceparent")
    return parse_traceparent(given.decode("latin-1")) if given else None


def _trace_of(headers: dict[bytes, bytes]) -> TraceContext:
    parent = _parent_of(headers)
    return parent.child() if parent else start_trace()


def _request_id_of(headers: dict[bytes, bytes]) -> str | None:
    given = headers.get(b"x-request-id")
    return given.decode() if given and _ID.fullmatch(given) else None


def route_template(scope: Scope) -> str:
    """The path template that answered, such as `/v1/messages/{message_id}`; `none` when nothing matched."""
    known = scope.get("fastapi")
    context = known.get("effective_route_context") if known else None
    template = getattr(context, "path_format", None) or getattr(scope.get("route"), "path_format", None)
    return template if isinstance(template, str) else "none"


def add_answer_headers(request: HTTPConnection, headers: Mapping[str, str]) -> None:
    """Headers for the answer to this request, whatever it will be: refusals and errors carry them too."""
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    request.scope[_HEADERS_KEY] = [*request.scope.get(_HEADERS_KEY, ()), *encoded]


def note_problem(scope: Scope, problem: Problem) -> None:
    """Remember why a 503 was answered, for the metric."""
    if isinstance(problem, Unavailable):
        scope[CAUSE_KEY] = problem.cause
