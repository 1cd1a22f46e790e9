"""`centralino log`: what an operator does to the log itself, after a database was restored from a back-up."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from libs.contracts import TOPICS
from libs.runtime import PlatformSettings
from libs.runtime.assembly import histories
from libs.runtime.transports import broker_of
from libs.storage import async_url, fetch_all
from libs.storage.migrate import migrate
from libs.streams import Record, TopicPartition, generations
from services.embedded import with_database
from services.operators.tail import line_of
from services.registry import NAMES, services


@dataclass(frozen=True, slots=True)
class Begun:
    """What a new generation came to."""

    before: int
    generation: int
    services: tuple[str, ...]
    """Whose log this database holds."""
    recovered: bool
    """Rows were read back from the broker; else they were withdrawn."""
    rows: Mapping[str, int]
    """By topic, what the broker has that was not in the restored log."""


def new_generation(
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", help="Write the rows that came after the back-up here, one JSON object a line."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Run once after a database was restored from a back-up, before any process starts.

    Numbers behind the back-up are given out a second time: the new generation tells them apart. Where this database
    holds all services, rows on Kafka that came after the back-up are withdrawn: its groups pass them over. Where it holds
    some of the services, others have handled those rows: they are read back from Kafka into its log. Refused while a
    process works on the database.
    """
    settings = PlatformSettings()
    with with_database(settings) as url:
        begun = asyncio.run(_begin(settings, url, save))
    typer.echo(json.dumps(_document(begun)) if as_json else _told(begun, save))


async def _begin(settings: PlatformSettings, url: str, save: Path | None) -> Begun:
    engine = create_async_engine(async_url(url))
    try:
        async with engine.connect() as connection:
            here = await _services(connection)
        await migrate(url, histories([d for d in services() if d.name in here]))
        topics = [name for name, topic in TOPICS.items() if topic.producer in here and not topic.local]
        now_ms = int(time.time() * 1000)
        async with engine.begin() as connection:
            await generations.refuse_while_running(connection)
            before, heads = await generations.heads(connection, topics)
            later = await _later(settings, topics, heads)
            recover = len(here) < len(NAMES)
            if recover:
                for topic, rows in later.items():
                    schema = TOPICS[topic].producer
                    await generations.recover(connection, schema, f"relay.{topic}", rows, now_ms)
            generation = await generations.begin(connection, now_ms)
            if not recover:
                await generations.cut(connection, generation, topics)
                for topic in [name for name in later if TOPICS[name].compact]:
                    await generations.repeat_newest(connection, later[topic], generation, now_ms)
            await generations.refuse_while_running(connection)
        if save is not None:
            _write(save, later.values())
        return Begun(before, generation, here, recover, {t: len(rows) for t, rows in later.items()})
    finally:
        await engine.dispose()


async def _services(connection: AsyncConnection) -> tuple[str, ...]:
    """The services that have worked on this database: their groups have positions. Raises BadParameter when none has."""
    found = []
    for definition in services():
        ((there,),) = await fetch_all(
            connection, "SELECT to_regclass($1) IS NOT NULL", f"{definition.name}.positions"
        )
        if there and await fetch_all(connection, f"SELECT 1 FROM {definition.name}.positions LIMIT 1"):
            found.append(definition.name)
    if not found:
        raise typer.BadParameter("no service has ever worked on this database: restore the back-up first")
    return tuple(found)


async def _later(
    settings: PlatformSettings, topics: Iterable[str], heads: Mapping[TopicPartition, int]
) -> dict[str, list[Record]]:
    """By topic, the rows that the broker has above the log's numbers; none where there is no broker."""
    if settings.transport != "kafka":
        return {}
    from libs.streams.broker import read_through

    broker, later = broker_of(settings), {}
    for topic in sorted(topics):
        rows = generations.beyond([row async for row in read_through(broker, topic)], heads)
        if rows:
            later[topic] = rows
    return later


def _write(path: Path, found: Iterable[Iterable[Record]]) -> None:
    with path.open("w") as file:
        for rows in found:
            file.writelines(json.dumps(line_of(row), ensure_ascii=False) + "\n" for row in rows)
    path.chmod(0o600)


def _document(begun: Begun) -> dict[str, object]:
    return {
        "before": begun.before,
        "generation": begun.generation,
        "services": list(begun.services),
        "recovered": begun.recovered,
        "rows": dict(begun.rows),
    }


def _told(begun: Begun, save: Path | None) -> str:
    count = sum(begun.rows.values())
    lines = [f"Generation {begun.generation} begins; before it was {begun.before}."]
    what = "read back into the log from Kafka" if begun.recovered else "withdrawn"
    whose = "all services" if not begun.recovered else ", ".join(begun.services)
    lines.append(f"This database holds {whose}. Rows that came after the back-up and were {what}: {count}.")
    lines += [f"  {topic}: {rows}" for topic, rows in sorted(begun.rows.items())]
    if save is not None:
        lines.append(f"They are in {save}.")
    return "\n".join(lines)
