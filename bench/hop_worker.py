"""One hop of the line without HTTP, as a service does it: repeats, fence, state, outbox, position in a transaction; a relay.

Usage: python -m bench.hop_worker BOOTSTRAP DATABASE_URL NUMBER: moves the events of one of `LINE` to the next.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import uvloop
from google.protobuf.message import Message

from libs.contracts import (
    CATALOGUE,
    ConversationOutcome,
    ConversationTriaged,
    EpisodeOpened,
    MessageReceived,
    SurveyRequested,
    TeamAssigned,
    full_name,
)
from libs.primitives import SystemClock
from libs.storage import Database, Engines
from libs.streams import Log, PostgresTransport, Processor, Received, StreamRouter, Subscriber
from libs.streams.broker import Broker
from libs.streams.kafka import KafkaTransport
from libs.streams.relay import Relay
from libs.telemetry import configure_logging
from tests.support.rig import SCHEMA, SEEN, Context, Seen

LINE: tuple[type[Message], ...] = (
    MessageReceived,
    ConversationTriaged,
    TeamAssigned,
    EpisodeOpened,
    SurveyRequested,
    ConversationOutcome,
)
"""What a life crosses, one event of each topic."""


def topic_of(event: type[Message]) -> str:
    return CATALOGUE[full_name(event)].topic


def made(kind: type[Message], key: str) -> Message:
    """An event with nothing but its key, and its text where the line begins."""
    field = CATALOGUE[full_name(kind)].key_field
    text = {"text": "x" * 280, "message_id": key, "message_seq": 1} if kind is MessageReceived else {}
    return kind(**{field: key}, **text)


def router(number: int) -> StreamRouter[Context]:
    """Counts events by conversation and emits the next of the line."""
    source, target = LINE[number], LINE[number + 1]
    routes = StreamRouter[Context](group=f"hop{number}")
    field = CATALOGUE[full_name(source)].key_field

    def state(event: Any) -> str:
        return f"{number}:{getattr(event, field)}"

    @routes.on(source, emits=[target], load=lambda event, ctx: [ctx.seen.want(state(event))])
    async def move(received: Received[Any], ctx: Context) -> Sequence[Message]:
        key = state(received.event)
        old = ctx.seen.get(key) or Seen(key, 0, "")
        ctx.seen.put(replace(old, count=old.count + 1, trail=f"{old.trail},1"))
        return [made(target, getattr(received.event, field))]

    return routes


async def work(bootstrap: str, url: str, number: int) -> None:
    """Runs until it is ended; the first hop also relays what the generator appends."""
    engines = Engines.connect(url, web_connections=1, stream_connections=8)
    log = Log(engines.streams)
    await log.start()
    database = Database(engines, SCHEMA, SystemClock(), log)
    broker = Broker(bootstrap)
    own = PostgresTransport(engines.streams, log, lease_seconds=5)
    subscriber = Subscriber(router(number), lambda uow: Context(uow, uow.rows(SEEN)))
    processor = Processor(subscriber, database, KafkaTransport(broker, own), SystemClock())
    relays = [Relay(topic_of(LINE[number + 1]), database, own, broker)]
    if number == 0:
        relays.append(Relay(topic_of(LINE[0]), database, own, broker))
    stop = asyncio.Event()
    print("ready", flush=True)
    await asyncio.gather(processor.run(stop), *(relay.run(stop) for relay in relays))


if __name__ == "__main__":
    configure_logging("error")
    place, database_url, which = sys.argv[1:]
    uvloop.run(work(place, database_url, int(which)))
