"""`centralino replay`."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import typer
from rich.console import Console

from services.routing.adapters.located_yaml import BadFile
from services.routing.simulation import recording as recordings
from services.routing.simulation.replay import decisions_of, first_difference

_errors = Console(stderr=True)
_DIFFERENT, _BAD = 1, 2


def replay(
    recording: Annotated[Path, typer.Argument(help="A file of `centralino record`: docs/routing.md.")],
    decisions: Annotated[Path | None, typer.Option(help="Write every decision here, a line each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of sentences.")] = False,
) -> None:
    """Runs recorded commands again from the recorded state and compares the decisions, byte for byte.

    Ends with 0 when they are the same, 1 when they differ, 2 when the file cannot be used.
    """
    try:
        known = recordings.read(recording)
        begun = process_time()
        made = decisions_of(known)
    except BadFile as bad:
        for fault in bad.faults:
            _errors.print(fault, style="red", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(_BAD) from None
    seconds = process_time() - begun
    if decisions is not None:
        decisions.write_text("".join(f"{text}\n" for text in made), encoding="utf-8")
    other = None if known.decisions is None else first_difference(known.decisions, made)
    if as_json:
        facts: dict[str, Any] = {
            "commands": len(known.given),
            "decisions": len(made),
            "compared": known.decisions is not None,
        }
        facts |= {"same": other is None, "cpu_seconds": round(seconds, 3)}
        if other is not None:
            told = {"place": other.place, "recorded": other.recorded, "replayed": other.replayed}
            facts |= {"first_difference": told}
        typer.echo(json.dumps(facts, ensure_ascii=False))
    elif other is not None:
        typer.echo(f"Decision {other.place} of {len(made)} is another one now.")
        typer.echo(f"recorded: {other.recorded or '(none)'}")
        typer.echo(f"replayed: {other.replayed or '(none)'}")
    elif known.decisions is None:
        typer.echo(
            f"{len(known.given):,} commands gave {len(made):,} decisions; none were recorded to compare."
        )
    else:
        typer.echo(f"{len(known.given):,} commands gave the same {len(made):,} decisions, byte for byte.")
    if other is not None:
        raise typer.Exit(_DIFFERENT)
