"""`centralino train`: an operator's own tickets become a working triage and an honest report."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from services.operators.evaluate import tools_of
from services.operators.training_sources import Unlearnable, gathered
from services.triage.adapters.evaluation.labels import Tools
from services.triage.adapters.labelled_files import UnreadableFile
from services.triage.adapters.learning.checkpoints import Busy, StoredVectors, alone
from services.triage.adapters.learning.training import Made, make_version
from services.triage.adapters.learning.versions import VersionError, Versions
from services.triage.adapters.taxonomy_file import TaxonomyError
from services.triage.adapters.training.labels import TooFewLabels

FOLDER: Final = Path("triage-models")
_errors = Console(stderr=True)
_SHOWN: Final = 10


def train(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="CSV or CSV.gz with a header: text, label and, where known, lang: all that is learnt.",
        ),
    ] = None,
    add: Annotated[
        Path | None,
        typer.Option(
            help="The same, beside what the version in use was made from (or the service's own set): a new topic."
        ),
    ] = None,
    corrections: Annotated[
        bool,
        typer.Option(
            "--corrections", help="Beside that, what agents corrected; reads the installation's database."
        ),
    ] = False,
    into: Annotated[Path, typer.Option(help="Folder of the versions; made when it is not there.")] = FOLDER,
    taxonomy: Annotated[
        Path | None,
        typer.Option(
            help="Labels are the topics of this file, by key or label; without it each label is a topic."
        ),
    ] = None,
    examples: Annotated[
        bool, typer.Option(help="Keep texts in the model, so that explanations can name the nearest.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of every drawing.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object in place of the tables.")] = False,
) -> None:
    """Trains a version of the model from labelled tickets and corrections, and says how good it is.

    A run that was killed is taken up again by the same command. The first version made with --from is in use at once;
    others wait for `centralino models promote`.
    """
    if source is None and add is None and not corrections:
        raise typer.BadParameter("nothing to learn from: give --from FILE, --add FILE or --corrections")
    versions = Versions(into)
    try:
        found = gathered(versions, source, add, taxonomy, corrections)
        with alone(into), telling() as (progress, count):
            first = source is not None and versions.in_use() is None
            made = make_version(
                versions,
                found.examples,
                found.taxonomy,
                with_stored_vectors(tools_of("encoder"), versions, count),
                started=datetime.now(UTC).strftime("%Y%m%d-%H%M%S"),
                threshold=found.threshold,
                keep_texts=examples,
                seed=seed,
                about=found.about,
                before=found.before,
                progress=progress,
            )
            if first:
                versions.promote(made.name)
    except TooFewLabels as error:
        raise typer.BadParameter(f"{source or add or 'corrections'}: {error}") from None
    except (Busy, VersionError, UnreadableFile, TaxonomyError, Unlearnable, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(
            json.dumps({**made.report, "folder": str(made.folder), "in_use": first}, ensure_ascii=False)
        )
        return
    show(made.report)
    tell_next(into, made, first)


def tell_next(into: Path, made: Made, first: bool) -> None:
    """What to do with a new version."""
    if first:
        _errors.print(
            f"In use from the next start: CENTRALINO_TRIAGE_MODEL={into.resolve()} centralino run",
            soft_wrap=True,
        )
    else:
        _errors.print(
            f"Not in use yet: `centralino models promote {made.name} --in {into}` compares and changes over",
            soft_wrap=True,
        )


def with_stored_vectors(tools: Tools, versions: Versions, count: Any) -> Tools:
    """The same tools; the encoder keeps what it has done."""
    if tools.encode is None:
        return tools
    return replace(tools, encode=StoredVectors(versions.vectors, tools.encode, count))


@contextmanager
def telling() -> Iterator[tuple[Any, Any]]:
    """What to call with the name of a step, and with how many texts of how many are encoded. A bar on a terminal,
    else a line for each step."""
    if not _errors.is_terminal:
        yield lambda what: _errors.print(f"  {what}", markup=False), lambda _done, _all: None
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=_errors,
        transient=True,
    ) as bar:
        step = bar.add_task("reading", total=None)

        def progress(what: str) -> None:
            fold, _, of = what.removeprefix("fold ").partition(" of ")
            known = what.startswith("fold ") and fold.isdigit() and of.isdigit()
            bar.update(
                step, description=what, completed=int(fold) if known else 0, total=int(of) if known else None
            )

        yield (
            progress,
            lambda done, every: bar.update(step, description="encoding", completed=done, total=every),
        )


def show(report: Mapping[str, Any]) -> None:
    """A report for a person."""
    typer.echo(f"version {report['version']}: {report['texts']} texts, {report['topics']} topics")
    how = "held out of training" if report["measured"] == "held out" else "each by a model of the other folds"
    typer.echo(f"measured on {report['measured_texts']} texts, {how}")
    for name in ("accuracy", "macro_f1", "calibration_error"):
        typer.echo(f"  {name.replace('_', ' '):24} {_figure(report[name])}")
    typer.echo(
        f"  at threshold {report['threshold']:.2f}        {_figure(report['answered_at_threshold'])} answered,"
        f" {_figure(report['right_of_answered'])} of them right"
    )
    for code, found in report["by_language"].items():
        typer.echo(
            f"  {code:24} accuracy {_figure(found['accuracy'])}, macro f1 {_figure(found['macro_f1'])}"
        )
    _table(
        "topic",
        ("examples", "measured", "precision", "recall", "f1"),
        report["by_topic"],
        lambda row: row["topic"],
    )
    if report["confusions"]:
        typer.echo("most confused")
        for row in report["confusions"][:_SHOWN]:
            typer.echo(f"  {row['times']:5}  {row['topic']} taken for {row['taken_for']}")
    _table(
        "confidence",
        ("texts", "confidence", "right"),
        report["calibration"],
        lambda row: f"{row['from']:.1f} to {row['to']:.1f}",
    )
    for name, told in (
        ("weak_topics", "weak, give more or clearer examples"),
        ("topics_with_few_examples", "fewer than ten examples"),
    ):
        if report[name]:
            typer.echo(f"{told}: {', '.join(report[name])}")
    if report["corrections"]:
        typer.echo(
            f"{report['corrections']} corrections; a model that had not seen the one asked about says"
            f" {_figure(report['corrections_right_unseen'])} of them as corrected"
        )
    for note in report.get("notes", ()):
        typer.echo(note)


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], name: Any) -> None:
    width = max([len(title), *(len(name(row)) for row in rows)]) if rows else len(title)
    typer.echo(f"{title:{width}}  " + "  ".join(f"{column:>10}" for column in columns))
    for row in rows:
        typer.echo(f"{name(row):{width}}  " + "  ".join(f"{_figure(row[column]):>10}" for column in columns))


def _figure(value: float | int | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
