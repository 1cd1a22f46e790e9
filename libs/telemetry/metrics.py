"""Every metric of the platform: its name, its unit, its labels and its meaning, in this one place.

Names follow Prometheus: base units (seconds, bytes), counters end in `_total`. Labels are bounded: services,
route templates, topics, teams and channels are, conversations and people are not. There is one registry per
process, so with all services in one process any `/metrics` address shows all of them: scrape one.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY: Final = CollectorRegistry(auto_describe=True)
"""What `/metrics` shows."""

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_WAITS: Final = (1, 5, 15, 30, 60, 120, 300, 900, 1800, 3600, 14400, 86400)


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric as the documentation shows it."""

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    meaning: str


_DECLARED: list[Declared] = []
_M = TypeVar("_M", Counter, Gauge)


def _one(kind: type[_M], name: str, unit: str, meaning: str, *labels: str) -> _M:
    _DECLARED.append(Declared(name, kind.__name__.lower(), unit, labels, meaning))
    return kind(name, meaning, labels, registry=REGISTRY)


def _histogram(
    name: str, unit: str, meaning: str, *labels: str, buckets: tuple[float, ...] = _FAST
) -> Histogram:
    _DECLARED.append(Declared(name, "histogram", unit, labels, meaning))
    return Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets)


# fmt: off
# HTTP
http_requests = _one(
    Counter, "centralino_http_requests_total", "requests",
    "Answered requests; route is the template, or `none` when nothing matched",
    "service", "method", "route", "status",
)
http_duration = _histogram(
    "centralino_http_request_seconds", "seconds",
    "From the request's head to the last byte of the answer; streams are left out",
    "service", "method", "route",
)
http_streams = _one(Gauge, "centralino_http_streams", "streams", "Open event streams", "service", "route")
http_unexpected = _one(
    Counter, "centralino_http_unexpected_errors_total", "errors",
    "Answers with status 500: each one is a bug and has a log line with its request id",
    "service",
)
http_unavailable = _one(
    Counter, "centralino_http_unavailable_total", "answers",
    "Answers with status 503, by what was missing (database, pool, timeout, other)",
    "service", "cause",
)

# The log: what a subscriber group has read and what became of it
stream_lag = _one(
    Gauge, "centralino_stream_lag_events", "events",
    "Events in the partition that the group has not processed", "group", "topic", "partition",
)
stream_oldest_age = _one(
    Gauge, "centralino_stream_oldest_unprocessed_seconds", "seconds",
    "Age of the oldest event that the group has not processed; 0 when there is none", "group", "topic",
)
stream_processed = _one(
    Counter, "centralino_stream_processed_events_total", "events", "Events whose position is committed",
    "group", "topic",
)
stream_repeats = _one(
    Counter, "centralino_stream_repeated_events_total", "events",
    "Events dropped because their number was at or below the position", "group", "topic",
)
stream_dead_letters = _one(
    Counter, "centralino_stream_dead_letters_total", "events",
    "Events that became a dead letter, by the type of the error", "group", "topic", "error",
)
stream_retries = _one(
    Counter, "centralino_stream_retries_total", "batches", "Batches run again after a transient error",
    "group",
)
stream_fenced = _one(
    Counter, "centralino_stream_fenced_total", "batches",
    "Batches rolled back because another owner had raised the epoch", "group", "topic",
)
stream_stopped = _one(
    Gauge, "centralino_stream_stopped", "groups",
    "1 while the group stands still and waits for an operator", "group",
)
relay_lag = _one(
    Gauge, "centralino_relay_lag_events", "events",
    "Rows of the log that are not on the broker yet, of the partitions of this process", "topic",
)  # fmt: skip
relay_sent = _one(
    Counter, "centralino_relay_sent_events_total", "events", "Rows sent to the broker, repeats included", "topic"
)
relay_failures = _one(
    Counter, "centralino_relay_failures_total", "rounds", "Rounds of a relay that were begun again", "topic"
)
stream_batch_seconds = _histogram(
    "centralino_stream_batch_seconds", "seconds", "One batch from fence to commit", "group"
)
stream_batch_events = _histogram(
    "centralino_stream_batch_events", "events", "Events in one batch", "group", buckets=_SIZES
)
stream_appended = _one(
    Counter, "centralino_stream_appended_events_total", "events", "Events committed to the log", "topic"
)
stream_append_seconds = _histogram(
    "centralino_stream_append_seconds", "seconds", "The append call: lock, number and insert", "service"
)
timers_fired = _one(
    Counter, "centralino_timers_fired_total", "timers", "Timers delivered to their handler", "service", "kind"
)
timers_late = _histogram(
    "centralino_timer_late_seconds", "seconds", "From due to delivered", "service", "kind",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)

