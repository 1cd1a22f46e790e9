"""Append to the log in the caller's transaction, and know how far each partition has come.

The log tables are the outbox in both ways of running. Numbers are dense in each (topic, partition), because the counter
rows stay locked from the numbering to the commit.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from libs.contracts import CATALOGUE, PARTITIONS, TOPICS, Envelope, full_name, key_of, pack, partition_of
from libs.primitives import new_id_bytes
from libs.storage import Emitted, fetch_all
from libs.streams.errors import is_transient
from libs.streams.generations import recovered
from libs.streams.recent import Recent
from libs.streams.steps import Step, Steps, unwatched
from libs.streams.transport import Place, TopicPartition
from libs.telemetry import metrics

_APPEND: Final = "SELECT topic, partition, number FROM log.append($1::smallint[], $2::int[], $3::bytea[], $4)"
Head = tuple[TopicPartition, int]
"""A partition and its newest number."""
MAX_EVENT_BYTES: Final = 4_000_000
"""What a broker takes in one request, less room for headers. The same in both ways of running: one can follow the other."""
_log = structlog.get_logger()


async def register_topics(connection: AsyncConnection) -> None:
    """Gives every topic of the catalogue its id and its counters. Safe to run again."""
    names = sorted(TOPICS)
    await connection.exec_driver_sql(
        "INSERT INTO log.topics (id, name)"
        " SELECT (SELECT coalesce(max(id), 0) FROM log.topics) + row_number() OVER (ORDER BY n), n"
        " FROM unnest($1::text[]) AS n WHERE n NOT IN (SELECT name FROM log.topics)",
        (names,),
    )
    await connection.exec_driver_sql(
        "INSERT INTO log.counters (topic, partition)"
        " SELECT t.id, p FROM log.topics t, generate_series(0, $1 - 1) AS p ON CONFLICT DO NOTHING",
        (PARTITIONS,),
    )


class Log:
    """The log of one database as one process sees it. `start` before use, `stop` at the end.

    `appended` is called after each commit that appended with how far the log has come, to tell other processes, which say
    it by `heard`. What nobody told is noticed after `poll_seconds`. Where a topic has but `one_reader` (a relay, beside a
    broker), what is read in this process is not told.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        appended: Callable[[Iterable[Head]], None] | None = None,
        poll_seconds: float = 0.2,
        one_reader: bool = False,
        steps: Steps = unwatched,
    ) -> None:
        self._looking = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._poll_seconds = poll_seconds
        self._appended = appended
        self._one_reader = one_reader
        self._readers: list[Callable[[TopicPartition], bool]] = []
        self._steps = steps
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._generation = 1
        self._recovered: frozenset[tuple[bytes, str]] = frozenset()
        self._heads: dict[TopicPartition, int] = {}
        self.recent = Recent()
        self._sleepers: set[tuple[frozenset[str], asyncio.Event]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learns topic ids and heads, and begins to watch for appends of other processes."""
        async with self._looking.connect() as connection:
            rows = await fetch_all(connection, "SELECT id, name FROM log.topics")
            self._ids = {name: number for number, name in rows}
            self._names = {number: name for name, number in self._ids.items()}
            row = (await connection.exec_driver_sql("SELECT number FROM log.generation")).one()
            self._generation = row[0]
            self._recovered = await recovered(connection)
        await self.refresh()
        self._task = asyncio.create_task(self._watch(), name="log-watch")

    async def stop(self) -> None:
        """Ends watching."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def topic_id(self, topic: str) -> int:
        """The small number that stands for a topic in the tables."""
        return self._ids[topic]

    def head(self, source: TopicPartition) -> int:
        """The newest number known."""
        return self._heads.get(source, 0)

    def heads(self) -> Mapping[TopicPartition, int]:
        """The newest number known of each partition that has any."""
        return dict(self._heads)

    def lags(self, places: Mapping[TopicPartition, Place]) -> dict[TopicPartition, int]:
        """How many rows are known beyond each place. Asked in every round, so without a call for each."""
        known = self._heads.get
        return {
            source: behind if (behind := known(source, 0) - max(place.number, 0)) > 0 else 0
            for source, place in places.items()
        }

    def behind(self, positions: Mapping[TopicPartition, int]) -> list[TopicPartition]:
        """The positions beyond which rows are known."""
        known = self._heads.get
        return [source for source, number in positions.items() if known(source, 0) > number]

    async def append(
        self, connection: AsyncConnection, events: Sequence[Emitted], now_ms: int
    ) -> Callable[[], None]:
        """Numbers and inserts events as the last statement of the caller's transaction.

        What others have had already from a log that was restored is left out. Returns what to call after the commit: it
        wakes the readers of this process. Raises ValueError for an event without a key and for one that is too large.
        """
        topics, partitions, datas = [], [], []
        counts: dict[str, int] = {}
        for emitted in events:
            name = full_name(type(emitted.event))
            if self._recovered and (emitted.event_id, name) in self._recovered:
                continue
            topic = CATALOGUE[name].topic
            key = key_of(emitted.event)
            topics.append(self._ids[topic])
            counts[topic] = counts.get(topic, 0) + 1
            partitions.append(partition_of(key))
            payload = emitted.event.SerializeToString()
            if len(payload) > MAX_EVENT_BYTES:
                raise ValueError(
                    f"an event {name} of key {key[:80]} has {len(payload):,} bytes,"
                    f" at most {MAX_EVENT_BYTES:,} can be carried"
                )
            envelope = Envelope(
                emitted.event_id or new_id_bytes(),
                now_ms,
                self._generation,
                name,
                key,
                emitted.traceparent,
                payload,
            )
            datas.append(pack(envelope))
        if not datas:
            return lambda: None
        started = perf_counter()
        with self._steps(Step.APPEND):
            result = await fetch_all(connection, _APPEND, topics, partitions, datas, now_ms)
        seconds = perf_counter() - started
        heads = [(TopicPartition(self._names[t], p), number) for t, p, number in result]

        def done() -> None:
            self._keep(heads, topics, partitions, datas)
            self.heard(heads)
            told = self._for_others(heads)
            if self._appended is not None and told:
                self._appended(told)
            _count(counts, seconds)

        return done

    def _keep(
        self,
        heads: Sequence[Head],
        topics: Sequence[int],
        partitions: Sequence[int],
        datas: Sequence[bytes],
    ) -> None:
        """Rows of one append for this process's readers: each partition's end with its head, in the order of the rows."""
        sources = [TopicPartition(self._names[t], p) for t, p in zip(topics, partitions, strict=True)]
        counts = Counter(sources)
        number = {source: head - counts[source] for source, head in heads}
        for source, data in zip(sources, datas, strict=True):
            number[source] += 1
            self.recent.put(source, number[source], data)

    def read_by(self, reads: Callable[[TopicPartition], bool]) -> None:
        """There is a reader in this process, which says whether a partition is its own at the moment."""
        self._readers.append(reads)

    def _for_others(self, heads: Sequence[Head]) -> Sequence[Head]:
        if not self._one_reader:
            return heads
        return [head for head in heads if not any(reads(head[0]) for reads in self._readers)]

    def heard(self, heads: Iterable[Head]) -> None:
        """The log has come so far, as whoever appended says: wakes those who wait for it."""
        moved = set()
        for source, number in heads:
            if number > self._heads.get(source, 0):
                self._heads[source] = number
                moved.add(source.topic)
        for topics, event in self._sleepers:
            if not moved.isdisjoint(topics):
                event.set()

    async def refresh(self) -> None:
        """Reads the counters: what other processes have appended."""
        async with self._looking.connect() as connection:
            rows = await fetch_all(connection, "SELECT topic, partition, number FROM log.counters")
        self.heard((TopicPartition(self._names[t], p), number) for t, p, number in rows if t in self._names)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self.refresh()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("log_watch_failed", error=str(error))

    async def wait(self, topics: frozenset[str], behind: Callable[[], bool], timeout_ms: int) -> None:
        """Sleeps until a topic moves and `behind()` is true, at most `timeout_ms`."""
        if behind() or timeout_ms <= 0:
            return
        event = asyncio.Event()
        entry = (topics, event)
        self._sleepers.add(entry)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while not behind():
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return
        finally:
            self._sleepers.discard(entry)


def _count(counts: Mapping[str, int], seconds: float) -> None:
    """One append that has been committed, in the metrics."""
    for topic, count in counts.items():
        metrics.stream_appended.labels(topic).inc(count)
    if counts:
        metrics.stream_append_seconds.labels(TOPICS[next(iter(counts))].producer).observe(seconds)
