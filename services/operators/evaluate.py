"""`centralino evaluate`: how good triage is on labelled files of anybody, scored here and with any other tool."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.triage.adapters.encoders import EncoderMissing, Encoders
from services.triage.adapters.evaluation.labels import Tier, Tools, evaluate_labels
from services.triage.adapters.evaluation.languages import evaluate_languages
from services.triage.adapters.evaluation.report import Evaluation, write_predictions
from services.triage.adapters.evaluation.retrieval import evaluate_retrieval
from services.triage.adapters.knowledge import HERE
from services.triage.adapters.labelled_files import Labelled, Row, UnreadableFile, read_labelled
from services.triage.adapters.language_detectors import open_detector
from services.triage.adapters.lexicon_files import load_lexicons
from services.triage.adapters.training.labels import TooFewLabels

_errors = Console(stderr=True)
_LEXICONS = ("en", "it", "ro", "ar", "fr", "pt", "es", "de")
_SHOWN_DIRTY = 20
_COUNTS = ("texts", "false_alarms", "out_of_scope_texts")
Task = Literal["topic", "language", "mood", "spam", "self_service", "oos", "retrieval"]


def evaluate(
    train: Annotated[Path, typer.Option(help="CSV or CSV.gz: text, label and, where known, lang.")],
    test: Annotated[Path, typer.Option(help="The same columns; never trained on.")],
    task: Annotated[
        Task, typer.Option(help="What the labels are. For retrieval, what is found by its label.")
    ] = "topic",
    shots: Annotated[
        int, typer.Option(min=0, help="Train on so many texts a label, drawn by the seed; 0: all.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of every drawing.")] = 1,
    tier: Annotated[
        Tier, typer.Option(help="Both tiers for every text, the cascade as it serves, or one tier alone.")
    ] = "vote",
    predictions: Annotated[
        Path,
        typer.Option(help="Where the predictions go: row (the first is 1), label, confidence, out_of_scope."),
    ] = Path("predictions.csv"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object in place of the table.")] = False,
) -> None:
    """Trains on one labelled file, measures on another, and writes every prediction."""
    needs_label = task != "language"
    try:
        first, second = (read_labelled(path, labels=needs_label) for path in (train, test))
    except UnreadableFile as error:
        raise typer.BadParameter(str(error)) from None
    for found in (first, second):
        tell_dirty(found)
        if not found.rows:
            raise typer.BadParameter(f"{found.path}: no usable row; every row needs a text and a label")
    rows = drawn(first.rows, shots, seed) if shots else list(first.rows)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=_errors,
        transient=True,
    ) as bar:
        step = bar.add_task("reading")
        tools = tools_of(None if task == "language" else "encoder")
        try:
            result = _evaluated(
                rows, second.rows, tools, task, tier, seed, lambda what: bar.update(step, description=what)
            )
        except TooFewLabels as error:
            raise typer.BadParameter(f"{train}: {error}") from None
    write_predictions(predictions, result.predictions)
    if as_json:
        typer.echo(json.dumps(document(result, first, second), ensure_ascii=False))
        return
    _show(result)
    _errors.print(f"{len(result.predictions)} predictions in {predictions}", soft_wrap=True)


def tools_of(encoder: str | None) -> Tools:
    """Encoders (none when not asked for or not installed, which is said), detector and lexicons."""
    encode = None
    if encoder is not None:
        try:
            encode = Encoders()
        except EncoderMissing as error:
            _errors.print(str(error), style="yellow", markup=False, soft_wrap=True)
    lexicons = dict(load_lexicons(HERE / "lexicon", _LEXICONS))
    return Tools(encode, open_detector(), lexicons)


def drawn(rows: Sequence[Row], shots: int, seed: int) -> list[Row]:
    """At most so many rows a label, in the order of the file."""
    source = np.random.default_rng(seed)
    kept: list[int] = []
    labels = np.array([row.label for row in rows], dtype=object)
    for label in sorted(set(labels)):
        mine = np.flatnonzero(labels == label)
        kept += source.permutation(mine)[:shots].tolist()
    return [rows[i] for i in sorted(kept)]


def tell_dirty(found: Labelled) -> None:
    """Names the rows that were passed over."""
    if not found.dirty:
        return
    total = len(found.rows) + len(found.dirty)
    _errors.print(
        f"{found.path}: {len(found.dirty)} of {total} rows passed over", style="yellow", soft_wrap=True
    )
    for one in found.dirty[:_SHOWN_DIRTY]:
        _errors.print(f"  {found.path}:{one.line}: {one.reason}", markup=False, soft_wrap=True)
    if len(found.dirty) > _SHOWN_DIRTY:
        _errors.print(f"  and {len(found.dirty) - _SHOWN_DIRTY} more")


def _evaluated(
    train: Sequence[Row],
    test: Sequence[Row],
    tools: Tools,
    task: Task,
    tier: Tier,
    seed: int,
    progress: Callable[[str], None],
) -> Evaluation:
    if task == "language":
        return evaluate_languages(train, test, tools, seed, progress)
    if task == "retrieval":
        return evaluate_retrieval(train, test, tools, progress)
    return evaluate_labels(train, test, tools, task, tier=tier, seed=seed, progress=progress)


def document(result: Evaluation, train: Labelled, test: Labelled) -> dict[str, object]:
    """The evaluation as one JSON object; what is not defined is null."""

    def plain(figures: dict[str, float]) -> dict[str, float | None]:
        return {
            name: None if math.isnan(value) else round(float(value), 6) for name, value in figures.items()
        }

    return {
        "task": result.task,
        **plain(dict(result.figures)),
        "by_language": {code: plain(dict(found)) for code, found in result.by_language.items()},
        "notes": list(result.notes),
        "dirty": {
            name: [{"line": one.line, "reason": one.reason} for one in found.dirty]
            for name, found in (("train", train), ("test", test))
        },
    }


def _show(result: Evaluation) -> None:
    for name, value in result.figures.items():
        shown = f"{value:,.0f}" if name in _COUNTS else f"{value:.4f}"
        typer.echo(f"{name.replace('_', ' '):45} {shown}")
    for code, figures in result.by_language.items():
        parts = [f"{name.replace('_', ' ')} {value:,.4g}" for name, value in figures.items()]
        typer.echo(f"  {code:4} {', '.join(parts)}")
    for note in result.notes:
        typer.echo(note)
