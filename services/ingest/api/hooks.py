"""The routes that providers call."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from libs.telemetry import metrics
from libs.web import BadRequest, NotFound, Problem, Unauthorized, body_limit, raw_body
from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.channels.port import (
    ChannelAdapter,
    Credentials,
    Forged,
    Hook,
    Reply,
    Unreadable,
)
from services.ingest.adapters.channels.reading import digest
from services.ingest.adapters.hook_payloads import UNREAD
from services.ingest.api.accepting import Accepting
from services.ingest.domain.channels import Item

_MOST_BYTES: Final = 4 * 1024 * 1024
_PATH: Final[list[dict[str, Any]]] = [
    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in ("provider", "account")
]
_ANYTHING: Final[dict[str, Any]] = {
    "security": [],
    "parameters": _PATH,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the routes work with."""

    accepting: Accepting
    adapters: Mapping[str, ChannelAdapter]
    reveal: Callable[[ChannelAccount], Credentials]
    hooks_url: str
    """The public address of the routes, as providers call and sign it."""

    def find(self, provider: str, account: str) -> tuple[ChannelAdapter, ChannelAccount]:
        """Raises NotFound, the same for each part that is not there."""
        adapter, found = self.adapters.get(provider), self.accepting.accounts.of_provider(provider, account)
        if adapter is None or found is None:
            raise NotFound("There is no such account of a provider.", slug="unknown-account")
        return adapter, found

    async def take(self, provider: str, account: str, request: Request) -> Reply:
        """A webhook: genuine or refused, then durable, then answered."""
        adapter, found = self.find(provider, account)
        query = str(request.scope.get("query_string", b""), "latin-1")
        hook = Hook(
            request.method,
            f"{self.hooks_url}/{provider}/{account}" + (f"?{query}" if query else ""),
            dict(request.query_params),
            {name.lower(): value for name, value in request.headers.items()},
            await request.body(),
            self.accepting.clock.now_ms(),
        )
        try:
            credentials = self.reveal(found)
            if request.method == "GET":
                greeting = adapter.greet(hook, credentials)
                if greeting is None:
                    raise NotFound("This provider sets nothing up by GET.", slug="no-greeting")
                return greeting
            adapter.verify(hook, credentials)
            items = adapter.split(hook) or [_whole(hook)]
        except Forged as error:
            raise Unauthorized(f"{error}.", slug="not-genuine") from None
        except Unreadable as error:
            raise BadRequest(f"{error}.", slug="unreadable-webhook") from None
        await self.accepting.items(found.channel, provider, account, items, hook)
        return adapter.reply


def _whole(hook: Hook) -> Item:
    """A genuine webhook in which nothing was found is kept as it is, until somebody can read it."""
    body = hook.body.decode("utf-8", "replace")
    return Item(digest(hashlib.sha256(hook.body).hexdigest()), "", {UNREAD: body})


def hooks_router(hooks: Hooks) -> APIRouter:
    """POST and GET of webhooks."""
    router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

    async def answered(request: Request) -> Response:
        provider, account = request.path_params["provider"], request.path_params["account"]
        try:
            reply = await hooks.take(provider, account, request)
        except Problem as problem:
            metrics.ingest_refused.labels(_known(hooks, provider), problem.slug).inc()
            raise
        return Response(reply.body, reply.status, media_type=reply.media_type)

    @router.post(
        "/{provider}/{account}",
        summary="A webhook of a provider, signed as that provider signs",
        openapi_extra=_ANYTHING,
    )
    @body_limit(_MOST_BYTES)
    @raw_body
    async def post_hook(request: Request) -> Response:
        # The path is read by hand: this is the route that must keep up with a provider.
        return await answered(request)

    @router.get(
        "/{provider}/{account}",
        summary="What a provider asks when a webhook is set up",
        openapi_extra={"security": [], "parameters": _PATH},
    )
    async def get_hook(request: Request) -> Response:
        return await answered(request)

    return router


def _known(hooks: Hooks, provider: str) -> str:
    """For the metrics: names that strangers make up must not become labels."""
    adapter = hooks.adapters.get(provider)
    return str(adapter.channel) if adapter else "unknown"
