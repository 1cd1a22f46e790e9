"""What came of a run, by class and policy.

In SLA = work begun at or before arrival + target; customers who left count as not. Waits are those of customers who
were served. Intervals are 95 % over the runs (Student's t); percentiles are of all runs together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.routing.domain.simulation_model import Arrivals, Outcome, WorkClass

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_PERCENTILES = (("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("p99_9", 99.9))


@dataclass(frozen=True, slots=True)
class RunMeasures:
    """One run of one policy: by class the waits of the served (ms), and shares."""

    waits: list[Any]
    arrived: list[int]
    in_sla: list[float]
    abandoned: list[float]
    jain: float
    occupancy: float


def measure(
    classes: Sequence[WorkClass], arrivals: Arrivals, outcome: Outcome, warm_up_ms: int
) -> RunMeasures:
    """The measures of the customers who came after the warm-up."""
    at, kind = np.asarray(arrivals.at_ms), np.asarray(arrivals.kind)
    begun = np.asarray(outcome.begun_ms)
    counted = at >= warm_up_ms
    waits, arrived, in_sla, abandoned = [], [], [], []
    for number, one in enumerate(classes):
        mine = counted & (kind == number)
        served = mine & (begun >= 0)
        wait = begun[served] - at[served]
        total = int(mine.sum())
        waits.append(wait)
        arrived.append(total)
        in_sla.append(float((wait <= one.target_ms).sum() / total) if total else float("nan"))
        abandoned.append(float(1 - served.sum() / total) if total else float("nan"))
    load = np.asarray(outcome.load_ms, dtype=float) / 10_000
    present = np.asarray(outcome.present_ms, dtype=float)
    there = present > 0
    rates = load[there] / present[there] if there.any() else np.zeros(0)
    squares = float((rates**2).sum())
    jain = float(rates.sum() ** 2 / (len(rates) * squares)) if squares else float("nan")
    occupancy = float(load.sum() / present.sum()) if present.sum() else float("nan")
    return RunMeasures(waits, arrived, in_sla, abandoned, jain, occupancy)


def summary(classes: Sequence[WorkClass], runs: Sequence[RunMeasures]) -> dict[str, Any]:
    """All runs of one policy as plain values; waits in seconds."""
    by_class = {}
    for number, one in enumerate(classes):
        waits = np.concatenate([run.waits[number] for run in runs]) / 1000
        by_class[one.class_id] = {
            "arrived": sum(run.arrived[number] for run in runs),
            "in_sla": _interval([run.in_sla[number] for run in runs]),
            "abandoned": _interval([run.abandoned[number] for run in runs]),
            "wait_s": {
                "mean": _interval(
                    [float(run.waits[number].mean()) / 1000 for run in runs if len(run.waits[number])]
                ),
                **{name: _rounded(_percentile(waits, q)) for name, q in _PERCENTILES},
                "max": _rounded(float(waits.max()) if len(waits) else float("nan")),
            },
        }
    overall = [
        sum(share * n for share, n in zip(run.in_sla, run.arrived, strict=True) if n)
        / max(1, sum(run.arrived))
        for run in runs
    ]
    return {
        "in_sla": _interval(overall),
        "worst_class_in_sla": _interval([float(np.nanmin(run.in_sla)) for run in runs if any(run.arrived)]),
        "jain": _interval([run.jain for run in runs]),
        "occupancy": _interval([run.occupancy for run in runs]),
        "classes": by_class,
    }


def _percentile(values: Any, q: float) -> float:
    return float(np.percentile(values, q, method="inverted_cdf")) if len(values) else float("nan")


def _interval(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and half of the 95 % interval; no interval from one run, nothing from none."""
    known = [v for v in values if v == v]
    if not known:
        return {"mean": None, "half_width": None}
    mean = float(np.mean(known))
    if len(known) < 2:
        return {"mean": _rounded(mean), "half_width": None}
    t = _T[min(len(known) - 2, len(_T) - 1)]
    return {
        "mean": _rounded(mean),
        "half_width": _rounded(t * float(np.std(known, ddof=1)) / len(known) ** 0.5),
    }


def _rounded(value: float) -> float | None:
    return round(value, 4) if value == value else None
