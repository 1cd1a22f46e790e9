"""Who waits until a message has been normalised is told what became of it, without asking the database."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from libs.web import Unavailable

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a message has gone."""

    message_id: str
    conversation_id: str
    customer_id: str
    case_reference: str
    message_seq: int


class Arrivals:
    """Messages of this process that somebody waits for. Bounded; a message nobody waits for costs nothing."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[Arrival]]] = {}
        self._count = 0

    @contextmanager
    def expect(self, message_id: str) -> "Iterator[asyncio.Future[Arrival]]":
        """A future for the message. Unavailable when too many wait already."""
        if self._count >= _MOST:
            raise Unavailable("Too many callers wait.", slug="too-many-waiting", retry_after_s=1)
        future: asyncio.Future[Arrival] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(message_id, []).append(future)
        self._count += 1
        try:
            yield future
        finally:
            self._count -= 1
            waiting = self._waiting[message_id]
            waiting.remove(future)
            if not waiting:
                del self._waiting[message_id]

    def arrived(self, arrival: Arrival) -> None:
        """Tells who waits; call it after the commit, from the event loop."""
        for future in self._waiting.get(arrival.message_id, ()):
            if not future.done():
                future.set_result(arrival)
