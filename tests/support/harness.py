"""A real service on a real database and log, driven step by step: publish, settle, look at events and rows."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from google.protobuf.message import Message
from sqlalchemy.engine import make_url
from starlette.types import ASGIApp

from libs.contracts import message_type, unpack
from libs.runtime import ManualClock, Platform, ServiceDefinition
from libs.runtime.assembly import Assembled, assemble, prepare_database
from libs.runtime.peers import InProcessPeers
from libs.storage import Database, Engines, fetch_all
from libs.streams import Log, PostgresTransport
from libs.web import Broadcast, TokenKeys, Tokens
from tests.support.postgres import create_database, drop_database

_templates: dict[str, str] = {}
START_MS = 1_780_000_000_000


async def database_for(definitions: Sequence[ServiceDefinition]) -> str:
    """A fresh migrated database: a copy of one that was migrated once for these services."""
    key = ",".join(definition.name for definition in definitions)
    if key not in _templates:
        url = await create_database()
        await prepare_database(url, definitions)
        _templates[key] = str(make_url(url).database)
    return await create_database(_templates[key])


@dataclass
class ServiceUnderTest:
    """One service without a server: its HTTP by ASGI, its processors by `settle`."""

    assembled: Assembled
    clock: ManualClock
    tokens: Tokens
    log: Log
    database: Database
    url: str
    data: Path
    """Its folder for keys and files."""
    bells: Broadcast
    """What its streams listen to."""

    async def publish(self, *events: Message) -> None:
        """Appends events to the log as another service would, one transaction."""
        async with self.database.begin() as uow:
            uow.emit(*events)
            await uow.commit()

    async def settle(self, most_seconds: float = 20.0) -> None:
        """Runs processors and due timers until nothing is left and the service's workers have been idle a moment."""
        quiet = 0
        async with asyncio.timeout(most_seconds):
            while quiet < 3:
                await self.log.refresh()
                handled = 0
                for processor in self.assembled.processors:
                    handled += await processor.round()
                quiet = 0 if handled else quiet + 1
                await asyncio.sleep(0.02 if quiet else 0)

    def token(self, role: str = "agent", subject: str = "anna", **claims: Any) -> str:
        """An access token."""
        return self.tokens.issue(subject, role, 3600, claims)  # type: ignore[arg-type]  # tests name any role

    def client(self, role: str | None = "agent", subject: str = "anna", **claims: Any) -> httpx.AsyncClient:
        """A client of the service's app (`/v1/...`); without a role it sends no token."""
        headers = {} if role is None else {"Authorization": f"Bearer {self.token(role, subject, **claims)}"}
        transport = httpx.ASGITransport(self.assembled.app, raise_app_exceptions=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://service.test", headers=headers, timeout=30
        )

    async def events(self, name: str) -> list[Any]:
        """Events of that name (without package) on the log, oldest first in each partition."""
        async with self.database.read() as connection:
            rows = await fetch_all(
                connection, "SELECT data FROM log.events ORDER BY topic, at_ms, partition, number"
            )
        envelopes = [unpack(data) for (data,) in rows]
        found = []
        for envelope in envelopes:
            if envelope.type.rsplit(".", 1)[1] == name:
                type_ = message_type(envelope.type)
                assert type_ is not None
                found.append(type_.FromString(envelope.payload))
        return found


@asynccontextmanager
async def running(
    definition: ServiceDefinition,
    settings: Any = None,
    *,
    peers: Mapping[str, ASGIApp] | None = None,
    clock: ManualClock | None = None,
    tasks: bool = True,
) -> AsyncIterator[ServiceUnderTest]:
    """A service on a fresh database, started (workers too unless `tasks` is false), and ended afterwards."""
    url = await database_for([definition])
    clock, tokens = clock or ManualClock(START_MS), Tokens(TokenKeys.generate())
    try:
        async with _process(definition, settings, url, clock, tokens, peers, tasks=tasks) as service:
            yield service
    finally:
        await drop_database(url)


@asynccontextmanager
async def second(
    first: ServiceUnderTest, definition: ServiceDefinition, settings: Any = None
) -> AsyncIterator[ServiceUnderTest]:
    """Another process of the same service: its own memory and leases, the first one's database and clock."""
    async with _process(
        definition, settings, first.url, first.clock, first.tokens, None, tasks=False
    ) as service:
        yield service


@asynccontextmanager
async def _process(
    definition: ServiceDefinition,
    settings: Any,
    url: str,
    clock: ManualClock,
    tokens: Tokens,
    peers: Mapping[str, ASGIApp] | None,
    *,
    tasks: bool,
) -> AsyncIterator[ServiceUnderTest]:
    # As few as a process of many may have: whoever holds one and asks for another waits for ever.
    engines = Engines.connect(url, web_connections=8, stream_connections=1)
    log = Log(engines.streams)
    await log.start()
    stop = asyncio.Event()
    workers: list[asyncio.Task[None]] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(engines, definition.name, clock, log)
        platform = Platform(
            database,
            log,
            clock,
            tokens,
            InProcessPeers(tokens, definition.name, lambda: peers or {}),
            Path(folder),
            "http://public.test",
        )
        transport = PostgresTransport(engines.streams, log)
        assembled = assemble(definition, platform, transport, settings)
        try:
            await assembled.service.start()
            if tasks:
                workers = [asyncio.create_task(task(stop)) for task in assembled.service.tasks]  # type: ignore[arg-type]
            yield ServiceUnderTest(assembled, clock, tokens, log, database, url, Path(folder), platform.bells)
        finally:
            assembled.app.state.stopping.set()
            stop.set()
            done, late = await asyncio.wait(workers, timeout=3) if workers else (set(), set())
            for task in late:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            for processor in assembled.processors:
                await processor.leave()
            await assembled.service.close()
            await log.stop()
            await engines.dispose()
            # A host would say so and start it again; here its work would be missing and nobody would know why.
            for task in done:
                task.result()
