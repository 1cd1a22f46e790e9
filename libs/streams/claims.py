"""What a member owns at the moment: its partitions, how far it has come in each, and the memory that goes with them."""

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from libs.contracts import TOPICS
from libs.storage import Database, UnitOfWork
from libs.streams import ownership
from libs.streams.errors import EventsLost
from libs.streams.generations import Cut, cuts_of, withdrawn
from libs.streams.ownership import Position
from libs.streams.steps import Step, Steps, unwatched
from libs.streams.transport import ANY, Place, Record, Subscription, TopicPartition


class OwnedState(Protocol):
    """State that the owner of partitions keeps in memory between batches, as the routing engine does."""

    async def claimed(self, uow: UnitOfWork, partitions: frozenset[int]) -> None:
        """Loads the state of partitions that are ours from now on, in the transaction of the claim."""
        ...

    def discarded(self) -> None:
        """Drops everything: a batch failed or another owner came. `claimed` follows before the next batch."""
        ...


class Claims:
    """The partitions of one member, under the epochs it has raised."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        database: Database,
        subscription: Subscription,
        state: OwnedState | None,
        steps: Steps = unwatched,
    ) -> None:
        self._group = group
        self._topics = topics
        self._database = database
        self._schema = database.schema
        self._subscription = subscription
        self._state = state
        self._steps = steps
        self._state_lost = False
        self.partitions: frozenset[int] = frozenset()
        self.positions: dict[TopicPartition, Position] = {}
        self._cuts: dict[TopicPartition, list[Cut]] = {}
        self._passed: dict[TopicPartition, Record] = {}
        """Newest records that were passed and whose position is not stored yet."""
        self._passed_since = 0.0

    @property
    def places(self) -> dict[TopicPartition, Place]:
        """Where each partition stands."""
        return {source: Place(p.number, p.offset) for source, p in self.positions.items()}

    async def renew(self) -> bool:
        """Claims what is newly ours and forgets what is not. Returns whether anything changed."""
        owned = await self._subscription.owned()
        reassigned = self._subscription.reassigned()
        if owned == self.partitions and not reassigned:
            return False
        gained = owned if reassigned else owned - self.partitions
        if self._state is not None:
            # Memory is of all partitions together, so any change begins afresh.
            self._state.discarded()
            gained = owned
        self._passed = {s: record for s, record in self._passed.items() if s.partition in owned - gained}
        kept = {source: p for source, p in self.positions.items() if source.partition in owned - gained}
        self.positions = {}
        self.partitions = frozenset()
        sources = [TopicPartition(topic, partition) for topic in self._topics for partition in sorted(gained)]
        # Before the transaction: a log that is read here needs a connection for it, and there may be just one.
        beginnings = await self._subscription.beginning(sources) if sources else {}
        async with self._database.begin_stream() as uow:
            if sources:
                self._cuts |= await cuts_of(uow.connection, sources)
                kept |= await ownership.claim(
                    uow.connection, self._schema, self._group, self._group, beginnings
                )
            if self._state is not None and owned:
                await self._state.claimed(uow, owned)
            with self._steps(Step.CLAIM):
                await uow.commit()
        self.positions = kept
        self.partitions = owned
        self._state_lost = False
        return True

    def forget(self) -> None:
        """Drops everything in memory; `renew` claims again."""
        self.positions = {}
        self.partitions = frozenset()
        self._passed = {}
        if self._state is not None:
            self._state.discarded()

    def lose_state(self) -> None:
        """A batch failed: the owner's memory may be ahead of the database."""
        if self._state is not None:
            self._state.discarded()
            self._state_lost = True

    async def restore_state(self) -> None:
        """Loads the owner's memory again after `lose_state`."""
        if self._state is not None and self._state_lost:
            async with self._database.begin_stream() as uow:
                await self._state.claimed(uow, self.partitions)
            self._state_lost = False

    def fresh(self, records: Iterable[Record]) -> tuple[list[Record], int]:
        """The records that are new, and how many were repeats or withdrawn.

        Those before a jump are handed out first, so that a group stops right before what is missing: then it raises
        EventsLost.
        """
        last: dict[TopicPartition, tuple[int, int]] = {}
        jumped: set[TopicPartition] = set()
        fresh, repeats = [], 0
        for record in records:
            position = self.positions.get(record.source)
            if position is None or record.source in jumped:
                continue
            generation, number = last.get(record.source, (position.generation, position.number))
            written = record.generation or generation
            cuts = self._cuts.get(record.source, ())
            repeat = written < generation or (written == generation and record.number <= number)
            if repeat or withdrawn(cuts, written, record.number):
                repeats += 1
                # So that the transport goes on behind it; the number says what was handled.
                position.offset = max(position.offset, record.offset)
                continue
            # A restored log begins a generation whose numbers may have been used before; only a reader that was restored
            # with it knows where it goes on.
            leap = written > generation and all(cut.next != written for cut in cuts)
            sparse = leap or number == ANY or TOPICS[record.topic].compact
            if record.number > number + 1 and not sparse and record.source in last:
                jumped.add(record.source)
                continue
            if record.number > number + 1 and not sparse:
                raise EventsLost(
                    f"{record.topic}/{record.partition}: the next row is {record.number}, expected {number + 1};"
                    " rows are missing from the log: restore them, or accept the loss by moving the position"
                )
            last[record.source] = (written, record.number)
            fresh.append(record)
        return fresh, repeats

    async def fence(self, uow: UnitOfWork, sources: Iterable[TopicPartition]) -> None:
        """Proves in this transaction that partitions are still ours whose positions do not move. Raises Fenced."""
        held = {source: self.positions[source] for source in sources}
        if held:
            await ownership.fence(uow.connection, self._schema, self._group, held)

    def pass_by(self, records: Sequence[Record]) -> None:
        """Goes on behind records that nobody here handles. Stored by the next `move`: who has to read them again before it
        passes them by again."""
        if records and not self._passed:
            self._passed_since = time.monotonic()
        self._passed.update((record.source, record) for record in records)
        self.settle(records)

    def passed_for(self) -> float:
        """For how many seconds a position has been waiting to be stored; 0 when none is."""
        return time.monotonic() - self._passed_since if self._passed else 0.0

    async def move(self, uow: UnitOfWork, records: Iterable[Record]) -> None:
        """Stores the positions behind a batch and behind what was passed by, and so proves in this transaction that the
        partitions are still ours: best as its first statement. They count in memory once it has committed. Raises Fenced.
        """
        passed = {source: record for source, record in self._passed.items() if source in self.positions}
        last = passed | {record.source: record for record in records}
        moves = [
            ownership.Move(
                source, self.positions[source].epoch, record.number, record.offset, self._generation(record)
            )
            for source, record in last.items()
        ]
        if moves:
            await ownership.advance(uow.connection, self._schema, self._group, moves)
            uow.after_commit(lambda: self._moved(last.values()))

    def _moved(self, records: Iterable[Record]) -> None:
        self.settle(records)
        self._passed = {}

    def settle(self, records: Iterable[Record]) -> None:
        """Moves the positions in memory behind the records."""
        for record in records:
            position = self.positions[record.source]
            position.number, position.offset = record.number, record.offset
            position.generation = self._generation(record)

    def _generation(self, record: Record) -> int:
        return record.generation or self.positions[record.source].generation