# ingest
ingest_accepted = _one(
    Counter, "centralino_ingest_accepted_total", "messages", "Messages durably taken", "channel"
)
ingest_duplicates = _one(
    Counter, "centralino_ingest_duplicates_total", "messages",
    "Messages sent again by their provider", "channel",
)
ingest_refused = _one(
    Counter, "centralino_ingest_refused_total", "messages", "Messages not taken, by cause", "channel", "cause"
)
ingest_backlog = _one(
    Gauge, "centralino_ingest_backlog_messages", "messages", "Taken and not yet normalised"
)
deliveries = _one(
    Counter, "centralino_deliveries_total", "deliveries",
    "Changes of outgoing messages to this state", "channel", "state",
)
deliveries_waiting = _one(
    Gauge, "centralino_deliveries_waiting", "deliveries", "Outgoing messages not yet sent", "channel"
)

# triage
triage_decisions = _one(
    Counter, "centralino_triage_decisions_total", "messages",
    "Messages understood, by topic (`unknown` = below the threshold) and kind", "topic", "kind",
)
triage_seconds = _histogram(
    "centralino_triage_seconds", "seconds", "One text through the classification worker"
)
triage_second_opinions = _one(
    Counter, "centralino_triage_second_opinions_total", "questions",
    "Questions to an endpoint outside, by what came of them (answered, none, late, failed, refused, malformed; not asked: "
    "open, budget, busy, short, addressed)", "outcome",
)
triage_drift = _one(
    Gauge, "centralino_triage_drift", "index",
    "Population stability index of 24 hours against the days before, without what chance explains, by what is compared "
    "(topic, confidence, language)", "signal",
)
triage_drifting = _one(
    Gauge, "centralino_triage_drifting", "alarms", "1 while an alarm about drift is open", "signal"
)

# routing
routing_waiting = _one(
    Gauge, "centralino_routing_waiting", "conversations", "Waiting for a person", "team"
)
routing_oldest_wait = _one(
    Gauge, "centralino_routing_oldest_wait_seconds", "seconds", "Longest wait of those waiting now", "team"
)
routing_offers = _one(
    Counter, "centralino_routing_offers_total", "offers",
    "Offers by what became of them (made, accepted, declined, expired, rescinded)", "team", "outcome",
)
routing_wait_seconds = _histogram(
    "centralino_routing_wait_seconds", "seconds", "From eligible to accepted", "team", buckets=_WAITS
)
routing_agents = _one(
    Gauge, "centralino_routing_agents", "agents", "People by presence", "team", "presence"
)
routing_unserved = _one(
    Gauge, "centralino_routing_unserved_queues", "queues",
    "Queues in which something waits that nobody of the pool could ever take", "team",
)
routing_shadow = _one(
    Counter, "centralino_routing_shadow_decisions_total", "decisions",
    "Decisions that the live policy and the shadow policy have made, by whether they were the same", "pool", "outcome",
)
sla_breaches = _one(
    Counter, "centralino_sla_breaches_total", "clocks", "Clocks that ran out", "metric", "team"
)

# agent, survey, analytics
conversations_resolved = _one(
    Counter, "centralino_conversations_resolved_total", "episodes", "Episodes resolved", "by"
)
conversations_reopened = _one(
    Counter, "centralino_conversations_reopened_total", "episodes", "Episodes opened after a resolution"
)
surveys = _one(
    Counter, "centralino_surveys_total", "surveys",
    "Invitations by what became of them (requested, answered, expired, cancelled; late: answered after that)", "state",
)
outcomes = _one(
    Counter, "centralino_outcomes_total", "records",
    "Outcome records appended, by kind (first, revision)", "kind",
)

# processes
worker_restarts = _one(
    Counter, "centralino_worker_restarts_total", "processes",
    "Worker processes started again after they ended unasked", "worker",
)
readiness = _one(
    Gauge, "centralino_ready", "checks", "1 when the check of /readyz passed the last time, else 0",
    "service", "check",
)

# fmt: on

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


def declared() -> tuple[Declared, ...]:
    """Every metric in the order of this file, for documentation and dashboards."""
    return tuple(_DECLARED)


def render_metrics() -> bytes:
    """The registry in the Prometheus text format (CONTENT_TYPE)."""
    return generate_latest(REGISTRY)
