"""The alert rules and the dashboard as Prometheus reads them: its own grammar, and series that this code does have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from libs.telemetry import REGISTRY, declared, metrics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
METRICS = {metric.name: metric for metric in declared()}
# What Prometheus itself puts on every series that it scrapes.
SCRAPED = {"instance", "job"}
_COUNTING = {"rate", "increase"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """(title, target) of every query on the dashboard."""
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "centralino.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target


EXPRESSIONS = {
    **{f"alert {rule['alert']}": rule["expr"] for rule in rules()},
    **{f"panel {title} {target['refId']}": target["expr"] for title, target in panels()},
}


def nodes(expression: str) -> list[promql.Expr]:
    """Every part of an expression. Raises ValueError for what Prometheus would not load."""
    found: list[promql.Expr] = []
    promql.walk(promql.parse(expression), lambda node: found.append(node))
    return found


def series_of(name: str) -> dict[str, str]:
    """The time series of a metric, by name, each with its kind."""
    metric = METRICS[name]
    if metric.kind == "histogram":
        return {f"{name}_{part}": "counter" for part in ("bucket", "sum", "count")}
    return {name: metric.kind}


SERIES = {series: (name, kind) for name in METRICS for series, kind in series_of(name).items()}


def labels_of(expression: str) -> set[str]:
    """The labels that the series of an expression have before anything is summed."""
    labels = set(SCRAPED)
    for node in nodes(expression):
        if isinstance(node, promql.VectorSelector):
            assert node.name in SERIES, f"{node.name} is a series that no code declares"
            labels |= {*METRICS[SERIES[node.name][0]].labels}
            labels |= {"le"} if node.name.endswith("_bucket") else set()
    return labels


def kept_by(expression: str) -> set[str]:
    """The labels that what comes out has."""
    for node in nodes(expression):
        if isinstance(node, promql.AggregateExpr):
            assert node.modifier is None or node.modifier.type == promql.AggModifierType.By
            return set(node.modifier.labels) - {"le"} if node.modifier else set()
    return labels_of(expression)


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_an_expression_is_loaded_and_asks_for_series_and_labels_that_exist(expression: str) -> None:
    known = labels_of(expression)
    found = nodes(expression)
    assert any(isinstance(node, promql.VectorSelector) for node in found)
    for node in found:
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            assert set(node.modifier.labels) <= known
        if isinstance(node, promql.VectorSelector):
            assert {matcher.name for matcher in node.matchers.matchers} <= known


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_counters_are_asked_for_their_growth_and_gauges_for_their_value(expression: str) -> None:
    found = nodes(expression)
    grown = {
        selector.vector_selector.name
        for node in found
        if isinstance(node, promql.Call) and node.func.name in _COUNTING
        for selector in node.args
        if isinstance(selector, promql.MatrixSelector)
    }
    for node in found:
        if isinstance(node, promql.VectorSelector) and node.name in SERIES:
            assert (node.name in grown) == (SERIES[node.name][1] == "counter"), node.name


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_speaks_only_of_labels_that_it_has(rule: dict[str, Any]) -> None:
    said = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert said <= kept_by(rule["expr"])
    assert re.fullmatch(r"\d+[smh]", rule["for"])


def test_a_legend_speaks_only_of_labels_that_its_query_keeps() -> None:
    wrong = [
        (title, label)
        for title, target in panels()
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
        if label not in kept_by(target["expr"])
    ]
    assert wrong == []


def test_the_registry_has_every_declared_metric_under_the_name_that_is_asked_for() -> None:
    collected = {metric.name for metric in REGISTRY.collect()}
    assert {name.removesuffix("_total") for name in METRICS} <= collected


def test_every_metric_is_set_by_some_code() -> None:
    folders = [DEPLOY.parent / folder for folder in ("libs", "services")]
    code = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    used = set(re.findall(r"\bmetrics\.(\w+)", code))
    names = {name: one for name, one in vars(metrics).items() if isinstance(one, MetricWrapperBase)}
    assert len(names) == len(METRICS)
    assert sorted(names.keys() - used) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "sum by (group) (rate(centralino_stream_lag_events)",
        "rate(centralino_stream_lag_events)",
        "sum by group (centralino_stream_lag_events)",
        "centralino_ready == ",
        "increased(centralino_worker_restarts_total[10m])",
    ],
)
def test_what_prometheus_would_not_load_is_noticed(wrong: str) -> None:
    with pytest.raises(ValueError):
        nodes(wrong)
