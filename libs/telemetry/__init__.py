"""What a process says about itself: structured logs without message texts, metrics, trace context.

Logs go to standard output as one JSON object a line, metrics are pulled from `/metrics`. A trace is carried on
(`traceparent`), and its spans are recorded and sent only where an operator asks for it (`libs.telemetry.otel`).
"""

from libs.telemetry import metrics
from libs.telemetry.logging import (
    bind_log_context,
    clear_log_context,
    configure_logging,
    get_logger,
    log_context,
)
from libs.telemetry.metrics import REGISTRY, Declared, declared, render_metrics
from libs.telemetry.otel import recording_traces
from libs.telemetry.tracing import (
    Attributes,
    Kind,
    Recorder,
    Span,
    TraceContext,
    Work,
    carried_trace,
    current_trace,
    parse_traceparent,
    recorded_parent,
    recorder,
    span,
    start_trace,
)

__all__ = [
    "REGISTRY",
    "Attributes",
    "Declared",
    "Kind",
    "Recorder",
    "Span",
    "TraceContext",
    "Work",
    "bind_log_context",
    "carried_trace",
    "clear_log_context",
    "configure_logging",
    "current_trace",
    "declared",
    "get_logger",
    "log_context",
    "metrics",
    "parse_traceparent",
    "recorded_parent",
    "recorder",
    "recording_traces",
    "render_metrics",
    "span",
    "start_trace",
]
