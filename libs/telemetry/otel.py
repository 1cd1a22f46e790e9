"""Spans by OpenTelemetry, sent by OTLP over HTTP. Loaded only where the environment names a collector.

The variables are OpenTelemetry's own: OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) switches it on,
OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES and the rest are read by its SDK.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from libs.telemetry.logging import get_logger
from libs.telemetry.tracing import Attributes, Kind, Span, TraceContext, recorded_by

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_FLUSH_SECONDS: Final = 2.0
_log = get_logger("tracing")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces: a collector is named, and the SDK is not switched off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none":
        return False
    return any(environment.get(name, "").strip() for name in _ENDPOINTS)


@contextmanager
def recording_traces(version: str) -> Iterator[None]:
    """Records the spans of this process as long as this lasts, if the environment asks for it.

    At the end what is left is sent, for at most two seconds. Without the extra `otel` a warning says what to install.
    """
    if not wanted(os.environ):
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        _log.warning("traces_are_off", reason=str(error), install="pip install -r requirements-otel.lock")
        yield
        return
    made = OtelRecorder(OTLPSpanExporter(), version)
    try:
        with recorded_by(made):
            yield
    finally:
        made.close()


class OtelRecorder:
    """Hands spans to an exporter in batches, from a thread of its own. Each service is a resource of its own."""

    def __init__(self, exporter: "SpanExporter", version: str) -> None:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind

        self._version = version
        self._instance = f"{os.uname().nodename}-{os.getpid()}"
        self._batches = BatchSpanProcessor(exporter)
        self._kinds: dict[Kind, SpanKind] = {kind: SpanKind[kind.name] for kind in Kind}
        self._tracers: dict[str, Tracer] = {}

    def start(
        self, service: str, name: str, kind: Kind, parent: TraceContext | None, attributes: Attributes
    ) -> Span:
        from opentelemetry.context import Context
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

        context = Context()
        if parent is not None:
            flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
            remote = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), True, flags)
            context = set_span_in_context(NonRecordingSpan(remote), context)
        tracer = self._tracers.get(service) or self._tracer(service)
        return _OtelSpan(
            tracer.start_span(name, context, self._kinds[kind], dict(attributes), record_exception=False)
        )

    def _tracer(self, service: str) -> "Tracer":
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        resource = Resource.create(
            {
                "service.namespace": "centralino",
                "service.name": service,
                "service.version": self._version,
                "service.instance.id": self._instance,
            }
        )
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self._batches)
        self._tracers[service] = provider.get_tracer("centralino", self._version)
        return self._tracers[service]

    def close(self) -> None:
        """Sends what is left. A collector that does not answer holds nobody up."""
        closing = threading.Thread(target=self._batches.shutdown, name="traces-close", daemon=True)
        closing.start()
        closing.join(_FLUSH_SECONDS)


class _OtelSpan:
    __slots__ = ("_span", "context")

    def __init__(self, span: "OtelSpan") -> None:
        self._span = span
        place = span.get_span_context()
        self.context = TraceContext(
            f"{place.trace_id:032x}", f"{place.span_id:016x}", place.trace_flags.sampled
        )

    def end(self, *, name: str = "", error: str = "", attributes: Attributes | None = None) -> None:
        from opentelemetry.trace import StatusCode

        if name:
            self._span.update_name(name)
        if attributes:
            self._span.set_attributes(attributes)
        if error:
            self._span.set_attribute("error.type", error)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()
