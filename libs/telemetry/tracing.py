"""W3C trace context: read it, go on with it, hand it over. Spans are recorded by nobody here."""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass

_HEADER = re.compile(r"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
_current: ContextVar["TraceContext | None"] = ContextVar("trace_context", default=None)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One place in one trace: 32 and 16 lower-case hexadecimal digits, never all zero, and a flag."""

    trace_id: str
    span_id: str
    sampled: bool = False

    @property
    def header(self) -> str:
        """The `traceparent` value that hands this place to the next process."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> "TraceContext":
        """A new place in the same trace."""
        return TraceContext(self.trace_id, os.urandom(8).hex(), self.sampled)


def parse_traceparent(value: str | None) -> TraceContext | None:
    """The context in a `traceparent` header, or None when there is none or it breaks the specification."""
    match = _HEADER.match(value) if value and len(value) <= 128 else None
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1))


def start_trace() -> TraceContext:
    """A new trace, not sampled: sampling is the choice of whoever starts traces outside."""
    digits = os.urandom(24).hex()
    return TraceContext(digits[:32], digits[32:])


def current_trace() -> TraceContext | None:
    """The context of the work at hand, or None outside of a request or a batch."""
    return _current.get()


def set_current_trace(trace: TraceContext | None) -> None:
    """Make `trace` the context of the current task and of the tasks that it starts."""
    _current.set(trace)
