"""A process that publishes, relays and reads as a service does, and kills itself right before or behind a step.

Usage: python -m tests.support.step_worker URL BOOTSTRAP PREFIX [--kill PART.STEP:before|after:NTH] [--bug NAME]
Parts are publisher, relay and group; the publisher's steps are `append` and `commit`.
"""

import argparse
import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from libs.primitives import SystemClock
from libs.storage import Database, Engines, fetch_all
from libs.streams import Log, PostgresTransport, Processor, Record, Steps, Subscriber
from libs.streams.broker import Broker
from libs.streams.kafka import KafkaTransport
from libs.streams.relay import Relay
from libs.telemetry import configure_logging
from tests.support.rig import SCHEMA, SEEN, TOPIC, Behaviour, Context, counting_router, message
from tests.support.rig_worker import NoRepeatCheck, TwoTransactions

CONVERSATIONS, ROUNDS = 20, 6
BAD = ("c0", 3)
"""The one message that the handler refuses."""
LEASE_SECONDS = 1.0
SESSION_SECONDS = 2.0
PAUSE_SECONDS = 0.15


class Kill(NamedTuple):
    """Where to die."""

    place: str
    """part.step"""
    moment: str
    nth: int

    @staticmethod
    def of(text: str) -> "Kill":
        place, moment, nth = text.split(":")
        return Kill(place, moment, int(nth))


class Killer:
    """Watches the steps of all parts, and ends the process at one of them."""

    def __init__(self, kill: Kill | None) -> None:
        self._kill = kill
        self._seen = 0

    def of(self, part: str) -> Steps:
        return lambda step: self.around(f"{part}.{step}")

    def around(self, place: str) -> AbstractContextManager[None]:
        return self._around(self._kill if self._kill and self._kill.place == place else None)

    @contextmanager
    def _around(self, kill: Kill | None) -> Iterator[None]:
        if kill is None:
            yield
            return
        self._seen += 1
        here = self._seen == kill.nth
        if here and kill.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        if here and kill.moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)


class PositionFirst(Relay):
    """Stores its position before it sends."""

    async def _send(self, records: Sequence[Record]) -> None:
        self._sent |= {record.partition: record for record in records}
        await self._store()
        await super()._send(records)


async def publish(database: Database, killer: Killer) -> None:
    """Rounds of a message for each conversation, each once: how far it is stands in the transaction of the round."""
    while True:
        async with database.begin() as uow:
            rows = await fetch_all(uow.connection, "SELECT rounds FROM rig.published FOR UPDATE")
            seq = rows[0][0] + 1
            if seq > ROUNDS:
                return
            await uow.connection.exec_driver_sql("UPDATE rig.published SET rounds = $1", (seq,))
            for index in range(CONVERSATIONS):
                uow.emit(message(f"c{index}", seq, "bad" if (f"c{index}", seq) == BAD else "good"))
            with killer.around("publisher.commit"):
                await uow.commit()
        await asyncio.sleep(PAUSE_SECONDS)


async def work(url: str, broker: Broker, killer: Killer, bug: str) -> None:
    engines = Engines.connect(url, web_connections=2, stream_connections=4)
    log = Log(engines.streams, steps=killer.of("publisher"))
    answers = Log(engines.streams, steps=killer.of("group"))
    await log.start()
    await answers.start()
    clock = SystemClock()
    own = PostgresTransport(engines.streams, log, lease_seconds=LEASE_SECONDS)
    database = Database(engines, SCHEMA, clock, log)
    relay_kind = PositionFirst if bug == "position-first" else Relay
    relay = relay_kind(TOPIC, database, own, broker, steps=killer.of("relay"))
    kinds: dict[str, type[Processor[Any]]] = {
        "no-repeat-check": NoRepeatCheck,
        "two-transactions": TwoTransactions,
    }
    group = kinds.get(bug, Processor)(
        Subscriber(counting_router("g", Behaviour(reject={"bad"})), lambda uow: Context(uow, uow.rows(SEEN))),
        Database(engines, SCHEMA, clock, answers),
        KafkaTransport(broker, own, steps=killer.of("group")),
        clock,
        steps=killer.of("group"),
    )
    never = asyncio.Event()
    await asyncio.gather(publish(database, killer), relay.run(never), group.run(never))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("--kill", type=Kill.of)
    parser.add_argument("--bug", default="none")
    given = parser.parse_args()
    configure_logging("error")
    there = Broker(given.bootstrap, prefix=given.prefix, session_seconds=SESSION_SECONDS)
    asyncio.run(work(given.url, there, Killer(given.kill), given.bug))
