"""A log, a table and consumer groups without any service: what the conformance suite of transports drives."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiokafka import TopicPartition as KafkaSource
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from google.protobuf.message import Message
from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.engine import make_url

from libs.contracts import PARTITIONS, ConversationTriaged, Kind, MessageReceived
from libs.runtime import SystemClock
from libs.storage import Database, Engines, Rows, TableRepository, UnitOfWork, fetch_all
from libs.storage.migrate import migrate
from libs.streams import (
    Due,
    Log,
    PostgresTransport,
    Processor,
    Received,
    Record,
    Reject,
    Retry,
    StreamRouter,
    Subscriber,
    TopicPartition,
    Transport,
    dead_letters,
    register_topics,
)
from libs.streams.broker import Broker
from libs.streams.dead_letters import DeadLetter
from libs.streams.kafka import KafkaTransport
from libs.streams.kafka_topics import apply_topics
from libs.streams.relay import Relay
from tests.support.kafka import fresh_broker, remove_topics
from tests.support.postgres import create_database, drop_database

SCHEMA = "rig"
TOPIC = "ingest.messages.v1"
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
    """One database with a log, and as many group members as a test starts. Here on the PostgreSQL transport."""

    url: str
    engines: Engines
    log: Log
    database: Database
    transport: Transport
    members: list[Processor[Context]] = field(default_factory=list)

    def member(
        self,
        router: StreamRouter[Context],
        *,
        max_rows: int = 200,
        store_passed_seconds: float = 1.0,
        transport: Transport | None = None,
    ) -> Processor[Context]:
        """One more member of the router's group, on another transport if one is given."""
        subscriber = Subscriber(router, lambda uow: Context(uow, uow.rows(SEEN)))
        made = Processor(
            subscriber,
            self.database,
            transport or self.transport,
            SystemClock(),
            max_rows=max_rows,
            store_passed_seconds=store_passed_seconds,
        )
        self.members.append(made)
        return made

    async def publish(self, *events: Message) -> None:
        async with self.database.begin() as uow:
            uow.emit(*events)
            await uow.commit()

    async def back_up(self) -> str:
        """A copy of the database as it is, and its address. Nobody may be at work."""
        await self.log.stop()
        await self.engines.dispose()
        copied = await create_database(str(make_url(self.url).database))
        await self.log.start()
        return copied

    async def carry(self) -> None:
        """Brings what was published to where the members read."""

    async def tamper(self, rows: Mapping[int, bytes | None]) -> None:
        """What was published and not carried yet has other values, or none, under these numbers."""
        self.log.recent.clear()
        for number, data in rows.items():
            if data is None:
                await self.run_sql("DELETE FROM log.events WHERE number = $1", number)
            else:
                await self.run_sql("UPDATE log.events SET data = $1 WHERE number = $2", data, number)

    async def retire(self, source: TopicPartition, number: int) -> None:
        """Removes the rows up to the number from where the members read, as retention does."""
        await self.run_sql("DELETE FROM log.events WHERE number <= $1", number)

    async def desert(self) -> None:
        """The members that are there now are taken for dead, without knowing it."""
        await self.run_sql("UPDATE log.members SET expires_at = now() - interval '1 minute'")

    async def rewind(self, group: str) -> None:
        """Sets the group back to the beginning."""
        await self.run_sql(
            f'UPDATE {SCHEMA}.positions SET number = 0, "offset" = -1 WHERE group_name = $1', group
        )

    async def seen(self) -> dict[str, Seen]:
        async with self.database.read() as connection:
            rows = await fetch_all(connection, f"SELECT key, count, trail FROM {SCHEMA}.seen")
        return {key: Seen(key, count, trail) for key, count, trail in rows}

    async def letters(self) -> list[DeadLetter]:
        async with self.database.read() as connection:
            return list(await dead_letters.page(connection, SCHEMA))

    async def behind(self, group: str) -> int:
        """Partitions of the messages' topic that the group has not read to their end."""
        rows = await self.run_sql(
            "SELECT count(*) FROM log.counters c JOIN log.topics t ON t.id = c.topic"
            f" LEFT JOIN {SCHEMA}.positions p ON p.group_name = $1 AND p.topic = t.name AND p.partition = c.partition"
            " WHERE t.name = $2 AND c.number > greatest(p.number, 0)",
            group,
            TOPIC,
        )
        return int(str(rows[0][0]))

    async def run_sql(self, statement: str, *arguments: object) -> list[tuple[object, ...]]:
        async with self.engines.web.begin() as connection:
            result = await connection.exec_driver_sql(statement, arguments)
            return [tuple(row) for row in result.fetchall()] if result.returns_rows else []

    async def drain(self, *members: Processor[Context], most_seconds: float = 30) -> None:
        """Runs the members in turn until their group is at the end and finds nothing more."""
        await self.carry()
        async with asyncio.timeout(most_seconds):
            while True:
                handled = sum([await member.round(5) for member in members])
                if not handled and not await self.behind(members[0].group):
                    return

    async def share(self, *members: Processor[Context], most_seconds: float = 30) -> None:
        """Runs the members in turn until each owns partitions that no other owns."""
        async with asyncio.timeout(most_seconds):
            while True:
                for member in members:
                    await member.round(5)
                owned = [member.claims.partitions for member in members]
                if all(owned) and len(frozenset().union(*owned)) == sum(map(len, owned)) == PARTITIONS:
                    return
                await asyncio.sleep(0.02)


