"""The relay: copies one topic of a service's log to the broker, partition by partition, in the order of the numbers.

Its partitions are leased like those of any group, its position is a row of the service like any other. A relay that
slept, or died between sending and storing its position, sends numbers again; readers drop them.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaProducer

from libs.contracts import TOPICS, TornEnvelope, cloud_event_headers, unpack
from libs.storage import Database
from libs.streams.broker import MAX_REQUEST_BYTES, Broker, faults
from libs.streams.claims import Claims
from libs.streams.errors import Fenced, LogRestored, is_transient
from libs.streams.restored import refuse_if_restored
from libs.streams.spans import SendSpans
from libs.streams.steps import Step, Steps, unwatched
from libs.streams.transport import Record, Transport, hurried
from libs.telemetry import metrics, recorder

_BATCH_BYTES = 512 * 1024
_ROWS = 2000
_POLL_BYTES = 8 * 1024 * 1024
_WAIT_MS = 1_000
_WAIT_TO_STORE_MS = 200
"""While a position waits to be stored."""
_STORE_SECONDS = 1.0
"""Less often than it sends: after a crash so much is sent again, and dropped by its readers."""
_BACKOFF_SECONDS = (0.1, 5.0)
_TROUBLED_AFTER = 3
_log = structlog.get_logger()


def relayed(service: str) -> list[str]:
    """The topics of a service that go to the broker."""
    return [name for name, topic in TOPICS.items() if topic.producer == service and not topic.local]


class Relay:
    """Copies one topic while `run` runs; several processes may do so at once and share the partitions."""

    def __init__(
        self,
        topic: str,
        database: Database,
        log: Transport,
        broker: Broker,
        *,
        steps: Steps = unwatched,
    ) -> None:
        self.group = f"relay.{topic}"
        self._topic = topic
        self._name = broker.topic(topic)
        self._broker = broker
        self._database = database
        self._subscription = log.subscribe(self.group, [topic], database.schema)
        self._claims = Claims(self.group, [topic], database, self._subscription, None, steps)
        self._steps = steps
        self._producer: AIOKafkaProducer | None = None
        self._sent: dict[int, Record] = {}
        """The newest row of each partition that the broker has and the position has not."""
        self._stored = time.monotonic()
        self._failures = 0
        self._restored = ""

    @property
    def trouble(self) -> str | None:
        """Why nothing is copied at the moment, or None."""
        if self._restored:
            return self._restored
        if self._failures < _TROUBLED_AFTER:
            return None
        return f"retrying after {self._failures} failures in a row"

    async def run(self, stop: asyncio.Event) -> None:
        """Copies until stopped; faults of the broker and of the database are waited for."""
        try:
            async with hurried(self._subscription, stop):
                while not stop.is_set():
                    try:
                        await self.round(_WAIT_TO_STORE_MS if self._sent else _WAIT_MS)
                        self._failures, self._restored = 0, ""
                    except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be skipped
                        await self._begin_again(error, stop)
        finally:
            await self.close()

    async def round(self, wait_ms: int = 0) -> int:
        """Copies what is there, at most one batch of rows. Returns how many rows were sent. Errors come out as they
        are, LogRestored among them."""
        if await self._claims.renew():
            # What was sent and not stored of a partition that is gone, its new owner sends again.
            self._sent = {p: record for p, record in self._sent.items() if p in self._claims.partitions}
            await self._refuse_if_restored()
        records = await self._subscription.poll(self._claims.places, _ROWS, _POLL_BYTES, wait_ms)
        fresh, _repeats = self._claims.fresh(records)
        if fresh:
            await self._send(fresh)
        if self._sent and time.monotonic() - self._stored >= _STORE_SECONDS:
            await self._store()
        lags = self._subscription.lag(self._claims.places)
        metrics.relay_lag.labels(self._topic).set(sum(lags.values()))
        return len(fresh)

    async def _refuse_if_restored(self) -> None:
        """Nothing is sent from partitions of a log that the broker is ahead of."""
        try:
            await refuse_if_restored(self._database, self._broker, [self._topic])
        except BaseException:
            self._claims.forget()
            raise

    async def _send(self, records: Sequence[Record]) -> None:
        if self._producer is None:
            self._producer = await self._start()
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        sending = [self._send_partition(self._producer, p, rows) for p, rows in by_partition.items()]
        with faults(f"sending to {self._name}"):
            for result in await asyncio.gather(*sending, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
        metrics.relay_sent.labels(self._topic).inc(len(records))

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._broker.options(),
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
            linger_ms=0,
        )
        with faults("starting a producer"):
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
        return producer

    async def _send_partition(
        self, producer: AIOKafkaProducer, partition: int, rows: Sequence[Record]
    ) -> None:
        """One batch after the other, so that a failed one cannot be overtaken."""
        where = recorder()
        spans = SendSpans(where, self._database.schema, self._topic) if where is not None else None
        error = "not sent"
        try:
            batch, last = producer.create_batch(), None
            for row in rows:
                message = _message(row, spans)
                if batch.append(**message) is None:
                    await self._send_batch(producer, batch, partition, last)
                    batch = producer.create_batch()
                    batch.append(**message)
                last = row
            await self._send_batch(producer, batch, partition, last)
            error = ""
        finally:
            if spans is not None:
                spans.end(error)

    async def _send_batch(
        self, producer: AIOKafkaProducer, batch: object, partition: int, last: Record | None
    ) -> None:
        batch.close()  # type: ignore[attr-defined]  # aiokafka has no types
        with self._steps(Step.SEND):
            await (await producer.send_batch(batch, self._name, partition=partition))
        assert last is not None
        self._sent[partition] = last
        self._claims.settle([last])

    async def _store(self) -> None:
        """Stores how far the broker has come, if the partitions are still ours. Raises Fenced."""
        if not self._sent:
            return
        moved = list(self._sent.values())
        async with self._database.begin_stream() as uow:
            await self._claims.move(uow, moved)
            with self._steps(Step.STORE):
                await uow.commit()
        self._sent.clear()
        self._stored = time.monotonic()

    async def _store_last(self) -> None:
        """What cannot be stored now is sent again by whoever comes next."""
        try:
            await self._store()
        except Exception as error:
            if not is_transient(error) and not isinstance(error, Fenced):
                raise
            _log.warning("position_not_stored", group=self.group, error=str(error))

    async def _begin_again(self, error: Exception, stop: asyncio.Event) -> None:
        """Drops everything in memory: the stored position says where to go on."""
        self._sent.clear()
        self._claims.forget()
        await self._close_producer()
        if isinstance(error, Fenced):
            _log.warning("fenced", group=self.group, error=str(error))
            return
        least, most = _BACKOFF_SECONDS
        seconds = min(most, least * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
        self._failures += 1
        metrics.relay_failures.labels(self._topic).inc()
        self._restored = str(error) if isinstance(error, LogRestored) else ""
        log = _log.warning if is_transient(error) or self._restored else _log.exception
        log(
            "relay_failed",
            topic=self._name,
            seconds=round(seconds, 3),
            error=f"{type(error).__name__}: {error}",
        )
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        """Stores how far it has come, gives up the partitions and the connection; `run` does so by itself."""
        await self._store_last()
        await self._close_producer()
        try:
            async with asyncio.timeout(2):
                await self._subscription.close()
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("leave_failed", group=self.group, error=str(error))

    async def _close_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(2):
                await producer.stop()
        except Exception as error:  # noqa: BLE001 - it is given up in any case
            _log.warning("producer_not_stopped", topic=self._name, error=f"{type(error).__name__}: {error}")


def _message(record: Record, spans: SendSpans | None = None) -> Mapping[str, object]:
    """A row as a Kafka message. A torn one goes out as it is under its number: a reader buries it, nobody misses it."""
    try:
        envelope = unpack(record.data)
    except TornEnvelope:
        headers = [("ce_sequence", str(record.number).encode())]
        return {"timestamp": None, "key": None, "value": record.data, "headers": headers}
    if spans is not None:
        envelope = spans.of(envelope, record.number)
    return {
        "timestamp": envelope.at_ms,
        "key": envelope.key.encode(),
        "value": envelope.payload,
        "headers": cloud_event_headers(envelope, record.number),
    }
