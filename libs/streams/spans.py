"""The spans of the log: a message or timer from its batch's start to its commit, and a row on its way to the broker.

Only what belongs to a sampled trace is recorded: a message or timer that comes without one begins none.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.contracts import Envelope
from libs.streams.batch import Decoded, Traces
from libs.streams.router import Due
from libs.telemetry import Attributes, Kind, Recorder, Span, recorded_parent, recorder


class BatchSpans(Traces):
    """One span for each traced message and timer of a batch; what a handler emits is under its message's span."""

    def __init__(self, recorder: Recorder, service: str, group: str) -> None:
        self._recorder = recorder
        self._service = service
        self._group = group
        self._spans: dict[bytes | tuple[str, str], Span] = {}

    def begin(self, decoded: Sequence[Decoded[Any]]) -> None:
        """Starts the spans of messages."""
        for item in decoded:
            if item.envelope is not None and item.received is not None:
                self._begin_message(item, item.envelope, len(decoded))

    def _begin_message(self, item: Decoded[Any], envelope: Envelope, count: int) -> None:
        parent = recorded_parent(envelope.traceparent)
        if parent is None:
            return
        attributes: Attributes = {
            "messaging.system": "centralino",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": item.record.topic,
            "messaging.destination.partition.id": str(item.record.partition),
            "messaging.consumer.group.name": self._group,
            "messaging.message.id": str(UUID(bytes=envelope.event_id)),
            "centralino.event": envelope.type,
            "centralino.key": envelope.key,
            "centralino.number": item.record.number,
            "centralino.batch": count,
        }
        name = f"{self._group} {envelope.type.rpartition('.')[2]}"
        self._spans[envelope.event_id] = self._recorder.start(
            self._service, name, Kind.CONSUMER, parent, attributes
        )

    def begin_timers(self, dues: Sequence[Due]) -> None:
        for due in dues:
            parent = recorded_parent(due.traceparent)
            if parent is not None:
                attributes = {"centralino.timer": due.kind, "centralino.key": due.key}
                self._spans[due.kind, due.key] = self._recorder.start(
                    self._service, f"{self._group} {due.kind}", Kind.INTERNAL, parent, attributes
                )

    def header(self, work: bytes | tuple[str, str], given: str) -> str:
        span = self._spans.get(work)
        return span.context.header if span is not None else given

    def end(self, error: str = "") -> None:
        """Ends every span: committed, or failed as a whole."""
        for span in self._spans.values():
            span.end(error=error)


@contextmanager
def batch_spans(service: str, group: str, decoded: Sequence[Decoded[Any]]) -> Iterator[BatchSpans | None]:
    """The spans of a batch while it is worked on; None where nothing is recorded."""
    where = recorder()
    if where is None:
        yield None
        return
    spans = BatchSpans(where, service, group)
    spans.begin(decoded)
    error = ""
    try:
        yield spans
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        spans.end(error)


class SendSpans:
    """The spans of rows that are in one request to the broker; the row's span is what its reader goes on from."""

    def __init__(self, recorder: Recorder, service: str, topic: str) -> None:
        self._recorder = recorder
        self._service = service
        self._topic = topic
        self._spans: list[Span] = []

    def of(self, envelope: Envelope, number: int) -> Envelope:
        """Starts the row's span, and puts it into the envelope."""
        parent = recorded_parent(envelope.traceparent)
        if parent is None:
            return envelope
        attributes: Attributes = {
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
            "messaging.destination.name": self._topic,
            "messaging.message.id": str(UUID(bytes=envelope.event_id)),
            "centralino.event": envelope.type,
            "centralino.key": envelope.key,
            "centralino.number": number,
        }
        span = self._recorder.start(self._service, f"send {self._topic}", Kind.PRODUCER, parent, attributes)
        self._spans.append(span)
        return replace(envelope, traceparent=span.context.header)

    def end(self, error: str = "") -> None:
        """Ends the spans: the broker has the rows, or it has not."""
        for span in self._spans:
            span.end(error=error)
        self._spans = []
