"""What an operator does about a partition with a gap: have rows sent again, or give them up."""

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import execute, fetch_all
from libs.streams import dead_letters
from libs.streams.transport import Record, TopicPartition


async def position_of(
    connection: AsyncConnection, schema: str, group: str, source: TopicPartition
) -> int | None:
    """The number behind which a group stands; None when it has never read the partition."""
    rows = await fetch_all(
        connection,
        f"SELECT number FROM {schema}.positions WHERE group_name = $1 AND topic = $2 AND partition = $3",
        group,
        *source,
    )
    return rows[0][0] if rows else None


async def next_in_log(connection: AsyncConnection, source: TopicPartition, number: int) -> int | None:
    """The number of the first row behind `number` that the log of this database has, or None."""
    rows = await fetch_all(
        connection,
        "SELECT min(e.number) FROM log.events e JOIN log.topics t ON t.id = e.topic"
        " WHERE t.name = $1 AND e.partition = $2 AND e.number > $3",
        *source,
        number,
    )
    found: int | None = rows[0][0]
    return found


async def send_again(connection: AsyncConnection, schema: str, source: TopicPartition, number: int) -> bool:
    """Sets a topic's relay back behind `number`, under a new epoch, so that a relay that runs cannot undo it.

    Returns whether it stood further on. It takes effect when the partition is claimed anew.
    """
    rows = await fetch_all(
        connection,
        f"UPDATE {schema}.positions SET number = $4, epoch = epoch + 1"
        " WHERE group_name = $1 AND topic = $2 AND partition = $3 AND number > $4 RETURNING 1",
        f"relay.{source.topic}",
        *source,
        number,
    )
    return bool(rows)


async def go_to(
    connection: AsyncConnection, schema: str, group: str, source: TopicPartition, row: Record
) -> None:
    """Has a stopped group read the broker's topic from a row that it misses, which came after later ones."""
    await execute(
        connection,
        f'UPDATE {schema}.positions SET "offset" = $4, epoch = epoch + 1'
        " WHERE group_name = $1 AND topic = $2 AND partition = $3",
        group,
        *source,
        row.offset - 1,
    )
    await dead_letters.resume_group(connection, schema, group)


async def give_up(
    connection: AsyncConnection, schema: str, group: str, source: TopicPartition, number: int
) -> None:
    """Moves a stopped group behind `number` without handling what is missing, and lets it read again."""
    await execute(
        connection,
        f"UPDATE {schema}.positions SET number = $4, epoch = epoch + 1"
        " WHERE group_name = $1 AND topic = $2 AND partition = $3",
        group,
        *source,
        number,
    )
    await dead_letters.resume_group(connection, schema, group)
