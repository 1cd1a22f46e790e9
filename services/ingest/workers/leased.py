"""Work that waits in a table: claimed by a lease, done outside any transaction, noted unless somebody changed it meanwhile.

What was being done when the process died is done again when its lease is over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from libs.storage import Database, TableRepository, fetch_all
from libs.web import Wakeup
from services.ingest.adapters.signals import rung_or_stopped

V = TypeVar("V")


class LeasedWork(Generic[V]):
    """The rows of a table with the columns `state` ('waiting' = to be done), `attempts` and `due_at_ms`."""

    def __init__(
        self,
        database: Database,
        table: TableRepository[V],
        key: str,
        *,
        lease_ms: int,
        at_once: int,
        poll_seconds: float,
    ) -> None:
        """`key` is the column of the primary key; what nobody rang for is noticed after `poll_seconds`."""
        self._database = database
        self._table = table
        self._key = key
        self._lease_ms = lease_ms
        self._at_once = at_once
        self._poll_seconds = poll_seconds
        self._claim = (
            f"UPDATE {table.name} SET attempts = attempts + 1, due_at_ms = $1 + $2 WHERE {key} IN ("
            f"SELECT {key} FROM {table.name} WHERE state = 'waiting' AND due_at_ms <= $1"
            f" ORDER BY due_at_ms LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING {table.columns}"
        )

    async def run(
        self,
        stop: asyncio.Event,
        watch: Callable[[], AbstractContextManager[Wakeup]],
        work: Callable[[V], Awaitable[V]],
    ) -> None:
        """Works until stopped."""
        with watch() as bell:
            while not stop.is_set():
                if not await self.round(work):
                    await rung_or_stopped(bell, stop, self._poll_seconds)

    async def round(self, work: Callable[[V], Awaitable[V]]) -> int:
        """Claims what is due, works on it, and saves what `work` made of each. Returns how many that were."""
        async with self._database.alone() as connection:
            now_ms = self._database.clock.now_ms()
            rows = await fetch_all(connection, self._claim, now_ms, self._lease_ms, self._at_once)
        claimed = [self._table.value_of(row) for row in rows]
        if not claimed:
            return 0
        done = await asyncio.gather(*[work(one) for one in claimed])
        async with self._database.begin() as uow:
            table = uow.rows(self._table)
            await table.load(getattr(one, self._key) for one in claimed)
            for before, after in zip(claimed, done, strict=True):
                if table.get(getattr(before, self._key)) == before:
                    table.put(after)
            await uow.commit()
        return len(claimed)
