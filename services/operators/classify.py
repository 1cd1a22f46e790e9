"""`centralino classify`: lines in, one JSON object a line out, with every signal and why."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from services.triage.adapters.knowledge import HERE, Sources, load_knowledge, taxonomy_for
from services.triage.adapters.learning.versions import VersionError
from services.triage.adapters.model_file import ModelFileError
from services.triage.adapters.showing import shown
from services.triage.adapters.taxonomy_file import TaxonomyError, load_taxonomy
from services.triage.domain.classification import Query, classify_many
from services.triage.domain.decision import decide
from services.triage.domain.facts import Circumstances
from services.triage.domain.rules import RuleSet

_BLOCK = 64
_LONGEST_LINE = 1_000_000


def classify_lines(
    taxonomy: Annotated[
        Path | None, typer.Option(help="Topics, thresholds and rules, instead of the default.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of a trained model, instead of the default.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Repeat the text in each answer.")] = False,
    block: Annotated[
        int, typer.Option(min=1, max=4096, help="Lines read together; 1 answers each at once.")
    ] = _BLOCK,
) -> None:
    """Reads texts from standard input, one a line, and writes their signals as JSON, one object a line.

    An empty line is a text too. What is not UTF-8 is read as far as it can be.
    """
    try:
        known = load_taxonomy(taxonomy or taxonomy_for(model))
        rules = RuleSet(f"file:{known.version}", known.rules)
        knowledge = load_knowledge(Sources(known, model=model or HERE / "models"))
    except (TaxonomyError, ModelFileError, VersionError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    for lines in _blocks(sys.stdin.buffer, block):
        found = classify_many([Query(line) for line in lines], knowledge)
        for line, signals in zip(lines, found, strict=True):
            answer = shown(decide(signals, Circumstances(), rules))
            typer.echo(json.dumps(({"text": line} if text else {}) | answer, ensure_ascii=False))


def _blocks(source: BinaryIO, size: int) -> Iterator[list[str]]:
    lines: list[str] = []
    while line := source.readline(_LONGEST_LINE):
        lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
        if len(lines) >= size:
            yield lines
            lines = []
    if lines:
        yield lines
