"""W3C trace context: read it, go on with it, hand it over. Spans are recorded only where a recorder was given.

Without one (`libs.telemetry.otel` makes one when the operator asks for it) a trace that came from outside is carried
through requests and events all the same, and nothing else is done.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

_HEADER: Final = re.compile(r"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
_current: ContextVar["TraceContext | None"] = ContextVar("trace_context", default=None)

Attributes = Mapping[str, str | int | float | bool]
"""What a span says beside its name. Never what customers wrote, and no address that holds a token."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One place in one trace: 32 and 16 lower-case hexadecimal digits, never all zero, and a flag."""

    trace_id: str
    span_id: str
    sampled: bool = False
    known: bool = field(default=True, compare=False)
    """Somebody outside or a recorder knows the trace. Else it only numbers a request, and no event need carry it."""

    @property
    def header(self) -> str:
        """The `traceparent` value that hands this place to the next process."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> "TraceContext":
        """A new place in the same trace."""
        return TraceContext(self.trace_id, os.urandom(8).hex(), self.sampled, self.known)


class Kind(Enum):
    """What a span stands for."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """Work that is being recorded. It is recorded when it ends; one that never ends is not."""

    @property
    def context(self) -> TraceContext:
        """Its place in the trace: the parent of what it causes."""
        ...

    def end(self, *, name: str = "", error: str = "", attributes: Attributes | None = None) -> None:
        """The work is over; `error` says in a word or a type's name why it failed."""
        ...


class Recorder(Protocol):
    """Where spans go."""

    def start(
        self, service: str, name: str, kind: Kind, parent: TraceContext | None, attributes: Attributes
    ) -> Span:
        """Begins a span of a service, under a parent or as a new trace. Cheap, and never raises."""
        ...


@dataclass(slots=True)
class _Recording:
    recorder: Recorder | None = None


_recording: Final = _Recording()


def recorder() -> Recorder | None:
    """Where spans go in this process, or None: then nothing is recorded."""
    return _recording.recorder


@contextmanager
def recorded_by(recorder: Recorder) -> Iterator[None]:
    """Spans of this process go there as long as this lasts."""
    before, _recording.recorder = _recording.recorder, recorder
    try:
        yield
    finally:
        _recording.recorder = before


@dataclass(slots=True)
class Work:
    """What `span` records; set `error` to say in a word why it failed."""

    error: str = ""


@contextmanager
def span(
    service: str, name: str, traceparent: str, *, kind: Kind = Kind.INTERNAL, attributes: Attributes
) -> Iterator[Work]:
    """Records the work inside as one span under `traceparent`, and makes it the context of that work.

    Without a trace, and in one that is not sampled, nothing is recorded. What is raised inside marks the span as failed
    and goes on.
    """
    context = parse_traceparent(traceparent)
    where = _recording.recorder
    begun = None
    if where is not None and context is not None and context.sampled:
        begun = where.start(service, name, kind, context, attributes)
        context = begun.context
    work = Work()
    outer = _current.get()
    _current.set(context)
    try:
        yield work
    except BaseException as raised:
        work.error = type(raised).__name__
        raise
    finally:
        _current.set(outer)
        if begun is not None:
            begun.end(error=work.error)


def parse_traceparent(value: str | None) -> TraceContext | None:
    """The context in a `traceparent` header, or None when there is none or it breaks the specification."""
    match = _HEADER.match(value) if value and len(value) <= 128 else None
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1))


def recorded_parent(traceparent: str) -> TraceContext | None:
    """The parent of a span; None without a trace, and in one that its beginner does not record."""
    if not traceparent:
        return None
    parent = parse_traceparent(traceparent)
    return parent if parent is not None and parent.sampled else None


def start_trace() -> TraceContext:
    """A new trace, not sampled: sampling is the choice of whoever starts traces outside."""
    digits = os.urandom(24).hex()
    return TraceContext(digits[:32], digits[32:], known=False)


def current_trace() -> TraceContext | None:
    """The context of the work at hand, or None outside of a request or a batch."""
    return _current.get()


def carried_trace() -> str:
    """The `traceparent` of events that come of the work at hand; empty when nobody knows its trace."""
    trace = _current.get()
    return trace.header if trace is not None and trace.known else ""


def set_current_trace(trace: TraceContext | None) -> None:
    """Make `trace` the context of the current task and of the tasks that it starts."""
    _current.set(trace)
