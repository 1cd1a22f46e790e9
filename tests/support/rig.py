"""A log, a table and consumer groups without any service: what the conformance suite of transports drives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from google.protobuf.message import Message
from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.engine import make_url

from libs.contracts import ConversationTriaged, Kind, MessageReceived
from libs.runtime import SystemClock
from libs.storage import Database, Engines, Rows, TableRepository, UnitOfWork, fetch_all
from libs.storage.migrate import migrate
from libs.streams import (
    Due,
    Log,
    PostgresTransport,
    Processor,
    Received,
    Reject,
    Retry,
    StreamRouter,
    Subscriber,
    Transport,
    register_topics,
)
from tests.support.postgres import create_database, drop_database

SCHEMA = "rig"
_table = Table(
    "seen",
    MetaData(),
    Column("key", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("trail", Text, nullable=False),
    schema=SCHEMA,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a group has handled of a key."""

    key: str
    count: int
    trail: str
    """Message numbers in the order of handling."""


SEEN = TableRepository(_table, Seen)


@dataclass(frozen=True, slots=True)
class Context:
    uow: UnitOfWork
    seen: Rows[Seen]


@dataclass
class Behaviour:
    """What the rig's handler does, set by a test."""

    reject: set[str] = field(default_factory=set)
    """Texts that die."""
    unready: int = 0
    """So many times the handler is not ready."""
    slow_seconds: float = 0.0
    batches: int = 0


def counting_router(group: str, behaviour: Behaviour) -> StreamRouter[Context]:
    """Counts messages by conversation and emits one event for each."""
    router = StreamRouter[Context](group=group)

    @router.on(
        MessageReceived, emits=[ConversationTriaged], load=lambda e, ctx: [ctx.seen.want(e.conversation_id)]
    )
    async def count(received: Received[MessageReceived], ctx: Context) -> Sequence[Message]:
        event = received.event
        if behaviour.unready > 0:
            behaviour.unready -= 1
            raise Retry("not ready yet")
        if event.text in behaviour.reject:
            raise Reject(f"refused {event.text!r}")
        if behaviour.slow_seconds:
            await asyncio.sleep(behaviour.slow_seconds)
        old = ctx.seen.get(event.conversation_id) or Seen(event.conversation_id, 0, "")
        ctx.seen.put(replace(old, count=old.count + 1, trail=f"{old.trail},{event.message_seq}"))
        return [
            ConversationTriaged(
                conversation_id=event.conversation_id,
                message_id=event.message_id,
                message_seq=event.message_seq,
                kind=Kind.KIND_REQUEST,
            )
        ]

    @router.timer("rig.wake", load=lambda due, ctx: [ctx.seen.want(due.key)])
    async def wake(due: Due, ctx: Context) -> Sequence[Message]:
        old = ctx.seen.get(due.key) or Seen(due.key, 0, "")
        ctx.seen.put(replace(old, trail=f"{old.trail},timer:{due.payload.decode()}"))
        return []

    return router


@dataclass
class Rig:
    """One database with a log, and as many group members as a test starts."""

    url: str
    engines: Engines
    log: Log
    database: Database
    transport: Transport

    def member(self, router: StreamRouter[Context], **options: int) -> Processor[Context]:
        """One more member of the router's group."""
        subscriber = Subscriber(router, lambda uow: Context(uow, uow.rows(SEEN)))
        return Processor(subscriber, self.database, self.transport, SystemClock(), **options)

    async def publish(self, *events: Message) -> None:
        async with self.database.begin() as uow:
            uow.emit(*events)
            await uow.commit()

    async def seen(self) -> dict[str, Seen]:
        async with self.database.read() as connection:
            rows = await fetch_all(connection, f"SELECT key, count, trail FROM {SCHEMA}.seen")
        return {key: Seen(key, count, trail) for key, count, trail in rows}

    async def run_sql(self, statement: str, *arguments: object) -> list[tuple[object, ...]]:
        async with self.engines.web.begin() as connection:
            result = await connection.exec_driver_sql(statement, arguments)
            return [tuple(row) for row in result.fetchall()] if result.returns_rows else []


async def drain(*members: Processor[Context], quiet: int = 3, most_seconds: float = 20) -> None:
    """Runs the members in turn until none of them finds anything."""
    idle = 0
    async with asyncio.timeout(most_seconds):
        while idle < quiet:
            handled = sum([await member.round() for member in members])
            idle = 0 if handled else idle + 1


def message(conversation: str, seq: int, text: str = "hello") -> MessageReceived:
    return MessageReceived(
        message_id=f"{conversation}-{seq}", conversation_id=conversation, message_seq=seq, text=text
    )


_template: list[str] = []


async def _migrated() -> str:
    """Name of a database with an empty log and the rig's table, to copy from."""
    url = await create_database()
    await migrate(
        url,
        [
            ("libs.streams.migrations.log", "log", "alembic_version"),
            ("libs.streams.migrations.service", SCHEMA, "alembic_version_streams"),
        ],
    )
    engines = Engines.connect(url, web_connections=1, stream_connections=1)
    async with engines.web.begin() as connection:
        await register_topics(connection)
        await connection.exec_driver_sql(
            f"CREATE TABLE {SCHEMA}.seen (key text PRIMARY KEY, count bigint NOT NULL, trail text NOT NULL)"
        )
    await engines.dispose()
    return str(make_url(url).database)


@asynccontextmanager
async def postgres_rig(lease_seconds: float = 5.0) -> AsyncIterator[Rig]:
    """A rig on the PostgreSQL transport."""
    if not _template:
        _template.append(await _migrated())
    url = await create_database(_template[0])
    engines = Engines.connect(url, web_connections=6, stream_connections=6)
    log = Log(engines.streams)
    await log.start()
    try:
        database = Database(engines, SCHEMA, SystemClock(), log)
        yield Rig(
            url, engines, log, database, PostgresTransport(engines.streams, log, lease_seconds=lease_seconds)
        )
    finally:
        await log.stop()
        await engines.dispose()
        await drop_database(url)
