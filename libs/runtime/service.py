"""What a service is to the process that runs it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
from fastapi import APIRouter
from google.protobuf.message import Message

from libs.primitives import Clock
from libs.runtime.settings import ServiceSettings
from libs.storage import Database
from libs.streams import Log, StreamRouter, Subscriber
from libs.web import Broadcast, Tokens

S = TypeVar("S", bound=ServiceSettings)


class Peers(Protocol):
    """The other services over HTTP, in process or over the network."""

    def client(self, service: str) -> httpx.AsyncClient:
        """A client whose paths begin at the service (`/v1/...`), with a token of role `service`. Do not close it."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What a process gives to each service it runs."""

    database: Database
    """With the service's own schema."""
    log: Log
    clock: Clock
    tokens: Tokens
    peers: Peers
    data: Path
    """Folder for keys and files."""
    public_url: str
    """Address that customers see, without a slash at the end."""
    bells: Broadcast = field(default_factory=Broadcast)
    """Wake-ups of this service, heard by its other processes too."""


async def _nothing() -> None:
    return


async def _ready() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Service:
    """A service put together: what the process serves and runs."""

    routers: Sequence[APIRouter] = ()
    subscribers: Sequence[Subscriber[Any]] = ()
    tasks: Sequence[Callable[[asyncio.Event], Awaitable[None]]] = ()
    """Run for the life of the process; each ends soon after the event is set. One that fails is started again."""
    own_origins: Sequence[str] = ()
    """Path prefixes whose routes say themselves which origins may call them, such as `/v1/widget/`."""
    start: Callable[[], Awaitable[None]] = _nothing
    """Before the first request and the first event, after the migrations."""
    close: Callable[[], Awaitable[None]] = _nothing
    """After the last."""
    readiness: Callable[[], Awaitable[Mapping[str, str]]] = _ready
    """Checks beside the common ones: name to `ok` or what is wrong."""


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service as the table of contents names it."""

    name: str
    """Its schema, URL prefix and the first part of its topics."""
    title: str
    purpose: str
    settings: type[ServiceSettings]
    build: Callable[[Platform, Any], Service]
    """Puts it together; second argument is an instance of `settings`."""
    migrations: str
    """Package with its alembic `versions`."""
    streams: tuple[StreamRouter[Any], ...]
    """Its declared consumers, from which the flow picture is drawn."""
    emits: tuple[type[Message], ...] = ()
    """Events emitted outside handlers: by HTTP operations and workers."""
