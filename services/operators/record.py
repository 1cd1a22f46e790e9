"""`centralino record`: the commands and decisions of a pool, for `centralino replay`."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import PoolCommand, full_name, partition_of, unpack
from libs.storage import Engines, fetch_all
from libs.streams import Log
from services.operators.refusals import NotFromTheBeginning
from services.operators.running import on_database
from services.routing import snapshots
from services.routing.adapters.codec import decode
from services.routing.domain.model import PoolState
from services.routing.domain.rebuilding import Rows
from services.routing.simulation.recording import Given, lines
from services.routing.snapshots import Snapshot
from services.routing.workers import default_directory

_TOPIC = "routing.commands.v1"


def record(
    to: Annotated[Path, typer.Argument(help="The file to write.")],
    pool: Annotated[str, typer.Option(help="The pool.")] = "default",
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Begin with the newest daily copy of the pool that was taken before this time (UTC), instead of"
            " with the first command, or when that is gone with the oldest copy."
        ),
    ] = None,
) -> None:
    """Writes what a pool was given and what it decided, of the database that the settings name.

    Commands are kept for 35 days, and so are the daily copies of a pool that a recording can begin with.
    """
    since_ms = int(since.replace(tzinfo=UTC).timestamp() * 1000) if since else 0

    async def work(engines: Engines, log: Log) -> None:
        async with engines.reading.connect() as connection:
            found = await recorded(connection, log, pool, since_ms)
        with to.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines(found.snapshot, found.given, found.decisions))
        begins = "from a copy of it" if found.number else "from its beginning"
        told = f"{len(found.given):,} commands and {len(found.decisions):,} decisions"
        typer.echo(f"{told} of pool {pool!r}, {begins}, are in {to}")

    on_database(work)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A pool after the command `number` of its log (0 = as it was made), what it was given since, and decided."""

    number: int
    snapshot: Rows
    given: list[Given]
    decisions: list[dict[str, Any]]


async def recorded(connection: AsyncConnection, log: Log, pool: str, since_ms: int = 0) -> Recorded:
    """A pool's commands and decisions, each in order, from its beginning or from a copy of it.

    With `since_ms` it is the newest copy taken by then; without, the oldest one that the log goes on from, when the first
    commands are gone. Raises NotFromTheBeginning when there is no such copy.
    """
    rows = await fetch_all(
        connection,
        "SELECT number, data FROM log.events WHERE topic = $1 AND partition = $2 ORDER BY number",
        log.topic_id(_TOPIC),
        partition_of(pool),
    )
    first = rows[0][0] if rows else 1
    copy: Snapshot | None = None
    if since_ms:
        copy = await snapshots.newest(connection, pool, since_ms)
    elif first != 1 or pool != (await _first_pool(connection)):
        copy = await snapshots.oldest(connection, pool, first - 1)
    if copy is None and (since_ms or first != 1):
        raise NotFromTheBeginning(
            f"the oldest command that is left has number {first}, and there is no copy of pool {pool!r} to go on"
            " from: one is made every day (CENTRALINO_ROUTING_SNAPSHOT_HOURS), name a later time or wait for it"
        )
    if copy is not None and copy.number < first - 1:
        raise NotFromTheBeginning(
            f"the copy of pool {pool!r} stands after command {copy.number}, the oldest command that is left has"
            f" number {first}: those between are gone, name a later time"
        )
    if copy is None:
        copy = Snapshot(0, Rows(pool=PoolState(pool), directory=default_directory()))
    given = []
    for number, data in rows:
        envelope = unpack(data)
        if number > copy.number and envelope.type == full_name(PoolCommand) and envelope.key == pool:
            event = PoolCommand.FromString(envelope.payload)
            given.append(Given(envelope.at_ms, decode(event.command_id, event.name, event.arguments)))
    found = await fetch_all(
        connection,
        "SELECT record FROM routing.decisions WHERE pool_id = $1 AND sequence > $2 ORDER BY sequence",
        pool,
        copy.rows.pool.sequence,
    )
    decisions = [json.loads(r) if isinstance(r, str) else r for (r,) in found]
    return Recorded(copy.number, copy.rows, given, decisions)


async def _first_pool(connection: AsyncConnection) -> str:
    """The pool that was made with the default directory: every other one is in the list of territories."""
    row = await fetch_all(
        connection,
        "SELECT pool_id FROM routing.pools WHERE pool_id NOT IN (SELECT t ->> 'pool_id' FROM routing.territories,"
        " jsonb_array_elements(pools) t) ORDER BY pool_id LIMIT 1",
    )
    return str(row[0][0]) if row else ""
