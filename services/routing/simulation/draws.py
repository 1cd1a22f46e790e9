"""Customers, generated or recorded: the same for every policy of a run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite, log
from pathlib import Path
from typing import Any

import numpy as np

from services.routing.adapters.located_yaml import BadFile
from services.routing.domain.simulation_model import Arrivals
from services.routing.simulation.scenario import ClassShape, Scenario, Spread

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_MOST_ARRIVALS = 20_000_000
_COLUMNS = ("at", "class", "service", "patience")


def arrivals_of(scenario: Scenario, folder: Path, load: float | None, run: int) -> Arrivals:
    """The arrivals of one run, in order. Raises BadFile for a file of arrivals that cannot be used."""
    if scenario.shape.arrivals is not None:
        return _recorded(scenario, folder / scenario.shape.arrivals.file, run)
    scale = 1.0 if load is None else load / offered_load(scenario)
    horizon_ms = scenario.shape.warm_up + scenario.shape.duration
    at, kind, work, patience = [], [], [], []
    for number, shape in enumerate(scenario.shape.classes):
        rng = _rng(scenario, run, number, 0)
        times = _times(shape, scale, horizon_ms, rng)
        at.append(times)
        kind.append(np.full(len(times), number, dtype=np.int64))
        work.append(_lengths(shape.service, len(times), _rng(scenario, run, number, 1)))
        patience.append(_lengths(shape.patience, len(times), _rng(scenario, run, number, 2)))
    order = np.argsort(np.concatenate(at), kind="stable")
    return Arrivals(*(np.concatenate(column)[order].tolist() for column in (at, kind, work, patience)))


def offered_load(scenario: Scenario) -> float:
    """The work that the rates of the scenario bring, as a share of what its agents can do at once."""
    work = 0.0
    for shape, kind in zip(scenario.shape.classes, scenario.classes, strict=True):
        if shape.arrivals is None or shape.service is None:
            continue
        shares = []
        for crew in scenario.crews:
            for rule in crew.capacity.channels:
                if rule.channel == kind.channel:
                    whole = crew.capacity.interruptible_budget if rule.interruptible else crew.capacity.budget
                    shares.append(max(rule.weight / whole, 1 / rule.max_count))
        profile = shape.arrivals.by_hour
        factor = sum(profile) / 24 if profile else 1.0
        mean_share = sum(shares) / len(shares) if shares else 1.0
        work += shape.arrivals.per_hour * factor * shape.service.mean / _HOUR_MS * mean_share
    able = 0.0
    for crew in scenario.crews:
        part = sum(end - begin for begin, end in crew.shifts) / _DAY_MS if crew.shifts else 1.0
        able += crew.count * part * crew.speed_percent / 100
    return work / able


def _rng(scenario: Scenario, run: int, number: int, use: int) -> np.random.Generator:
    return np.random.default_rng([scenario.shape.seed, run, number, use])


def _times(shape: ClassShape, scale: float, horizon_ms: int, rng: np.random.Generator) -> Any:
    """A Poisson stream, thinned by the hour of the day."""
    if shape.arrivals is None:
        return np.zeros(0, dtype=np.int64)
    profile = np.array(shape.arrivals.by_hour or [1.0])
    top = float(profile.max())
    per_ms = shape.arrivals.per_hour * scale * top / _HOUR_MS
    expected = per_ms * horizon_ms
    if expected > _MOST_ARRIVALS:
        why = f"would make about {expected:,.0f} arrivals in a run; the most is {_MOST_ARRIVALS:,}"
        raise BadFile([f"class {shape.id!r} {why}"])
    number = rng.poisson(expected)
    times = np.sort(rng.integers(0, horizon_ms, number))
    if len(profile) > 1:
        keep = rng.random(number) < profile[(times // _HOUR_MS) % 24] / top
        times = times[keep]
    return times


def _lengths(spread: Spread | None, number: int, rng: np.random.Generator) -> Any:
    """Lengths of time in milliseconds, at least 1; zeros without a spread."""
    if spread is None:
        return np.zeros(number, dtype=np.int64)
    if spread.distribution == "fixed":
        found = np.full(number, float(spread.mean))
    elif spread.distribution == "exponential":
        found = rng.exponential(spread.mean, number)
    elif spread.distribution == "gamma":
        shape = 1 / spread.cv**2
        found = rng.gamma(shape, spread.mean / shape, number)
    else:
        sigma2 = log(1 + spread.cv**2)
        found = rng.lognormal(log(spread.mean) - sigma2 / 2, sigma2**0.5, number)
    return np.maximum(1, np.minimum(found, 4e12)).astype(np.int64)


def _recorded(scenario: Scenario, path: Path, run: int) -> Arrivals:
    known = {c.id: number for number, c in enumerate(scenario.shape.classes)}
    faults: list[str] = []
    rows = []
    for line, row in _rows(path):
        try:
            rows.append(_row(row, known))
        except ValueError as error:
            faults.append(f"{path}:{line}: {error}")
            if len(faults) == 20:
                break
    if not faults and not rows:
        faults = [f"{path}:1: there are no arrivals"]
    if faults:
        raise BadFile(faults)
    rows.sort(key=lambda row: row[0])
    first = rows[0][0]
    work, patience = [], []
    drawn = [_rng(scenario, run, number, 1) for number in range(len(known))]
    left = [_rng(scenario, run, number, 2) for number in range(len(known))]
    for _, number, service, waits in rows:
        shape = scenario.shape.classes[number]
        if service is None and shape.service is None:
            why = f"the file gives no service for class {shape.id!r}, and the scenario says none"
            raise BadFile([f"{path}:1: {why}"])
        work.append(service if service is not None else int(_lengths(shape.service, 1, drawn[number])[0]))
        patience.append(waits if waits is not None else int(_lengths(shape.patience, 1, left[number])[0]))
    return Arrivals([row[0] - first for row in rows], [row[1] for row in rows], work, patience)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [name.strip() for name in reader.fieldnames or []]
            missing = [name for name in ("at", "class") if name not in names]
            if missing:
                why = f"the columns {', '.join(_COLUMNS)} are expected, {' and '.join(missing)} missing"
                raise BadFile([f"{path}:1: {why}"])
            reader.fieldnames = names
            for row in reader:
                yield reader.line_num, row
    except FileNotFoundError:
        raise BadFile([f"{path}: there is no such file"]) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile([f"{path}: cannot be read as CSV: {error}"]) from None


def _row(row: dict[str, str], known: dict[str, int]) -> tuple[int, int, int | None, int | None]:
    name = (row.get("class") or "").strip()
    if name not in known:
        raise ValueError(f"no class is called {name!r}; the scenario has {', '.join(known)}")
    service, patience = _seconds(row, "service"), _seconds(row, "patience")
    return _instant((row.get("at") or "").strip()), known[name], service, patience


def _instant(text: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"at: expected seconds or a date and time, got {text!r}") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1_000)
    if not isfinite(seconds) or abs(seconds) > 1e11:
        raise ValueError(f"at: expected seconds, got {text!r}")
    return round(seconds * 1_000)


def _seconds(row: dict[str, str], column: str) -> int | None:
    text = (row.get(column) or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 1e9:
        raise ValueError(f"{column}: expected seconds, got {text!r}")
    return max(1, round(seconds * 1_000))
