"""Requests to addresses that somebody typed (webhooks, context hooks): they never reach the inside.

The name is resolved once, every address it has is judged, and the connection goes to a judged address, so a
name that changes its answer in between gains nothing. Redirects are not followed, proxies not used, answers
bounded.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ssl import SSLContext
from typing import Final

import httpx

from libs.web.addresses import Address, Network, is_allowed, parse_address

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
_MOST_ADDRESSES: Final = 4
_PIECE_BYTES: Final = 262_144


class OutgoingError(Exception):
    """The request was not answered.

    - OutgoingRefused: it may not be sent; do not try again, tell the operator.
    - OutgoingFailed: no connection, no name, too slow, too large; try again later.
    """


class OutgoingRefused(OutgoingError):
    """The target is not allowed. The text says why, without telling which inner address was met."""


class OutgoingFailed(OutgoingError):
    """No whole answer came in time."""


@dataclass(frozen=True, slots=True)
class OutgoingDownload:
    """An answer whose body is still to be read; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class OutgoingAnswer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, by the system's resolver, outside the event loop."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedClient:
    """Sends single requests to untrusted addresses. Holds no connections open; safe to share.

    `allowed` are the operator's exceptions (a system on the inside). `deadline_s` bounds the whole exchange,
    `most_bytes` the answer's body.
    """

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        deadline_s: float = 10.0,
        most_bytes: int = 1_048_576,
        resolver: Resolver = resolve,
        verify: SSLContext | bool = True,
    ) -> None:
        self._allowed = tuple(allowed)
        self._deadline_s = deadline_s
        self._most_bytes = most_bytes
        self._resolver = resolver
        self._verify = verify

    async def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
    ) -> OutgoingAnswer:
        """Send it once. Any status is an answer, redirects too; else OutgoingRefused or OutgoingFailed."""
        target = _parse(url)
        try:
            async with asyncio.timeout(deadline_s or self._deadline_s):
                addresses = await self._judge(target)
                return await self._send(method, target, addresses, content, headers or {})
        except TimeoutError as error:
            raise OutgoingFailed(f"{target.host} did not answer in time") from error
        except httpx.HTTPError as error:
            raise OutgoingFailed(f"{target.host}: {type(error).__name__}") from error

    @contextlib.asynccontextmanager
    async def download(
        self, url: str, *, headers: Mapping[str, str] | None = None, deadline_s: float | None = None
    ) -> "AsyncIterator[OutgoingDownload]":
        """GET whose body is read piece by piece, under the same guard and without a bound on its size: the reader's.

        Raises OutgoingRefused or OutgoingFailed, while it is read too.
        """
        target = _parse(url)
        try:
            async with asyncio.timeout(deadline_s or self._deadline_s):
                addresses = await self._judge(target)
                async with self._opened("GET", target, addresses, b"", headers or {}) as response:
                    answered = {name.lower(): value for name, value in response.headers.items()}
                    yield OutgoingDownload(response.status_code, answered, response.aiter_bytes(_PIECE_BYTES))
        except TimeoutError as error:
            raise OutgoingFailed(f"{target.host} did not answer in time") from error
        except httpx.HTTPError as error:
            raise OutgoingFailed(f"{target.host}: {type(error).__name__}") from error

    async def _judge(self, target: httpx.URL) -> list[Address]:
        host = target.host
        literal = parse_address(host)
        if literal is not None:
            found = [literal]
        else:
            try:
                texts = await self._resolver(host, _port(target))
            except (OSError, UnicodeError) as error:
                raise OutgoingFailed(f"{host} has no address") from error
            parsed = [parse_address(text) for text in texts]
            found = [address for address in parsed if address is not None]
            if not found or len(found) != len(parsed):
                raise OutgoingFailed(f"{host} has no address")
        if not all(is_allowed(address, self._allowed) for address in found):
            raise OutgoingRefused(f"{host} leads to an address that is not public and not on the allow-list")
        return found[:_MOST_ADDRESSES]

    async def _send(
        self,
        method: str,
        target: httpx.URL,
        addresses: Sequence[Address],
        content: bytes,
        headers: Mapping[str, str],
    ) -> OutgoingAnswer:
        async with self._opened(method, target, addresses, content, headers) as response:
            return await self._read(target, response)

    @contextlib.asynccontextmanager
    async def _opened(
        self,
        method: str,
        target: httpx.URL,
        addresses: Sequence[Address],
        content: bytes,
        headers: Mapping[str, str],
    ) -> AsyncIterator[httpx.Response]:
        """The answer's head, from the first address that can be reached."""
        # One client per request: a pool is keyed by the address, and two names may share one.
        async with httpx.AsyncClient(
            verify=self._verify, trust_env=False, follow_redirects=False, timeout=self._deadline_s
        ) as client:
            for position, address in enumerate(addresses, 1):
                request = client.build_request(
                    method,
                    target.copy_with(host=str(address)),
                    content=content,
                    headers={**headers, "Host": target.netloc.decode("ascii")},
                    extensions={"sni_hostname": target.raw_host.decode("ascii")},
                )
                try:
                    response = await client.send(request, stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if position == len(addresses):
                        raise
                    continue
                try:
                    yield response
                finally:
                    await response.aclose()
                return
        raise OutgoingFailed(f"{target.host} has no address")

    async def _read(self, target: httpx.URL, response: httpx.Response) -> OutgoingAnswer:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > self._most_bytes:
                raise OutgoingFailed(f"{target.host} answered more than {self._most_bytes} bytes")
        answered = {name.lower(): value for name, value in response.headers.items()}
        return OutgoingAnswer(response.status_code, answered, bytes(body))


def check_target(url: str) -> None:
    """Raise OutgoingRefused for an address that could never be called; use it when an operator saves one."""
    _parse(url)


def _parse(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise OutgoingRefused("this is not a URL") from error
    if target.scheme not in ("http", "https") or not target.host:
        raise OutgoingRefused("only http and https addresses with a host are called")
    if target.userinfo:
        raise OutgoingRefused("an address may not carry a user name or password")
    if "%" in target.host:
        raise OutgoingRefused("an address may not carry a zone")
    return target


def _port(target: httpx.URL) -> int:
    return target.port or (443 if target.scheme == "https" else 80)
