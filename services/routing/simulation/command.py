"""`centralino simulate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.routing.adapters.located_yaml import BadFile
from services.routing.domain.simulation import Simulation
from services.routing.simulation import scenario as scenarios
from services.routing.simulation.draws import arrivals_of
from services.routing.simulation.measures import RunMeasures, measure, summary
from services.routing.simulation.plot import svg
from services.routing.simulation.scenario import Scenario

_errors = Console(stderr=True)
_WIDE = 170
_COLUMNS = ("", "n", "in SLA", "left", "mean s", "p50", "p95", "p99", "p99.9", "max", "Jain", "occupancy")


def simulate(
    scenario: Annotated[Path, typer.Argument(help="A scenario, YAML: docs/routing.md describes it.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's.")] = None,
    runs: Annotated[int | None, typer.Option(min=1, max=1000, help="Instead of the scenario's.")] = None,
    load: Annotated[
        list[float] | None, typer.Option(help="Scale the arrivals to this load; may be given several times.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a picture (SVG) here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Plays a scenario under several policies side by side, all with the same customers."""
    try:
        known = scenarios.load(scenario)
        changes: dict[str, Any] = {"seed": seed, "runs": runs, "load": load or None}
        given = {name: value for name, value in changes.items() if value is not None}
        known.shape = known.shape.model_copy(update=given)
        wrong = [value for value in known.shape.loads if value is not None and not 0 < value <= 3]
        if wrong:
            raise BadFile([f"--load: a load is above 0 and at most 3, got {wrong[0]}"])
        report = play(known, scenario.parent, _progress if sys.stderr.isatty() else None)
    except BadFile as bad:
        for fault in bad.faults:
            _errors.print(fault, style="red", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(2) from None
    if plot is not None:
        plot.write_text(svg(report), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(report, indent=1))
    else:
        console = Console()
        show(report, console if console.is_terminal else Console(width=_WIDE))


def play(scenario: Scenario, folder: Path, progress: Callable[[str], None] | None = None) -> dict[str, Any]:
    """The report: for each load and policy what `measures.summary` says. The same scenario gives the same report,
    but for `arrivals_per_second`. Raises BadFile."""
    results = []
    played, seconds = 0, 0.0
    for load in scenario.shape.loads:
        measured: dict[str, list[RunMeasures]] = {p.name: [] for p in scenario.policies}
        for run in range(scenario.shape.runs):
            arrivals = arrivals_of(scenario, folder, load, run)
            for policy in scenario.policies:
                if progress:
                    progress(
                        f"load {load or 'as given'}, run {run + 1} of {scenario.shape.runs}: {policy.name}"
                    )
                begun = process_time()
                outcome = Simulation(scenario.classes, scenario.crews, policy).run(arrivals)
                seconds += process_time() - begun
                played += len(arrivals.at_ms)
                warm_up_ms = scenario.shape.warm_up if scenario.shape.arrivals is None else 0
                measured[policy.name].append(measure(scenario.classes, arrivals, outcome, warm_up_ms))
        policies = {name: summary(scenario.classes, found) for name, found in measured.items()}
        results.append({"load": load, "policies": policies})
    return {
        "scenario": scenario.shape.name,
        "seed": scenario.shape.seed,
        "runs": scenario.shape.runs,
        "results": results,
        "arrivals_played": played,
        "arrivals_per_second": round(played / seconds) if seconds else None,
    }


def show(report: dict[str, Any], console: Console) -> None:
    """The report as tables."""
    for result in report["results"]:
        load = "arrivals as given" if result["load"] is None else f"load {result['load']}"
        table = Table(title=f"{report['scenario']}, {load}, {report['runs']} runs, seed {report['seed']}")
        for column in _COLUMNS:
            table.add_column(column, justify="left" if column == "" else "right", no_wrap=True)
        for name, found in result["policies"].items():
            shares = (_pm(found["in_sla"]), "", "", "", "", "", "", "")
            table.add_row(
                f"[bold]{name}[/bold]",
                "",
                *shares,
                _pm(found["jain"]),
                _pm(found["occupancy"]),
                end_section=False,
            )
            for class_id, one in found["classes"].items():
                wait = one["wait_s"]
                figures = [_number(wait[p]) for p in ("p50", "p95", "p99", "p99_9", "max")]
                both = (_pm(one["in_sla"]), _pm(one["abandoned"]))
                table.add_row(f"  {class_id}", f"{one['arrived']:,}", *both, _pm(wait["mean"], 1), *figures)
            table.add_row("  worst class", "", _pm(found["worst_class_in_sla"]), end_section=True)
        console.print(table)
    console.print(
        f"{report['arrivals_played']:,} arrivals played, {report['arrivals_per_second']:,} a second of CPU",
        highlight=False,
    )


def _progress(text: str) -> None:
    _errors.print(text, end="\r", soft_wrap=True, highlight=False)


def _pm(figure: dict[str, float | None], digits: int = 3) -> str:
    if figure["mean"] is None:
        return "-"
    if figure["half_width"] is None:
        return f"{figure['mean']:.{digits}f}"
    return f"{figure['mean']:.{digits}f} ± {figure['half_width']:.{digits}f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
