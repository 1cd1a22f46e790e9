"""What the processor tells of itself, as metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.streams.batch import Decoded
from libs.streams.transport import TopicPartition
from libs.telemetry import metrics


class StreamMetrics:
    """The metrics of one group. Meanings stand in `libs.telemetry.metrics`."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._lags: Mapping[TopicPartition, int] = {}
        self._idle = False

    def batch(self, decoded: Sequence[Decoded[Any]], seconds: float) -> None:
        metrics.stream_batch_seconds.labels(self._group).observe(seconds)
        metrics.stream_batch_events.labels(self._group).observe(len(decoded))
        counts: dict[str, int] = {}
        for item in decoded:
            counts[item.record.topic] = counts.get(item.record.topic, 0) + 1
        for topic, count in counts.items():
            metrics.stream_processed.labels(self._group, topic).inc(count)

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
                metrics.stream_lag.labels(self._group, source.topic, str(source.partition)).set(lag)
        self._lags = lags

    def caught_up(self, topics: Sequence[str]) -> None:
        """Nothing was there to read."""
        if not self._idle:
            self.ages(dict.fromkeys(topics, 0.0))
            self._idle = True

    def ages(self, seconds: Mapping[str, float]) -> None:
        self._idle = False
        for topic, age in seconds.items():
            metrics.stream_oldest_age.labels(self._group, topic).set(age)
