"""What the processor tells of itself, as metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Counter, Gauge

from libs.streams.batch import Decoded
from libs.streams.router import Due
from libs.streams.transport import TopicPartition
from libs.telemetry import metrics


class StreamMetrics:
    """The metrics of one group. Meanings stand in `libs.telemetry.metrics`."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._lags: Mapping[TopicPartition, int] = {}
        self._lag_gauges: dict[TopicPartition, Gauge] = {}
        # Looking a labelled metric up costs more than counting, and topics are few.
        self._seconds = metrics.stream_batch_seconds.labels(group)
        self._events = metrics.stream_batch_events.labels(group)
        self._processed: dict[str, Counter] = {}
        self._oldest: dict[str, Gauge] = {}
        self._idle = False

    def batch(self, decoded: Sequence[Decoded[Any]], seconds: float) -> None:
        self._seconds.observe(seconds)
        self._events.observe(len(decoded))
        counts: dict[str, int] = {}
        for item in decoded:
            counts[item.record.topic] = counts.get(item.record.topic, 0) + 1
        for topic, count in counts.items():
            counter = self._processed.get(topic)
            if counter is None:
                counter = self._processed[topic] = metrics.stream_processed.labels(self._group, topic)
            counter.inc(count)

    def timers(self, service: str, dues: Sequence[Due]) -> None:
        """Timers whose transaction has committed."""
        for due in dues:
            metrics.timers_fired.labels(service, due.kind).inc()
            metrics.timers_late.labels(service, due.kind).observe(max(0, due.now_ms - due.due_at_ms) / 1000)

    def repeats(self, count: int) -> None:
        metrics.stream_repeats.labels(self._group, "").inc(count)

    def died(self, topic: str, error: str) -> None:
        metrics.stream_dead_letters.labels(self._group, topic, error).inc()

    def retried(self) -> None:
        metrics.stream_retries.labels(self._group).inc()

    def fenced(self) -> None:
        metrics.stream_fenced.labels(self._group, "").inc()

    def stopped(self, stopped: bool) -> None:
        metrics.stream_stopped.labels(self._group).set(1 if stopped else 0)

    def lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """Only what moved is written: most rounds change nothing."""
        for source, lag in lags.items():
            if self._lags.get(source) != lag:
                gauge = self._lag_gauges.get(source)
                if gauge is None:
                    gauge = metrics.stream_lag.labels(self._group, source.topic, str(source.partition))
                    self._lag_gauges[source] = gauge
                gauge.set(lag)
        self._lags = lags

    def caught_up(self, topics: Sequence[str]) -> None:
        """Nothing was there to read."""
        if not self._idle:
            self.ages(dict.fromkeys(topics, 0.0))
            self._idle = True

    def oldest(self, decoded: Sequence[Decoded[Any]], topics: Sequence[str], now_ms: int) -> None:
        """How old the oldest message of each topic is that was read now."""
        oldest: dict[str, int] = {}
        for item in decoded:
            if item.envelope is not None:
                at = item.envelope.at_ms
                oldest[item.record.topic] = min(oldest.get(item.record.topic, at), at)
        self.ages({t: max(0, now_ms - oldest[t]) / 1000 if t in oldest else 0.0 for t in topics})

    def ages(self, seconds: Mapping[str, float]) -> None:
        self._idle = False
        for topic, age in seconds.items():
            gauge = self._oldest.get(topic)
            if gauge is None:
                gauge = self._oldest[topic] = metrics.stream_oldest_age.labels(self._group, topic)
            gauge.set(age)
