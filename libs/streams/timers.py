"""Delivery of timers: taken by the owner of their partition, in the transaction of the batch."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.contracts import partition_of
from libs.storage import Database, fetch_all
from libs.streams.router import Due
from libs.streams.transport import TopicPartition

_LOOK_MS = 250
_IDLE_LOOK_MS = 1_000
"""Where nothing happens; what is due before that is taken when it is due, unless it was set meanwhile."""
_MOST = 200


class DueTimers:
    """The timers of one group: looks for due ones every quarter of a second, every second where nothing happens."""

    def __init__(self, schema: str, kinds: Sequence[str]) -> None:
        self._schema = schema
        self._kinds = list(kinds)
        self._owned: list[int] = []
        self._next_look_ms = 0

    def owned(self, partitions: frozenset[int]) -> None:
        """Whose timers may be taken from now on."""
        self._owned = sorted(partitions)
        self._next_look_ms = 0

    def due(self, now_ms: int) -> bool:
        """Whether it is time to look."""
        return bool(self._kinds) and bool(self._owned) and now_ms >= self._next_look_ms

    def wait_ms(self, now_ms: int, most: int) -> int:
        """How long the loop may sleep before it has to look."""
        if not self._kinds or not self._owned:
            return most
        return max(0, min(most, self._next_look_ms - now_ms))

    def taken(self, dues: Sequence[Due], now_ms: int) -> None:
        """After the commit: look again at once when there may be more, and soon, for the batch may have set some. A look
        is never put off: batches may follow each other for hours."""
        if self._kinds:
            self._next_look_ms = 0 if len(dues) == _MOST else min(self._next_look_ms, now_ms + _LOOK_MS)

    async def waiting(self, database: Database, now_ms: int) -> bool:
        """Whether any is due, and when the next will be: a glance that costs no transaction, where no batch needs one
        anyway."""
        async with database.look() as connection:
            found = await fetch_all(
                connection,
                f"SELECT due_at_ms FROM {self._schema}.timers WHERE partition = ANY($1::int[])"
                " AND due_at_ms <= $2 AND kind = ANY($3::text[]) ORDER BY due_at_ms LIMIT 1",
                self._owned,
                now_ms + _IDLE_LOOK_MS,
                self._kinds,
            )
        self._next_look_ms = found[0][0] if found else now_ms + _IDLE_LOOK_MS
        return self._next_look_ms <= now_ms

    async def take(self, connection: AsyncConnection, now_ms: int) -> list[Due]:
        """Removes and returns due timers, oldest first."""
        self._next_look_ms = now_ms + _LOOK_MS
        result = await fetch_all(
            connection,
            f"DELETE FROM {self._schema}.timers WHERE (kind, key) IN ("
            f"SELECT kind, key FROM {self._schema}.timers"
            " WHERE partition = ANY($1::int[]) AND due_at_ms <= $2 AND kind = ANY($3::text[])"
            " ORDER BY due_at_ms, kind, key LIMIT $4 FOR UPDATE)"
            " RETURNING kind, key, due_at_ms, payload, traceparent",
            self._owned,
            now_ms,
            self._kinds,
            _MOST,
        )
        dues = [_due(row, now_ms) for row in result]
        return sorted(dues, key=lambda due: (due.due_at_ms, due.kind, due.key))

    async def peek(self, database: Database, now_ms: int) -> list[Due]:
        """Due timers without taking them."""
        async with database.begin_stream() as uow:
            result = await fetch_all(
                uow.connection,
                f"SELECT kind, key, due_at_ms, payload, traceparent FROM {self._schema}.timers"
                " WHERE partition = ANY($1::int[]) AND due_at_ms <= $2 AND kind = ANY($3::text[])"
                " ORDER BY due_at_ms, kind, key LIMIT $4",
                self._owned,
                now_ms,
                self._kinds,
                _MOST,
            )
            return [_due(row, now_ms) for row in result]

    async def take_one(self, connection: AsyncConnection, due: Due) -> bool:
        """Removes one timer unless it was moved or cancelled meanwhile."""
        result = await fetch_all(
            connection,
            f"DELETE FROM {self._schema}.timers WHERE kind = $1 AND key = $2 AND due_at_ms = $3 RETURNING key",
            due.kind,
            due.key,
            due.due_at_ms,
        )
        return bool(result)

    async def put_off(self, database: Database, due: Due, milliseconds: int) -> None:
        """Moves a timer whose handler fails, so that it does not hold up the others."""
        async with database.begin_stream() as uow:
            uow.traceparent = due.traceparent
            uow.set_timer(due.kind, due.key, due.now_ms + milliseconds, due.payload)
            await uow.commit()

    @staticmethod
    def source(topic: str, key: str) -> TopicPartition:
        """The position row that fences the timers of a key."""
        return TopicPartition(topic, partition_of(key))


def _due(row: tuple[Any, ...], now_ms: int) -> Due:
    kind, key, due_at_ms, payload, traceparent = row
    return Due(kind, key, due_at_ms, payload, now_ms, traceparent)
