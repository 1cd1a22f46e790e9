"""`centralino tail`: the events of a topic as they come, decoded."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from libs.contracts import TOPICS, TornEnvelope, message_type, unpack
from libs.runtime import PlatformSettings
from libs.runtime.transports import broker_of
from libs.storage import Engines, fetch_all
from libs.streams import Log, Record
from services.operators.running import on_database

_LOOK_SECONDS = 0.2
_ROWS = 500
Records = AsyncGenerator[Record, None]


def tail(
    topic: Annotated[str, typer.Argument(help="As `centralino topics` lists it.")],
    beginning: Annotated[
        bool, typer.Option("--from-beginning", help="The oldest rows first, not only what comes now.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="End after so many; 0 goes on until Ctrl-C.")] = 0,
) -> None:
    """Events of a topic, one JSON object a line, from the log or from Kafka as CENTRALINO_TRANSPORT says.

    What people wrote is shown as it is: mind who reads over your shoulder.
    """
    if topic not in TOPICS:
        raise typer.BadParameter(f"got {topic!r}; expected one of {', '.join(sorted(TOPICS))}")
    settings = PlatformSettings()
    if settings.transport == "kafka" and not TOPICS[topic].local:
        asyncio.run(_show(_of_broker(settings, topic, beginning), limit))
    else:
        on_database(lambda engines, log: _show(_of_log(engines, log, topic, beginning), limit))


async def _show(records: Records, limit: int) -> None:
    shown = 0
    async with aclosing(records):
        async for record in records:
            typer.echo(json.dumps(line_of(record), ensure_ascii=False))
            shown += 1
            if shown == limit:
                return


def line_of(record: Record) -> dict[str, Any]:
    """One event as it is shown; `fault` instead of `event` where it cannot be read."""
    place: dict[str, Any] = {"topic": record.topic, "partition": record.partition, "number": record.number}
    if record.offset >= 0:
        place["offset"] = record.offset
    if record.fault:
        return {**place, "fault": record.fault}
    try:
        envelope = unpack(record.data)
    except TornEnvelope as error:
        return {**place, "fault": str(error)}
    at = datetime.fromtimestamp(envelope.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    known = {
        **place,
        "id": str(UUID(bytes=envelope.event_id)),
        "time": at,
        "type": envelope.type,
        "key": envelope.key,
    }
    kind = message_type(envelope.type)
    if kind is None:
        return {**known, "fault": "this build does not know the type"}
    try:
        event = kind.FromString(envelope.payload)
    except DecodeError as error:
        return {**known, "fault": f"the value is corrupt: {error}"}
    return {**known, "event": MessageToDict(event, preserving_proto_field_name=True)}


async def _of_log(engines: Engines, log: Log, topic: str, beginning: bool) -> Records:
    number = log.topic_id(topic)
    async with engines.reading.connect() as connection:
        heads = await fetch_all(
            connection, "SELECT partition, number FROM log.counters WHERE topic = $1", number
        )
        places = {partition: 0 if beginning else head for partition, head in heads}
        while True:
            rows = await fetch_all(
                connection,
                "SELECT e.partition, e.number, e.data FROM unnest($2::int[], $3::bigint[]) AS u(p, n)"
                " CROSS JOIN LATERAL (SELECT partition, number, data, at_ms FROM log.events"
                " WHERE topic = $1 AND partition = u.p AND number > u.n ORDER BY number LIMIT $4) AS e"
                " ORDER BY e.at_ms, e.partition, e.number",
                number,
                list(places),
                list(places.values()),
                _ROWS,
            )
            for partition, at, data in rows:
                places[partition] = at
                yield Record(topic, partition, at, -1, data)
            if not rows:
                await asyncio.sleep(_LOOK_SECONDS)


async def _of_broker(settings: PlatformSettings, topic: str, beginning: bool) -> Records:
    from libs.streams.broker import watch

    async with aclosing(watch(broker_of(settings), topic, beginning=beginning)) as records:
        async for record in records:
            yield record
