"""The port between the one processor loop and where events come from: PostgreSQL here, Kafka beside it.

A transport says which partitions this process owns and hands over their rows in order; the processor claims each
partition with an epoch, keeps the position in its own database, and decides what a row means.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from libs.contracts import generation_of


class TopicPartition(NamedTuple):
    topic: str
    partition: int


ANY = -1
"""The number of a place before which nothing is known to be missing: whatever comes first is next."""


class Place(NamedTuple):
    """How far a group has come in a partition."""

    number: int
    offset: int = -1
    """Of the row with that number, where the transport counts on its own; -1 = not known."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a log, undecoded."""

    topic: str
    partition: int
    number: int
    """Dense from 1 in its partition; compaction may leave gaps."""
    offset: int
    """Where the transport has it; -1 where the number says all."""
    data: bytes
    """A packed envelope (`libs.contracts.unpack`)."""
    fault: str = ""
    """Why the transport could not read the row; `data` then is what came."""

    @property
    def source(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)

    @property
    def generation(self) -> int:
        """Of the log that numbered the row; 0 when it cannot be read."""
        return generation_of(self.data)


class Subscription(Protocol):
    """One member of a consumer group. Not safe for use by two tasks at once."""

    async def owned(self) -> frozenset[int]:
        """The partition indexes (of every topic) this member owns now; renews its claim to them. Cheap to call often."""
        ...

    def reassigned(self) -> bool:
        """Whether partitions may have been with another member since this was asked last, even if they are back."""
        ...

    async def beginning(self, sources: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The number before the oldest row of each, where a new group starts; ANY where only reading can tell."""
        ...

    async def poll(
        self, places: Mapping[TopicPartition, Place], max_rows: int, max_bytes: int, wait_ms: int
    ) -> list[Record]:
        """Rows after the places, in order in each partition, at least one row if there is any, waiting at most
        `wait_ms` for the first. May hand over a row again."""
        ...

    def lag(self, places: Mapping[TopicPartition, Place]) -> Mapping[TopicPartition, int]:
        """Rows not read yet, by partition, as far as known."""
        ...

    def hurry(self) -> None:
        """Ends the wait of the poll at hand; from now on none waits. For who is about to stop."""
        ...

    async def close(self) -> None:
        """Gives up the partitions at once, so that others need not wait for the lease to end."""
        ...


class Transport(Protocol):
    """Makes subscriptions."""

    def subscribe(self, group: str, topics: Iterable[str], position_schema: str) -> Subscription:
        """Joins a group. `position_schema` is where the group keeps its positions, so that retention can ask."""
        ...


class Patience:
    """What lets a subscription wait, and ends its waits when there is news or somebody is in a hurry."""

    def __init__(self) -> None:
        self._ended = False
        self._at_hand: asyncio.Timeout | None = None

    def cut(self) -> None:
        """The wait at hand ends now, if there is one."""
        if self._at_hand is not None and not self._at_hand.expired():
            self._at_hand.reschedule(0)

    def end(self) -> None:
        """The wait at hand ends now, and each later one where it begins."""
        self._ended = True
        self.cut()

    @asynccontextmanager
    async def wait(self) -> AsyncIterator[None]:
        """What is awaited inside is given up when it is cut; the code after it goes on."""
        at_hand = asyncio.timeout(0 if self._ended else None)
        try:
            async with at_hand as self._at_hand:
                yield
        except TimeoutError:
            if not at_hand.expired():
                raise
        finally:
            self._at_hand = None

    async def sleep(self, wait_ms: int) -> None:
        """Sleeps so long at most."""
        async with self.wait():
            await asyncio.sleep(wait_ms / 1000)


@asynccontextmanager
async def hurried(subscription: Subscription, stop: asyncio.Event) -> AsyncIterator[None]:
    """Inside, the subscription does not wait any more once `stop` is set."""

    async def watch() -> None:
        await stop.wait()
        subscription.hurry()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
