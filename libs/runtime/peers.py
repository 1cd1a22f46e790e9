"""Service to service HTTP: over the in-process ASGI transport, or over the network."""

from collections.abc import Callable, Mapping

import httpx
from starlette.types import ASGIApp

from libs.web import Tokens, http_client, in_process

_TOKEN_SECONDS = 3600


class _ServiceAuth(httpx.Auth):
    """Adds a fresh token of role `service`, named after the caller."""

    def __init__(self, tokens: Tokens, caller: str) -> None:
        self._tokens = tokens
        self._caller = caller
        self._token = ""
        self._until = 0.0

    def auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def]  # httpx's own generator type
        now = self._tokens.now()
        if now > self._until:
            self._token = self._tokens.issue(f"service:{self._caller}", "service", _TOKEN_SECONDS)
            self._until = now + _TOKEN_SECONDS / 2
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class InProcessPeers:
    """All services in this process: requests go straight to the mounted apps. `apps` is asked at each first use."""

    def __init__(self, tokens: Tokens, caller: str, apps: Callable[[], Mapping[str, ASGIApp]]) -> None:
        self._auth = _ServiceAuth(tokens, caller)
        self._apps = apps
        self._clients: dict[str, httpx.AsyncClient] = {}

    def client(self, service: str) -> httpx.AsyncClient:
        if service not in self._clients:
            self._clients[service] = http_client(
                f"http://{service}.local",
                transport=in_process(self._apps()[service]),
                auth=self._auth,
                retries=0,
            )
        return self._clients[service]


class NetworkPeers:
    """Other processes behind one gateway address."""

    def __init__(self, tokens: Tokens, caller: str, gateway: str) -> None:
        self._auth = _ServiceAuth(tokens, caller)
        self._gateway = gateway.rstrip("/")
        self._clients: dict[str, httpx.AsyncClient] = {}

    def client(self, service: str) -> httpx.AsyncClient:
        if service not in self._clients:
            self._clients[service] = http_client(f"{self._gateway}/{service}", auth=self._auth, retries=0)
        return self._clients[service]
