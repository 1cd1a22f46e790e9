"""`create_app`: what every service of the platform has in common over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.telemetry import get_logger, metrics, render_metrics
from libs.telemetry.metrics import CONTENT_TYPE
from libs.web.auth import TicketBook
from libs.web.docs import add_docs
from libs.web.edge import REQUEST_ID_KEY, Edge, note_problem
from libs.web.openapi import install_openapi
from libs.web.problems import Unavailable, from_http_exception
from libs.web.settings import WebSettings
from libs.web.tokens import Tokens
from libs.web.validation import problem_of_validation

Readiness = Callable[[], Awaitable[Mapping[str, str]]]
"""Names of checks and how each stands: `ok`, or what is wrong, in words for an operator."""

OK: Final = "ok"
# The framework's own telemetry would record refused input, with what customers wrote.
_NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
_log = get_logger("http")


class Health(BaseModel):
    """How the service stands."""

    status: str
    checks: dict[str, str] = {}


def create_app(
    name: str,
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    *,
    readiness: Readiness,
    settings: WebSettings,
    tokens: Tokens | None = None,
    lifespan: Any = None,
    own_origins: Sequence[str] = (),
) -> FastAPI:
    """The app of service `name`, to be mounted at `/{name}` (see `create_host`).

    Routers bring their own `/v1/...`; this adds /livez, /readyz, /metrics, /openapi.json, /asyncapi.json and /docs. Every
    error is a problem document (`libs.web.problems`), bodies over the limit are 413, wrong content types
    415, unstorable texts 422, a database that is away 503 with Retry-After. `tokens` is needed by
    `require_role`. Routes under the paths of `own_origins`, such as `/v1/widget/`, say themselves which
    origins may call them; `settings.cors_origins` is not for them. The app's state holds `tokens`, `tickets`
    and `stopping` (set it when the process drains: event streams then end).
    """
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        root_path_in_servers=False,
        servers=[{"url": f"/{name}", "description": "this service, on any address of the platform"}],
        generate_unique_id_function=_operation_id,
        telemetry=_NO_TELEMETRY,
        lifespan=lifespan,
    )
    app.state.name = name
    app.state.tokens = tokens
    app.state.tickets = TicketBook()
    app.state.stopping = asyncio.Event()
    app.state.readiness = readiness
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    for router in routers:
        app.include_router(router)
    app.include_router(_health(name, readiness, settings.readiness_timeout_s))
    if settings.docs:
        add_docs(app, name)
    if settings.cors_origins:
        app.add_middleware(_Cors, allow_origins=settings.cors_origins, own_origins=tuple(own_origins))
    app.add_middleware(
        Edge, service=name, max_body_bytes=settings.max_body_bytes, access_log=settings.access_log
    )
    install_openapi(app)
    return app


class _Cors(CORSMiddleware):
    def __init__(self, app: ASGIApp, allow_origins: Sequence[str], own_origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=allow_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "Last-Event-ID",
                "Prefer",
            ],
            expose_headers=[
                "ETag",
                "Link",
                "Location",
                "Retry-After",
                "X-Request-Id",
                "Idempotency-Replayed",
            ],
        )
        self._own_origins = own_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if path.startswith(self._own_origins):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def check_readiness(name: str, readiness: Readiness, timeout_s: float) -> dict[str, str]:
    """The service's checks; a check that raises or hangs is one that failed."""
    try:
        async with asyncio.timeout(timeout_s):
            checks = dict(await readiness())
    except TimeoutError:
        checks = {"readiness": f"no answer within {timeout_s:g} s"}
    except Exception as error:  # noqa: BLE001 - any failure means not ready, and the log says which
        _log.warning("readiness_failed", exc_info=error, service=name)
        checks = {"readiness": f"failed: {type(error).__name__}"}
    for check, state in checks.items():
        metrics.readiness.labels(name, check).set(1 if state == OK else 0)
    return checks


def _health(name: str, readiness: Readiness, timeout_s: float) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/livez", summary="Does the process answer")
    async def livez() -> Health:
        return Health(status=OK)

    @router.get("/readyz", summary="Can it do its work: database, log, owned partitions")
    async def readyz() -> Health:
        checks = await check_readiness(name, readiness, timeout_s)
        if any(state != OK for state in checks.values()):
            raise Unavailable("A check failed.", slug="not-ready", extensions={"checks": checks})
        return Health(status=OK, checks=checks)

    @router.get("/metrics", include_in_schema=False)
    async def show_metrics() -> Response:
        return Response(render_metrics(), media_type=CONTENT_TYPE)

    return router


def _operation_id(route: APIRoute) -> str:
    return route.name


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = from_http_exception(error)
    note_problem(request.scope, problem)
    return problem.response(request.scope.get(REQUEST_ID_KEY))


async def _answer_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problem = problem_of_validation(request, error)
    return problem.response(request.scope.get(REQUEST_ID_KEY))
