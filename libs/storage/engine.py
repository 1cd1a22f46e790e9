"""The door to PostgreSQL: two small pools, one for HTTP and one for processors, and transactions as units of work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pydantic_core import from_json
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from libs.primitives import Clock
from libs.storage.unit_of_work import Outbox, UnitOfWork
from libs.telemetry import carried_trace

# Plans cached while a table was empty stay; without these a state load of a grown table was ten times slower.
_PINNED = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


def async_url(url: str) -> str:
    """A PostgreSQL URL for asyncpg, whatever driver it names. Raises ValueError for another database."""
    parsed = make_url(url)
    if not parsed.drivername.startswith(("postgresql", "postgres")):
        raise ValueError(f"DATABASE_URL names {parsed.drivername!r}; expected a postgresql:// address")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


@dataclass(frozen=True, slots=True)
class Engines:
    """The pools of a process."""

    web: AsyncEngine
    streams: AsyncEngine
    reading: AsyncEngine = field(init=False)
    """The pool for HTTP, for statements that stand alone."""
    snapshots: AsyncEngine = field(init=False)
    """The pool for HTTP, for statements that all see the same moment."""
    looking: AsyncEngine = field(init=False)
    """The pool for processors, for statements that stand alone."""

    def __post_init__(self) -> None:
        # Made once: an engine with options costs as much as several statements.
        object.__setattr__(self, "reading", self.web.execution_options(isolation_level="AUTOCOMMIT"))
        object.__setattr__(self, "looking", self.streams.execution_options(isolation_level="AUTOCOMMIT"))
        object.__setattr__(self, "snapshots", self.web.execution_options(isolation_level="REPEATABLE READ"))

    @staticmethod
    def connect(url: str, *, web_connections: int, stream_connections: int) -> "Engines":
        """Makes the pools; connections open on first use."""

        def engine(size: int, settings: dict[str, str]) -> AsyncEngine:
            return create_async_engine(
                async_url(url),
                pool_size=size,
                max_overflow=0,
                pool_use_lifo=True,
                hide_parameters=True,
                json_deserializer=from_json,
                pool_timeout=5,
                connect_args={
                    "timeout": 10,
                    "command_timeout": 60,
                    "prepared_statement_cache_size": 500,
                    "server_settings": {"application_name": "centralino", "jit": "off", **settings},
                },
            )

        return Engines(engine(web_connections, {}), engine(stream_connections, _PINNED))

    async def dispose(self) -> None:
        """Closes every connection."""
        await self.web.dispose()
        await self.streams.dispose()


@dataclass(frozen=True, slots=True)
class Database:
    """The database as one service sees it: its own schema, its own transactions."""

    engines: Engines
    schema: str
    clock: Clock
    outbox: Outbox

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work for an HTTP request, in its trace; leaving without `commit` rolls back."""
        async with self.engines.web.connect() as connection:
            yield UnitOfWork(connection, self.schema, self.clock.now_ms(), self.outbox, carried_trace())

    @asynccontextmanager
    async def begin_stream(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work for a processor, on a connection with pinned plans."""
        async with self.engines.streams.connect() as connection:
            yield UnitOfWork(connection, self.schema, self.clock.now_ms(), self.outbox)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncConnection]:
        """A processor's connection for reading, each statement for itself."""
        async with self.engines.looking.connect() as connection:
            yield connection

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement is a transaction of its own, committed when it returns."""
        async with self.engines.reading.connect() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading, each statement for itself: no transaction to open and to end."""
        async with self.engines.reading.connect() as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading whose statements all see the same moment."""
        async with self.engines.snapshots.connect() as connection:
            yield connection
