"""`centralino record`: the commands and decisions of a pool, for `centralino replay`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import PoolCommand, full_name, partition_of, unpack
from libs.storage import Engines, fetch_all
from libs.streams import Log
from services.operators.running import on_database
from services.routing.adapters.codec import decode
from services.routing.domain.engine import Rows
from services.routing.domain.model import PoolState
from services.routing.simulation.recording import Given, lines
from services.routing.workers import default_directory

_TOPIC = "routing.commands.v1"


class NotFromTheBeginning(Exception):
    """The first commands of the pool are gone. The text says what was seen and why that is needed."""


def record(
    to: Annotated[Path, typer.Argument(help="The file to write.")],
    pool: Annotated[str, typer.Option(help="The pool.")] = "default",
) -> None:
    """Writes what a pool was given and what it decided, of the database that the settings name.

    It needs the log from the pool's beginning: commands are kept for 35 days.
    """

    async def work(engines: Engines, log: Log) -> None:
        async with engines.reading.connect() as connection:
            given, decisions = await recorded(connection, log, pool)
        snapshot = Rows(pool=PoolState(pool), directory=default_directory())
        with to.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines(snapshot, given, decisions))
        typer.echo(f"{len(given):,} commands and {len(decisions):,} decisions of pool {pool!r} are in {to}")

    on_database(work)


async def recorded(
    connection: AsyncConnection, log: Log, pool: str
) -> tuple[list[Given], list[dict[str, Any]]]:
    """The commands of a pool from its beginning, and its decisions, each in order. Raises NotFromTheBeginning."""
    rows = await fetch_all(
        connection,
        "SELECT number, data FROM log.events WHERE topic = $1 AND partition = $2 ORDER BY number",
        log.topic_id(_TOPIC),
        partition_of(pool),
    )
    if rows and rows[0][0] != 1:
        raise NotFromTheBeginning(
            f"the oldest command that is left has number {rows[0][0]}, 1 was expected: the commands before it"
            " have been removed, and without them the state of the pool at that moment is not known"
        )
    given = []
    for _, data in rows:
        envelope = unpack(data)
        if envelope.type == full_name(PoolCommand) and envelope.key == pool:
            event = PoolCommand.FromString(envelope.payload)
            given.append(Given(envelope.at_ms, decode(event.command_id, event.name, event.arguments)))
    found = await fetch_all(connection, "SELECT record FROM routing.decisions ORDER BY sequence")
    return given, [json.loads(r) if isinstance(r, str) else r for (r,) in found]
