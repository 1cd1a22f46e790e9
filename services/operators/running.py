"""A database and, where it is needed, a service put together without serving: what the commands work on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import uvloop

from libs.runtime import Platform, PlatformSettings, ServiceDefinition, SystemClock
from libs.runtime.assembly import Assembled, assemble, prepare_database
from libs.runtime.peers import InProcessPeers
from libs.storage import Database, Engines
from libs.streams import Log, PostgresTransport
from libs.web import TokenKeys, Tokens
from services.embedded import data_folder, with_database
from services.registry import services

T = TypeVar("T")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Engines, Log]]:
    """The log and the pools of a migrated database."""
    await prepare_database(url, services())
    engines = Engines.connect(url, web_connections=3, stream_connections=2)
    log = Log(engines.streams)
    await log.start()
    try:
        yield engines, log
    finally:
        await log.stop()
        await engines.dispose()


def on_database(work: Callable[[Engines, Log], Awaitable[T]]) -> T:
    """Runs work on the installation's database, starting the embedded one for the time if nobody runs it."""
    settings = PlatformSettings()

    async def run(url: str) -> T:
        async with opened(url) as (engines, log):
            return await work(engines, log)

    with with_database(settings) as url:
        return uvloop.run(run(url))


def put_together(definition: ServiceDefinition, engines: Engines, log: Log) -> Assembled:
    """A service with its processors, not running."""
    data = data_folder(PlatformSettings())
    tokens = Tokens(TokenKeys.load_or_create(data / "token-keys.json"))
    clock = SystemClock()
    platform = Platform(
        Database(engines, definition.name, clock, log),
        log,
        clock,
        tokens,
        InProcessPeers(tokens, definition.name, dict),
        data,
        "",
    )
    return assemble(definition, platform, PostgresTransport(engines.streams, log))
