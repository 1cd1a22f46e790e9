"""Writes what follows from the declared metrics: Grafana's dashboard and Prometheus' alert rules.

`--check` writes nothing and exits 1 when a committed file differs from what would be written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from libs.telemetry import Declared, declared
from scripts.writing import ROOT, write_or_check

_UNITS = {"seconds": "s", "bytes": "bytes"}
_WIDE, _HIGH = 8, 7
_SECTIONS = (
    ("HTTP", "centralino_http_"),
    ("Events", "centralino_stream_"),
    ("Relays to Kafka", "centralino_relay_"),
    ("Timers", "centralino_timer"),
    ("Ingest", "centralino_ingest_"),
    ("Deliveries", "centralino_deliveries"),
    ("Triage", "centralino_triage_"),
    ("Routing", "centralino_routing_"),
    ("Everything else", "centralino_"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert. `docs/operations.md` says what it means and what to do."""

    name: str
    expression: str
    for_: str
    severity: str
    summary: str


RULES = (
    Rule(
        "GroupStopped",
        "max by (group) (centralino_stream_stopped) > 0",
        "0m",
        "page",
        "Group {{ $labels.group }} stands still and waits for a person.",
    ),
    Rule(
        "DeadLetters",
        "sum by (group, topic, error) (increase(centralino_stream_dead_letters_total[10m])) > 0",
        "0m",
        "ticket",
        "Group {{ $labels.group }} could not handle messages of {{ $labels.topic }}: {{ $labels.error }}.",
    ),
    Rule(
        "EventsOld",
        "max by (group, topic) (centralino_stream_oldest_unprocessed_seconds) > 60",
        "2m",
        "page",
        "Group {{ $labels.group }} is {{ $value | humanizeDuration }} behind on {{ $labels.topic }}.",
    ),
    Rule(
        "RelayBehind",
        "sum by (topic) (centralino_relay_lag_events) > 1000",
        "2m",
        "page",
        "{{ $value }} rows of {{ $labels.topic }} have not reached Kafka.",
    ),
    Rule(
        "Waiting",
        "max by (team) (centralino_routing_oldest_wait_seconds) > 3600",
        "5m",
        "ticket",
        "Somebody has waited for team {{ $labels.team }} for {{ $value | humanizeDuration }}.",
    ),
    Rule(
        "NobodyCanServe",
        "max by (team) (centralino_routing_unserved_queues) > 0",
        "0m",
        "page",
        "Something waits for team {{ $labels.team }} that nobody could ever take.",
    ),
    Rule(
        "ServiceLevelBreaches",
        "sum by (team, metric) (increase(centralino_sla_breaches_total[10m])) > 1",
        "0m",
        "ticket",
        "Team {{ $labels.team }} breaks its promise of {{ $labels.metric }}.",
    ),
    Rule(
        "UnexpectedErrors",
        "sum by (service) (increase(centralino_http_unexpected_errors_total[10m])) > 0",
        "0m",
        "page",
        "Service {{ $labels.service }} answered with status 500.",
    ),
    Rule(
        "Unavailable",
        "sum by (service, cause) (increase(centralino_http_unavailable_total[5m])) > 10",
        "2m",
        "page",
        "Service {{ $labels.service }} answers with status 503 for want of: {{ $labels.cause }}.",
    ),
    Rule(
        "NotReady",
        "min by (service, check, instance) (centralino_ready) == 0",
        "2m",
        "page",
        "{{ $labels.instance }}: check {{ $labels.check }} of {{ $labels.service }} fails.",
    ),
    Rule(
        "WorkersRestart",
        "sum(increase(centralino_worker_restarts_total[10m])) > 3",
        "0m",
        "ticket",
        "Classification workers were started again {{ $value }} times in 10 minutes.",
    ),
    Rule(
        "TriageDrift",
        "max by (signal) (centralino_triage_drifting) > 0",
        "15m",
        "ticket",
        "What comes in is not as before: {{ $labels.signal }}.",
    ),
)


def alerts() -> str:
    """The rules. Raises ValueError for one that names a metric nobody declares."""
    known = {metric.name for metric in declared()}
    for rule in RULES:
        unknown = set(re.findall(r"centralino_\w+", rule.expression)) - known
        if unknown:
            raise ValueError(f"alert {rule.name} names {', '.join(sorted(unknown))}, which no code declares")
    rules = [
        {
            "alert": rule.name,
            "expr": rule.expression,
            "for": rule.for_,
            "labels": {"severity": rule.severity},
            "annotations": {"summary": rule.summary},
        }
        for rule in RULES
    ]
    text = yaml.safe_dump(
        {"groups": [{"name": "centralino", "rules": rules}]}, sort_keys=False, allow_unicode=True, width=120
    )
    return f"# Made by scripts/generate_monitoring.py; docs/operations.md says what each means.\n{text}"


def _targets(metric: Declared) -> list[dict[str, Any]]:
    by = ", ".join(label for label in metric.labels if label != "partition")
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels if label != "partition")
    if metric.kind == "histogram":
        labels = ", ".join(filter(None, (by, "le")))
        return [
            {
                "expr": f"histogram_quantile({q}, sum by ({labels}) (rate({metric.name}_bucket[5m])))",
                "legendFormat": f"p{round(q * 100)} {legend}".strip(),
            }
            for q in (0.5, 0.99)
        ]
    if metric.kind == "counter":
        return [{"expr": f"sum by ({by}) (rate({metric.name}[5m]))", "legendFormat": legend}]
    how = (
        "max"
        if metric.unit in ("seconds", "index", "alarms") or metric.name in ("centralino_ready",)
        else "sum"
    )
    return [{"expr": f"{how} by ({by}) ({metric.name})", "legendFormat": legend}]


def _panel(metric: Declared, number: int, x: int, y: int) -> dict[str, Any]:
    unit = _UNITS.get(metric.unit, "ops" if metric.kind == "counter" else "short")
    title = metric.name.removeprefix("centralino_").removesuffix("_total").replace("_", " ")
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "description": f"{metric.meaning}. Unit: {metric.unit}.",
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "gridPos": {"x": x, "y": y, "w": _WIDE, "h": _HIGH},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [{**target, "refId": "AB"[n]} for n, target in enumerate(_targets(metric))],
    }


def dashboard() -> str:
    """A panel for each metric, in sections."""
    left = list(declared())
    panels: list[dict[str, Any]] = []
    y = 0
    for title, prefix in _SECTIONS:
        here = [metric for metric in left if metric.name.startswith(prefix)]
        left = [metric for metric in left if metric not in here]
        if not here:
            continue
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
                "panels": [],
            }
        )
        y += 1
        for place, metric in enumerate(here):
            panels.append(_panel(metric, len(panels) + 1, place % 3 * _WIDE, y + place // 3 * _HIGH))
        y += (len(here) + 2) // 3 * _HIGH
    document = {
        "uid": "centralino",
        "title": "Centralino",
        "tags": ["centralino"],
        "timezone": "browser",
        "schemaVersion": 41,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "panels": panels,
    }
    return json.dumps(document, indent=1) + "\n"


def files() -> Iterator[tuple[Path, str]]:
    yield ROOT / "deploy" / "prometheus" / "alerts.yml", alerts()
    yield ROOT / "deploy" / "grafana" / "dashboards" / "centralino.json", dashboard()


if __name__ == "__main__":
    write_or_check(__doc__, files(), "the metrics say")
