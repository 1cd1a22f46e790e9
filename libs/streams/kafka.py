"""The Kafka transport: the broker's consumer group shares the partitions, the position in our database says where to read.

What is committed to the broker feeds its lag tools only. Every fault of the client is a `Retry`: the processor backs off,
and says so, until the broker answers as it should.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka import TopicPartition as Source
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from libs.contracts import PARTITIONS, TOPICS
from libs.streams.broker import MAX_REQUEST_BYTES, Broker, faults, record_of
from libs.streams.errors import Retry
from libs.streams.steps import Step, Steps, unwatched
from libs.streams.transport import ANY, Patience, Place, Record, Subscription, TopicPartition, Transport

_DRAIN_SECONDS = 5.0
_COMMIT_SECONDS = 5.0
_REJOIN_AFTER = 5
_FETCH_WAIT_MS = 1_000
"""So long does the broker keep a fetch that finds nothing. A member that was given partitions may wait as long for their
first rows, since a connection serves one request after the other."""
_HEARTBEATS = 12
"""In a session's time-out. The broker's answer to one tells that partitions of another member, which has died, are free."""


class KafkaTransport:
    """Makes subscriptions on a broker's topics; groups of local topics read the service's own database."""

    def __init__(self, broker: Broker, local: Transport, *, steps: Steps = unwatched) -> None:
        self._broker = broker
        self._local = local
        self._steps = steps

    def subscribe(self, group: str, topics: Iterable[str], position_schema: str) -> Subscription:
        """Raises ValueError for a group that would read from both places: its partitions would have two owners."""
        names = sorted(topics)
        local = [name for name in names if TOPICS[name].local]
        if local == names:
            return self._local.subscribe(group, names, position_schema)
        if local:
            raise ValueError(
                f"group {group} reads {', '.join(local)}, which stay local, beside topics of the broker"
            )
        return KafkaSubscription(self._broker, group, names, self._steps)


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One member of a consumer group: see the port."""

    def __init__(self, broker: Broker, group: str, topics: list[str], steps: Steps) -> None:
        self._broker = broker
        self._steps = steps
        self._group = group
        self._topics = topics
        self._names = {broker.topic(topic): topic for topic in topics}
        self._consumer: AIOKafkaConsumer | None = None
        self._owned: frozenset[int] = frozenset()
        self._fetched: dict[TopicPartition, int] = {}
        """The offset that the consumer handed over last, or was sent behind; -1 = the beginning."""
        self._assignments = 0
        """How often the broker has taken or given partitions."""
        self._known_assignments = 0
        """How many of them the owner of the positions has heard of."""
        self._fault = ""
        self._failures = 0
        self._ends: dict[TopicPartition, int] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._committed = time.monotonic()
        self._patience = Patience()

    async def owned(self) -> frozenset[int]:
        self._idle.set()
        if self._consumer is None:
            with faults(f"joining group {self._group}"):
                await self._join()
        if self._fault:
            # Joined anew next time, with what the broker then says of its topics.
            fault, self._fault = self._fault, ""
            await self.close()
            raise Retry(fault)
        return self._owned

    async def _join(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._broker.options(),
            group_id=self._broker.prefix + self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=int(self._broker.session_seconds * 1000),
            heartbeat_interval_ms=int(self._broker.session_seconds * 1000 / _HEARTBEATS),
            rebalance_timeout_ms=int((_DRAIN_SECONDS + 5) * 1000),
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
        )
        try:
            await consumer.start()
            # Asked first: the client waits long for a topic that is not there.
            missing = sorted(self._names.keys() - await consumer.topics())
            if missing:
                raise Retry(f"the broker has no topic {', '.join(missing)}: run `centralino topics apply`")
            consumer.subscribe(list(self._names), listener=self)
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer

    def reassigned(self) -> bool:
        news = self._assignments != self._known_assignments
        self._known_assignments = self._assignments
        return news

    def _begin_assignment(self) -> None:
        """The consumer forgets where it was: it begins at what was committed, which another member may have done."""
        self._owned = frozenset()
        self._fetched.clear()
        self._assignments += 1

    async def on_partitions_revoked(self, revoked: Iterable[Source]) -> None:
        """Waits for the batch at hand, so that it need not be done again by the next owner."""
        self._begin_assignment()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._idle.wait()

    async def on_partitions_assigned(self, assigned: Iterable[Source]) -> None:
        if self._consumer is None:
            return
        self._begin_assignment()
        found = {(source.topic, source.partition) for source in assigned}
        counts = {name: len(self._consumer.partitions_for_topic(name) or ()) for name in self._names}
        narrow = sorted(f"{name} has {count}" for name, count in counts.items() if count != PARTITIONS)
        self._fault = ""
        if narrow:
            self._fault = (
                f"{', '.join(narrow)} partitions, expected {PARTITIONS}: run `centralino topics apply`"
            )
        self._owned = frozenset(
            partition
            for partition in range(PARTITIONS)
            if all((name, partition) in found for name in self._names)
        )
        self._patience.cut()

    async def beginning(self, sources: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(sources, ANY)

    async def poll(
        self, places: Mapping[TopicPartition, Place], max_rows: int, max_bytes: int, wait_ms: int
    ) -> list[Record]:
        self._idle.set()
        consumer = self._consumer
        if consumer is None or not places:
            await self._patience.sleep(wait_ms)
            return []
        try:
            with faults(f"reading as {self._group}"):
                records = await self._read(consumer, places, max_rows, max_bytes, wait_ms)
        except Retry:
            self._failures += 1
            if self._failures >= _REJOIN_AFTER:
                # A client that has given up does not come back by itself.
                await self.close()
            raise
        self._failures = 0
        if records:
            self._idle.clear()
        return records

    async def _read(
        self,
        consumer: AIOKafkaConsumer,
        places: Mapping[TopicPartition, Place],
        max_rows: int,
        max_bytes: int,
        wait_ms: int,
    ) -> list[Record]:
        wanted = await self._seek(consumer, places)
        if not wanted:
            await self._patience.sleep(wait_ms)
            return []
        await self._report(consumer, places)
        if self._assignments != self._known_assignments:
            return []
        found: Mapping[Source, list[ConsumerRecord]] = {}
        async with self._patience.wait():
            found = await consumer.getmany(*wanted, timeout_ms=wait_ms, max_records=max_rows)
        if self._assignments != self._known_assignments:
            # Read from where another member was, it may be; the places are older than that.
            self._fetched.clear()
            return []
        return self._take(consumer, found, max_bytes)

    def _source(self, topic_partition: TopicPartition) -> Source:
        return Source(self._broker.topic(topic_partition.topic), topic_partition.partition)

    async def _seek(self, consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, Place]) -> list[Source]:
        """The sources that are assigned, with the consumer where the places are."""
        assigned = consumer.assignment()
        wanted, afresh = [], []
        for topic_partition, place in places.items():
            source = self._source(topic_partition)
            if source not in assigned:
                continue
            wanted.append(source)
            if self._fetched.get(topic_partition) == place.offset:
                continue
            if place.offset >= 0:
                consumer.seek(source, place.offset + 1)
            else:
                afresh.append(source)
            self._fetched[topic_partition] = place.offset
        if afresh:
            await consumer.seek_to_beginning(*afresh)
        return wanted

    def _take(
        self, consumer: AIOKafkaConsumer, found: Mapping[Source, list[ConsumerRecord]], max_bytes: int
    ) -> list[Record]:
        """What was fetched as records; what is beyond the size limit is left for the next time."""
        records: list[Record] = []
        share = max_bytes // max(1, len(found))
        for source, rows in found.items():
            size = 0
            for nth, row in enumerate(rows):
                size += len(row.value or b"")
                if nth and size > share:
                    consumer.seek(source, row.offset)
                    break
                records.append(self._record(row))
                self._fetched[records[-1].source] = row.offset
        return records

    def _record(self, row: ConsumerRecord) -> Record:
        return record_of(row, self._names[row.topic])

    async def _report(self, consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, Place]) -> None:
        """Tells the broker now and then how far the group is, and learns how far the topics are."""
        if time.monotonic() - self._committed < _COMMIT_SECONDS:
            return
        self._committed = time.monotonic()
        assigned = consumer.assignment()
        offsets = {self._source(tp): p.offset + 1 for tp, p in places.items() if p.offset >= 0}
        sources = {self._source(tp): tp for tp in places}
        with contextlib.suppress(KafkaError, IllegalStateError):
            ends = await consumer.end_offsets([source for source in sources if source in assigned])
            self._ends = {sources[source]: end for source, end in ends.items()}
            kept = {source: at for source, at in offsets.items() if source in assigned}
            if kept:
                with self._steps(Step.REPORT):
                    await consumer.commit(kept)

    def lag(self, places: Mapping[TopicPartition, Place]) -> Mapping[TopicPartition, int]:
        consumer = self._consumer
        if consumer is None:
            return {}
        assigned = consumer.assignment()
        lags = {}
        for topic_partition, place in places.items():
            source = self._source(topic_partition)
            high = consumer.highwater(source) if source in assigned else None
            end = max(high or 0, self._ends.get(topic_partition, 0))
            lags[topic_partition] = max(0, end - place.offset - 1)
        return lags

    def hurry(self) -> None:
        self._patience.end()

    async def close(self) -> None:
        self._idle.set()
        self._owned = frozenset()
        self._fetched.clear()
        self._failures = 0
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with faults(f"leaving group {self._group}"):
                await consumer.stop()
