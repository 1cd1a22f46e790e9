"""What a process says about itself: structured logs without message texts, metrics, trace context.

No exporter and no agent: logs go to standard output as one JSON object a line, metrics are pulled from
`/metrics`, and a trace is only carried on (`traceparent`), so that an operator's tools can join the parts.
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
from libs.telemetry.tracing import TraceContext, current_trace, parse_traceparent, start_trace

__all__ = [
    "REGISTRY",
    "Declared",
    "TraceContext",
    "bind_log_context",
    "clear_log_context",
    "configure_logging",
    "current_trace",
    "declared",
    "get_logger",
    "log_context",
    "metrics",
    "parse_traceparent",
    "render_metrics",
    "start_trace",
]
