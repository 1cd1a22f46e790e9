"""The way to the platform: HTTP with tokens of our own, asked again until there is an answer."""

import asyncio
import random
import ssl
import time
from collections import Counter
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx

from libs.web import Tokens

_TOKEN_S: Final = 24 * 3600
_ASK_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_LATER_S: Final = 0.3
_LANES: Final = 40
_NO_TLS_SETUP: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Shared by plain connections: a context with the world's certificates takes 20 ms to make."""
Role = Literal["customer", "agent", "supervisor", "admin", "service"]


class PlatformGone(RuntimeError):
    """No answer for so long that the run cannot go on."""


class Refused(RuntimeError):
    """An answer that says no where the simulation expected a yes."""

    def __init__(self, response: httpx.Response, doing: str) -> None:
        request = response.request
        super().__init__(
            f"{doing}: {request.method} {request.url.path} answered {response.status_code}: {response.text[:300]}"
        )
        self.status = response.status_code
        self.slug = _slug(response)


def _slug(response: httpx.Response) -> str:
    try:
        return str(response.json().get("type", "")).rpartition(":")[2]
    except (ValueError, AttributeError):
        return ""


class Access:
    """Requests to one platform. `trouble` counts answers and failures after which a request was asked again.

    `keys` signs tokens offline; `patience_s` is how long a request may stay without an answer.
    """

    def __init__(self, address: str, tokens: Tokens, *, patience_s: float = 180.0) -> None:
        self.address = address.rstrip("/")
        self.trouble: Counter[str] = Counter()
        self.requests = 0
        self._tokens = tokens
        self._patience_s = patience_s
        self._issued: dict[tuple[str, str], str] = {}
        self._lanes: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        self._all = [self._lane(30.0) for _ in range(_LANES)]
        for lane in self._all:
            self._lanes.put_nowait(lane)

    async def __aenter__(self) -> "Access":
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self._all:
            await lane.aclose()

    def _lane(self, read_s: float) -> httpx.AsyncClient:
        """A client of one connection: one pool for many looks at all of them for each request."""
        return httpx.AsyncClient(
            base_url=self.address,
            timeout=httpx.Timeout(30.0, connect=5.0, read=read_s),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=10),
            trust_env=False,
            verify=_NO_TLS_SETUP if self.address.startswith("http:") else True,
        )

    def stream_client(self) -> httpx.AsyncClient:
        """A client for one event stream; whoever asks for it closes it."""
        return self._lane(40.0)

    def token(self, role: Role, subject: str) -> str:
        """A bearer token, the same for the whole run."""
        key = (role, subject)
        if key not in self._issued:
            self._issued[key] = self._tokens.issue(subject, role, _TOKEN_S, {"name": subject})
        return self._issued[key]

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        json: Any = None,
        data: dict[str, str] | None = None,
        content: bytes | None = None,
        params: dict[str, str | int] | None = None,
        headers: dict[str, str] | None = None,
        patience_s: float | None = None,
    ) -> httpx.Response:
        """The first answer that is final: anything but 429 and 5xx. The request goes out unchanged each time.

        Raises PlatformGone when the patience is over.
        """
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        deadline = time.monotonic() + (self._patience_s if patience_s is None else patience_s)
        pause_s = _FIRST_PAUSE_S
        while True:
            self.requests += 1
            try:
                response = await self._send(
                    method, path, json=json, data=data, content=content, params=params, headers=sent
                )
            except httpx.TransportError as error:
                seen = type(error).__name__
            else:
                if (
                    response.status_code not in _ASK_AGAIN
                    and _slug_of_conflict(response) != "idempotency-running"
                ):
                    return response
                seen = f"status {response.status_code}"
            self.trouble[seen] += 1
            if time.monotonic() > deadline:
                raise PlatformGone(f"{method} {path}: no answer any more, the last was {seen}")
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
            pause_s = min(pause_s * 1.7, _LONGEST_PAUSE_S)

    async def command(
        self, method: str, path: str, token: str, json: Any, headers: dict[str, str]
    ) -> httpx.Response:
        """Like `call`, for commands that may be taken first and done later: asks until what became of it is known."""
        response = await self.call(method, path, token=token, json=json, headers=headers)
        while response.status_code == 202:
            await asyncio.sleep(_LATER_S)
            response = await self.call("GET", urlsplit(response.headers["Location"]).path, token=token)
        return response

    async def once(self, path: str, token: str = "") -> httpx.Response:
        """One GET, not asked again. Raises httpx.TransportError."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._send("GET", path, headers=headers)

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        lane = await self._lanes.get()
        try:
            return await lane.request(method, path, **request)
        finally:
            self._lanes.put_nowait(lane)

    async def get(self, path: str, token: str = "", **params: str | int) -> Any:
        """The JSON of a GET. Raises Refused for any status but 200."""
        response = await self.call("GET", path, token=token, params=params or None)
        if response.status_code != 200:
            raise Refused(response, "reading")
        return response.json()


def _slug_of_conflict(response: httpx.Response) -> str:
    return _slug(response) if response.status_code == 409 else ""
