"""The broker itself: how it is reached, what its client's faults mean, and a message of it as a row of the log."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as Source
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.helpers import create_ssl_context

from libs.contracts import PARTITIONS, TornEnvelope, envelope_of_headers, number_of_headers, pack
from libs.streams.errors import Retry, Stop
from libs.streams.transport import Record

MAX_REQUEST_BYTES = 4 * 1024 * 1024
"""The largest request and, by the topics' settings, the largest message."""
_NEWEST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach a Kafka cluster. Raises ValueError for a CA file that cannot be read."""

    bootstrap: str
    """host:port, several with commas."""
    prefix: str = ""
    """Before every name of a topic and of a group, so that several installations can share a cluster."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    session_seconds: float = 10.0
    """How long the partitions of a member that has died stay with it."""
    process: str = ""
    """Begins the names of this process's members, so that the broker gives it the same partitions in all its groups."""

    def options(self) -> dict[str, Any]:
        """Arguments that every client takes."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security_protocol,
            "request_timeout_ms": 20_000,
        }
        if self.process:
            options["client_id"] = self.process
        if self.security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.security_protocol.endswith("SSL"):
            try:
                options["ssl_context"] = create_ssl_context(cafile=self.ca_file and str(self.ca_file))
            except OSError as error:
                raise ValueError(
                    f"CA file {self.ca_file}: {error}; expected a file of PEM certificates"
                ) from error
        return options

    def topic(self, name: str) -> str:
        """The topic's name on the broker."""
        return self.prefix + name


@contextlib.contextmanager
def faults(doing: str) -> Iterator[None]:
    """Turns a fault of the client into Retry."""
    try:
        yield
    except (KafkaError, IllegalStateError, OSError) as error:
        raise Retry(f"Kafka, {doing}: {type(error).__name__}: {error}") from error


def record_of(row: ConsumerRecord, topic: str) -> Record:
    """A message of the broker as a row. Raises Stop when its number cannot be read."""
    headers = {name: content or b"" for name, content in row.headers}
    try:
        number = number_of_headers(headers)
    except TornEnvelope as error:
        raise Stop(
            f"{row.topic}/{row.partition} offset {row.offset}: {error}; nobody but the relay may write to this topic:"
            " find who did, then move the position behind that offset"
        ) from error
    value = row.value or b""
    try:
        data, fault = pack(envelope_of_headers(headers, value)), ""
    except TornEnvelope as error:
        data, fault = value, str(error)
    return Record(topic, row.partition, number, row.offset, data, fault)


async def read_through(broker: Broker, topic: str) -> AsyncGenerator[Record, None]:
    """The rows of a topic from the oldest to the newest that is there now, outside any group. Raises Retry, Stop."""
    with faults(f"reading {topic}"):
        consumer = AIOKafkaConsumer(
            **broker.options(), max_partition_fetch_bytes=MAX_REQUEST_BYTES, auto_offset_reset="earliest"
        )
        try:
            await consumer.start()
            sources = [Source(broker.topic(topic), partition) for partition in range(PARTITIONS)]
            consumer.assign(sources)
            ends = await consumer.end_offsets(sources)
            # The place counts, not the last row: what compaction has removed at the end never comes.
            while any([await consumer.position(source) < ends[source] for source in sources]):
                for rows in (await consumer.getmany(timeout_ms=200)).values():
                    for row in rows:
                        yield record_of(row, topic)
        finally:
            await consumer.stop()


async def read_newest(broker: Broker, topic: str) -> list[Record]:
    """The newest row of each partition of a topic that has any, outside any group. Raises Retry, Stop."""
    with faults(f"reading the end of {topic}"):
        consumer = AIOKafkaConsumer(
            **broker.options(), max_partition_fetch_bytes=MAX_REQUEST_BYTES, fetch_max_wait_ms=50
        )
        try:
            async with asyncio.timeout(_NEWEST_SECONDS):
                await consumer.start()
                return [record_of(row, topic) for row in await _ends(consumer, broker.topic(topic))]
        except TimeoutError as error:
            raise Retry(f"Kafka, reading the end of {topic}: not done in {_NEWEST_SECONDS} s") from error
        finally:
            await consumer.stop()


async def _ends(consumer: AIOKafkaConsumer, topic: str) -> list[ConsumerRecord]:
    sources = [Source(topic, partition) for partition in range(PARTITIONS)]
    beginnings, ends = await consumer.beginning_offsets(sources), await consumer.end_offsets(sources)
    wanted = {source for source in sources if ends[source] > beginnings[source]}
    if not wanted:
        # To a client with nothing assigned nothing ever comes.
        return []
    consumer.assign(list(wanted))
    for source in wanted:
        consumer.seek(source, ends[source] - 1)
    found: list[ConsumerRecord] = []
    while wanted:
        for source, rows in (await consumer.getmany(timeout_ms=200)).items():
            found += rows
            wanted.discard(source)
    return found


async def watch(broker: Broker, topic: str, *, beginning: bool) -> AsyncGenerator[Record, None]:
    """The rows of a topic as they come, outside any group; from the oldest, or only what comes from now on."""
    with faults(f"reading {topic}"):
        consumer = AIOKafkaConsumer(**broker.options(), max_partition_fetch_bytes=MAX_REQUEST_BYTES)
        try:
            await consumer.start()
            sources = [Source(broker.topic(topic), partition) for partition in range(PARTITIONS)]
            consumer.assign(sources)
            await (consumer.seek_to_beginning if beginning else consumer.seek_to_end)(*sources)
            while True:
                for rows in (await consumer.getmany(timeout_ms=200)).values():
                    for row in rows:
                        yield record_of(row, topic)
        finally:
            await consumer.stop()
