"""Messages that could not be handled: kept in the consumer's schema, listed, and handled again on request."""

from collections import deque
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.primitives import new_id
from libs.storage import fetch_all
from libs.streams.transport import Record

WINDOW = 100
LIMIT = 20


class HandledMeanwhile(Exception):
    """Somebody else has handled the dead letter: there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that died."""

    id: str
    group: str
    topic: str
    partition: int
    number: int
    type: str
    key: str
    data: bytes
    """The packed envelope as it lay on the log."""
    error: str
    died_at_ms: int
    state: str
    """dead or retried."""


_COLUMNS = "id, group_name, topic, partition, number, type, key, data, error, died_at_ms, state"


async def bury(
    connection: AsyncConnection,
    schema: str,
    group: str,
    record: Record,
    type_: str,
    key: str,
    error: str,
    now_ms: int,
) -> None:
    """Writes a dead letter in the transaction that moves the position past it."""
    await connection.exec_driver_sql(
        f"INSERT INTO {schema}.dead_letters"
        " (id, group_name, topic, partition, number, type, key, data, error, died_at_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        (
            new_id(),
            group,
            record.topic,
            record.partition,
            record.number,
            type_,
            key.replace("\x00", ""),
            record.data,
            error.replace("\x00", "")[:4000],
            now_ms,
        ),
    )


async def page(
    connection: AsyncConnection, schema: str, *, after: str = "", limit: int = 50, state: str = "dead"
) -> list[DeadLetter]:
    """Dead letters in the order of their death, after the id `after`."""
    result = await fetch_all(
        connection,
        f"SELECT {_COLUMNS} FROM {schema}.dead_letters WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3",
        state,
        after,
        limit,
    )
    return [DeadLetter(*row) for row in result]


async def find(
    connection: AsyncConnection, schema: str, id_: str, *, lock: bool = False
) -> DeadLetter | None:
    """One dead letter, or None."""
    suffix = " FOR UPDATE" if lock else ""
    result = await fetch_all(
        connection, f"SELECT {_COLUMNS} FROM {schema}.dead_letters WHERE id = $1{suffix}", id_
    )
    row = result[0] if result else None
    return DeadLetter(*row) if row else None


async def mark_retried(connection: AsyncConnection, schema: str, id_: str, now_ms: int) -> None:
    """Closes a dead letter that has been handled. Raises HandledMeanwhile when it was closed since."""
    closed = await fetch_all(
        connection,
        f"UPDATE {schema}.dead_letters SET state = 'retried', retried_at_ms = $2"
        " WHERE id = $1 AND state = 'dead' RETURNING id",
        id_,
        now_ms,
    )
    if not closed:
        raise HandledMeanwhile(f"{id_} was handled meanwhile")


async def stop_group(connection: AsyncConnection, schema: str, group: str, reason: str, now_ms: int) -> None:
    """Keeps a group from reading, over restarts too, until `resume_group`."""
    await connection.exec_driver_sql(
        f"INSERT INTO {schema}.stopped_groups VALUES ($1, $2, $3) ON CONFLICT (group_name) DO NOTHING",
        (group, now_ms, reason[:4000]),
    )


async def stop_reason(connection: AsyncConnection, schema: str, group: str) -> str | None:
    """Why a group is stopped, or None when it may read."""
    result = await fetch_all(
        connection, f"SELECT reason FROM {schema}.stopped_groups WHERE group_name = $1", group
    )
    row = result[0] if result else None
    return row[0] if row else None


async def resume_group(connection: AsyncConnection, schema: str, group: str) -> bool:
    """Lets a stopped group read again. Returns whether it was stopped."""
    result = await fetch_all(
        connection, f"DELETE FROM {schema}.stopped_groups WHERE group_name = $1 RETURNING group_name", group
    )
    return bool(result)


class Breaker:
    """Counts deaths among the last 100 messages."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=WINDOW)

    def lived(self, count: int) -> None:
        """So many messages were handled."""
        self._last.extend([False] * min(count, WINDOW))

    def died(self) -> bool:
        """One died. Returns whether the group has to stop."""
        self._last.append(True)
        return sum(self._last) >= LIMIT

    def reset(self) -> None:
        """After a person resumed the group."""
        self._last.clear()
