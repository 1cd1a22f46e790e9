"""A process that is one member of the rig's group, to be stopped and killed; `--bug` plants a fault in it.

It says where it is, a line for each step of a batch: "thinking PARTITION:NUMBER ...", "thought", "committed".
Usage: python -m tests.support.rig_worker URL [--bug no-fence|no-repeat-check|two-transactions]
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import MessageReceived
from libs.primitives import SystemClock
from libs.storage import Database, Engines, UnitOfWork, execute
from libs.streams import (
    Log,
    Place,
    PostgresTransport,
    Processor,
    Received,
    Record,
    Subscriber,
    Subscription,
    TopicPartition,
    ownership,
)
from libs.streams.batch import Traces
from libs.telemetry import configure_logging
from tests.support.rig import SCHEMA, SEEN, Behaviour, Context, counting_router

LEASE_SECONDS = 1.0
THINK_SECONDS = 0.2
REST_SECONDS = 0.1
STUTTER = 3


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class RestingUnitOfWork(UnitOfWork):
    """Says that it has committed and rests, so that a kill can fall just behind any commit."""

    async def commit(self) -> None:
        await super().commit()
        say("committed")
        await asyncio.sleep(REST_SECONDS)


class RestingDatabase(Database):
    @asynccontextmanager
    async def begin_stream(self) -> AsyncIterator[UnitOfWork]:
        async with super().begin_stream() as uow:
            yield RestingUnitOfWork(uow.connection, uow.schema, uow.now_ms, uow.outbox)


class Stutter:
    """A transport that hands over rows again now and then, as the port allows."""

    def __init__(self, inner: PostgresTransport) -> None:
        self._inner = inner

    def subscribe(self, group: str, topics: Iterable[str], position_schema: str) -> "StutterSubscription":
        return StutterSubscription(self._inner.subscribe(group, topics, position_schema))


class StutterSubscription:
    def __init__(self, inner: Subscription) -> None:
        self._inner = inner
        self._rounds = 0
        self.owned = inner.owned
        self.reassigned = inner.reassigned
        self.beginning = inner.beginning
        self.lag = inner.lag
        self.hurry = inner.hurry
        self.close = inner.close

    async def poll(
        self, places: Mapping[TopicPartition, Place], max_rows: int, max_bytes: int, wait_ms: int
    ) -> list[Record]:
        self._rounds += 1
        if self._rounds % STUTTER == 0:
            places = {source: Place(max(0, place.number - 3)) for source, place in places.items()}
            return await self._inner.poll(places, max_rows, max_bytes, 0)
        return await self._inner.poll(places, max_rows, max_bytes, wait_ms)


class NoRepeatCheck(Processor[Any]):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.claims.fresh = lambda records: (list(records), 0)  # type: ignore[method-assign]  # the planted fault


class TwoTransactions(Processor[Any]):
    async def _transact(self, decoded: Sequence[Any], timers: bool, traces: Traces | None) -> int:
        async with self._database.begin_stream() as uow:
            await self.claims.move(uow, [item.record for item in decoded])
            await uow.commit()
        return await super()._transact(decoded, timers, traces)


async def work(url: str, bug: str) -> None:
    engines = Engines.connect(url, web_connections=2, stream_connections=3)
    log = Log(engines.streams)
    await log.start()
    router = counting_router("g", Behaviour())

    @router.prepare(MessageReceived)
    async def think(batch: Sequence[Received[Any]], _resources: object) -> Sequence[None]:
        last = {received.partition: received.number for received in batch}
        say("thinking " + " ".join(f"{partition}:{number}" for partition, number in last.items()))
        await asyncio.sleep(THINK_SECONDS)
        say("thought")
        return [None] * len(batch)

    if bug == "no-fence":

        async def no_fence(
            connection: AsyncConnection, schema: str, group: str, moves: Sequence[ownership.Move]
        ) -> None:
            for move in moves:
                await execute(
                    connection,
                    f"UPDATE {schema}.positions SET number = $4 WHERE group_name = $1 AND topic = $2 AND partition = $3",
                    group,
                    move.source.topic,
                    move.source.partition,
                    move.number,
                )

        ownership.advance = no_fence  # the planted fault
    kinds = {"no-repeat-check": NoRepeatCheck, "two-transactions": TwoTransactions}
    kind: type[Processor[Any]] = kinds.get(bug, Processor)
    transport = Stutter(PostgresTransport(engines.streams, log, lease_seconds=LEASE_SECONDS))
    database = RestingDatabase(engines, SCHEMA, SystemClock(), log)
    subscriber = Subscriber(router, lambda uow: Context(uow, uow.rows(SEEN)))
    processor = kind(subscriber, database, transport, SystemClock(), max_rows=80)
    await processor.run(asyncio.Event())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--bug", default="none")
    given = parser.parse_args()
    configure_logging("error")
    asyncio.run(work(given.url, given.bug))