class TamperingRelay(Relay):
    """A relay that sends other values, or none, for some numbers."""

    rows: Mapping[int, bytes | None] = {}

    async def _send(self, records: Sequence[Record]) -> None:
        kept = [r for r in records if self.rows.get(r.number, b"") is not None]
        changed = [replace(r, data=self.rows.get(r.number) or r.data) for r in kept]
        await super()._send(changed)
        self._claims.settle(records)


@dataclass
class KafkaRig(Rig):
    """The same on the Kafka transport: a relay carries the log to a broker."""

    broker: Broker = field(kw_only=True)
    transport_of_log: Transport = field(kw_only=True)
    relay: TamperingRelay = field(kw_only=True)

    async def carry(self) -> None:
        async with asyncio.timeout(30):
            while await self.behind(self.relay.group):
                await self.relay.round(5)

    async def tamper(self, rows: Mapping[int, bytes | None]) -> None:
        self.relay.rows = rows

    async def retire(self, source: TopicPartition, number: int) -> None:
        await self.carry()
        admin = AIOKafkaAdminClient(**self.broker.options())
        await admin.start()
        try:
            place = KafkaSource(self.broker.topic(source.topic), source.partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=number)})
        finally:
            await admin.close()

    async def desert(self) -> None:
        """Whoever joins is given partitions of the others after a while, whatever they do."""


def message(conversation: str, seq: int, text: str = "hello") -> MessageReceived:
    return MessageReceived(
        message_id=f"{conversation}-{seq}", conversation_id=conversation, message_seq=seq, text=text
    )


_template: list[str] = []


async def prepare(url: str) -> None:
    """Makes an empty log and the rig's table in an empty database."""
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


async def _migrated() -> str:
    """Name of a database to copy from."""
    url = await create_database()
    await prepare(url)
    return str(make_url(url).database)


@asynccontextmanager
async def postgres_rig(lease_seconds: float = 5.0, url: str = "") -> AsyncIterator[Rig]:
    """A rig on the PostgreSQL transport, on a database of its own or on the one given. It is removed at the end."""
    if not _template:
        _template.append(await _migrated())
    url = url or await create_database(_template[0])
    engines = Engines.connect(url, web_connections=6, stream_connections=6)
    log = Log(engines.streams)
    await log.start()
    try:
        database = Database(engines, SCHEMA, SystemClock(), log)
        transport = PostgresTransport(engines.streams, log, lease_seconds=lease_seconds)
        yield Rig(url, engines, log, database, transport)
    finally:
        await log.stop()
        await engines.dispose()
        await drop_database(url)


@asynccontextmanager
async def kafka_rig(broker: Broker | None = None, url: str = "") -> AsyncIterator[KafkaRig]:
    """A rig on the Kafka transport, on the shared broker unless another is given."""
    broker = broker or fresh_broker()
    await apply_topics(broker, names=[TOPIC])
    async with postgres_rig(url=url) as rig:
        made = KafkaRig(
            rig.url,
            rig.engines,
            rig.log,
            rig.database,
            KafkaTransport(broker, rig.transport),
            broker=broker,
            transport_of_log=rig.transport,
            relay=TamperingRelay(TOPIC, rig.database, rig.transport, broker),
        )
        try:
            yield made
        finally:
            for processor in made.members:
                await processor.leave()
            await made.relay.close()
            await remove_topics(broker)
