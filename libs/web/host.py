"""One address for several services: `/{name}/...` goes to that app, the rest to a small front page."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.web.app import OK, check_readiness, create_app
from libs.web.docs import HOST, reference_page, wants_page
from libs.web.openapi import combined_openapi
from libs.web.settings import WebSettings


class ServiceAddress(BaseModel):
    """Where one service answers."""

    name: str
    title: str
    docs: str
    openapi: str


class Host:
    """The ASGI app that holds the mounted apps. The lifespans of the parts are the caller's business."""

    def __init__(self, apps: Mapping[str, FastAPI], front: FastAPI) -> None:
        self.apps = dict(apps)
        self.front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
            return
        root = scope.get("root_path", "")
        path = scope["path"]
        name = path[len(root) + 1 :].split("/", 1)[0] if path.startswith(root + "/") else ""
        app: ASGIApp | None = self.apps.get(name)
        if app is None:
            await self.front(scope, receive, send)
            return
        inner = {**scope, "root_path": f"{root}/{name}", "app_root_path": scope.get("app_root_path", root)}
        await app(inner, receive, send)

    def stop_streams(self) -> None:
        """End every open event stream; call it first when the process drains."""
        for app in (*self.apps.values(), self.front):
            app.state.stopping.set()


def create_host(
    apps: Mapping[str, FastAPI], *, title: str, version: str, settings: WebSettings | None = None
) -> Host:
    """All services of this process behind one ASGI app.

    Beside the services it answers `/` (where they are), /livez, /readyz (the checks of all, as
    `service.check`), /metrics, /openapi.json (one document for all), /asyncapi.json and /docs.
    """
    used = settings or WebSettings()
    router = APIRouter(tags=["platform"])

    @router.get("/", summary="Where the services are", response_model=list[ServiceAddress])
    async def services(request: Request) -> Response | list[ServiceAddress]:
        """A browser gets the reference of all services."""
        if used.docs and wants_page(request):
            return reference_page(request, title, HOST)
        return [
            ServiceAddress(name=name, title=app.title, docs=f"/{name}/docs", openapi=f"/{name}/openapi.json")
            for name, app in apps.items()
        ]

    async def readiness() -> Mapping[str, str]:
        states: dict[str, str] = {}
        for name, app in apps.items():
            checks = await check_readiness(name, app.state.readiness, used.readiness_timeout_s)
            states.update({f"{name}.{check}": state for check, state in checks.items()})
        return states or {"services": OK}

    front = create_app(HOST, title, version, [router], readiness=readiness, settings=used)

    def openapi() -> dict[str, Any]:
        return combined_openapi(apps, title=title, version=version)

    front.openapi = openapi  # type: ignore[method-assign]  # the documented way to replace it
    return Host(apps, front)


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
