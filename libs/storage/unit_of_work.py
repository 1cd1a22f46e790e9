"""One transaction: state, timers and emitted events commit together or not at all."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage.repository import Changes, Rows, TableRepository
from libs.storage.timers import TimerChanges

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event on its way to the log."""

    event: Message
    event_id: bytes | None
    """16 bytes, or None for a fresh one."""
    traceparent: str = ""


class Outbox(Protocol):
    """Takes the events of a transaction; `libs/streams` has the one implementation."""

    async def append(
        self, connection: AsyncConnection, events: Sequence[Emitted], now_ms: int
    ) -> Callable[[], None]:
        """Appends in the caller's transaction, as its last statement. Returns what to call after the commit."""
        ...


@dataclass(slots=True)
class UnitOfWork:
    """One transaction. Leaving it without `commit` rolls back. Not safe for use by two tasks at once."""

    connection: AsyncConnection
    schema: str
    now_ms: int
    """The clock when the transaction began, Unix milliseconds."""
    outbox: Outbox
    traceparent: str = ""
    """The trace of the work at hand: what is emitted and set from now on belongs to it."""
    _rows: dict[str, Rows[Any]] = field(default_factory=dict)
    _emitted: list[Emitted] = field(default_factory=list)
    _timers: TimerChanges = field(default_factory=TimerChanges)
    _last: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)

    def rows(self, table: TableRepository[V]) -> Rows[V]:
        """The identity map of this transaction for a table: the same object at each call."""
        rows = self._rows.get(table.name)
        if rows is None:
            rows = self._rows[table.name] = Rows(table, self.connection)
        return rows

    def emit(self, *events: Message) -> None:
        """Appends events to the log at commit, in this order, with fresh ids."""
        self._emitted += [Emitted(event, None, self.traceparent) for event in events]

    def emit_as(self, event: Message, event_id: bytes) -> None:
        """Appends an event under an id of the caller's making (16 bytes)."""
        self._emitted.append(Emitted(event, event_id, self.traceparent))

    def set_timer(self, kind: str, key: str, due_at_ms: int, payload: bytes = b"") -> None:
        """Sets the one timer of (kind, key), or moves it."""
        self._timers.set(kind, key, due_at_ms, payload, self.traceparent)

    def cancel_timer(self, kind: str, key: str) -> None:
        """Removes the timer of (kind, key); no such timer is no error."""
        self._timers.cancel(kind, key)

    def at_the_end(self, work: Callable[[], Awaitable[None]]) -> None:
        """Runs statements once all rows of the transaction are written: for what must find them all, and be found by
        none of them. It may set timers and emit."""
        self._last.append(work)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Calls back once the transaction is durable; must not raise or block."""
        self._after.append(call)

    async def flush(self) -> None:
        """Writes what changed, in few statements, without committing."""
        changes = Changes()
        for rows in self._rows.values():
            rows.collect(changes)
        if self._last:
            await changes.write(self.connection)
            last, self._last, changes = self._last, [], Changes()
            for work in last:
                await work()
        changes.writes += self._timers.statements(self.schema)
        await changes.write(self.connection)

    async def commit(self) -> None:
        """Writes rows, timers and events, and commits. Only at the edge."""
        await self.flush()
        if self._emitted:
            done = await self.outbox.append(self.connection, self._emitted, self.now_ms)
            self._after.append(done)
        await self.connection.commit()
        for call in self._after:
            call()
        self._emitted = []
        self._after = []
