"""`centralino models`: the versions of the triage model, which one is in use, what a new one would change."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from services.operators.suggestions import (
    ALIKE,
    check_named,
    grouped,
    named,
    waiting,
    write_suggestions,
)
from services.operators.train import FOLDER
from services.triage.adapters.label_file import load_labels
from services.triage.adapters.learning.tickets import text_key
from services.triage.adapters.learning.versions import (
    BEFORE,
    VersionError,
    Versions,
    read_examples,
    read_judged,
)
from services.triage.adapters.model_file import ModelFileError
from services.triage.domain.judged import Comparison, compare

app = typer.Typer(no_args_is_help=True, help="Versions of the triage model: compare, promote, roll back.")
_errors = Console(stderr=True)
_SHOWN = 20
OWN = "the model of the service"
Folder = Annotated[Path, typer.Option("--in", help="Folder of the versions.")]
Name = Annotated[str, typer.Argument(help="From `list`.")]
Json = Annotated[bool, typer.Option("--json", help="JSON in place of text.")]


@app.command("list")
def list_(folder: Folder = FOLDER, as_json: Json = False) -> None:
    """All versions, the oldest first; the one in use is marked."""
    versions = Versions(folder)
    try:
        used = versions.in_use()
    except VersionError as error:
        raise typer.BadParameter(str(error)) from None
    for name in versions.names():
        report = _report(versions, name)
        if as_json:
            typer.echo(
                json.dumps({"version": name, "in_use": used is not None and used.version == name, **report})
            )
            continue
        mark = "*" if used is not None and used.version == name else " "
        figures = ", ".join(
            f"{label} {report[key]}"
            for key, label in (("texts", "texts"), ("accuracy", "accuracy"), ("macro_f1", "macro f1"))
            if report.get(key) is not None
        )
        typer.echo(f"{mark} {name}  {figures}")


@app.command("compare")
def compare_(name: Name, folder: Folder = FOLDER, as_json: Json = False) -> None:
    """What would change if a version took the place of the one in use: both on the same texts that neither had seen."""
    versions = Versions(folder)
    try:
        used = versions.in_use()
        before = used.version if used is not None else ""
        found, texts = comparison(versions, before, name)
    except VersionError as error:
        raise typer.BadParameter(str(error)) from None
    _show(found, texts, before or OWN, name, as_json)


@app.command()
def promote(
    name: Name,
    folder: Folder = FOLDER,
    even_if_worse: Annotated[
        bool, typer.Option(help="Although it does worse on the frozen check set.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Takes a version into use, unless it does worse than the one in use on texts that neither had seen."""
    versions = Versions(folder)
    try:
        load_labels(versions.folder(name))
        used = versions.in_use()
        before = used.version if used is not None else ""
        if before != name:
            found, texts = comparison(versions, before, name)
            _show(found, texts, before or OWN, name, as_json)
            if found.worse and not even_if_worse:
                _errors.print(
                    f"Not promoted: {name} does worse than {before or OWN} on the frozen check set;"
                    " --even-if-worse promotes it all the same",
                    style="red",
                    soft_wrap=True,
                )
                raise typer.Exit(1)
        versions.promote(name)
    except (VersionError, ModelFileError) as error:
        raise typer.BadParameter(str(error)) from None
    _errors.print(f"{name} is in use", soft_wrap=True)


@app.command("roll-back")
def roll_back(folder: Folder = FOLDER) -> None:
    """Takes the version before into use again."""
    try:
        name = Versions(folder).roll_back()
    except VersionError as error:
        raise typer.BadParameter(str(error)) from None
    _errors.print(f"{name or OWN} is in use again", soft_wrap=True)


@app.command()
def suggest(
    to: Annotated[Path, typer.Option(help="Where the groups go: group, text, label, lang.")] = Path(
        "suggestions.csv"
    ),
    name: Annotated[
        list[str] | None,
        typer.Option(help="NUMBER=TOPIC: this group is that topic; may be given again and again."),
    ] = None,
    least: Annotated[int, typer.Option(min=2, help="Texts that make a group.")] = 5,
    alike: Annotated[
        float, typer.Option(min=0.3, max=0.99, help="Cosine from which texts are alike.")
    ] = ALIKE,
    as_json: Json = False,
) -> None:
    """Groups of messages that nobody could name: what may be new topics.

    Only a person accepts one, by --name or by writing a label into the file; `centralino train --add FILE` learns those
    that have one and passes the others over.
    """
    if not to.parent.is_dir():
        raise typer.BadParameter(f"--to {to}: there is no folder {to.parent}")
    try:
        accepted = named(name or [])
        messages = waiting()
        groups = grouped(messages, least, alike)
        check_named(accepted, groups)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    read = len({message.conversation_id for message in messages})
    if groups:
        write_suggestions(to, groups, accepted)
    if as_json:
        typer.echo(json.dumps([group.document(accepted) for group in groups], ensure_ascii=False))
        return
    for group in groups:
        label = accepted.get(group.number, "")
        typer.echo(
            f"{group.number}  {len(group.texts)} texts: {', '.join(group.words)}{f'  -> {label}' if label else ''}"
        )
        for text, _ in group.texts[:3]:
            typer.echo(f"     {' '.join(text.split())[:100]}")
    if not groups:
        why = f"fewer than {least} of them are alike; --least and --alike look for smaller and looser groups"
        _errors.print(
            f"Nothing to suggest: {read} conversations wait for a topic{f', and {why}' if read else ''}.",
            soft_wrap=True,
        )
        return
    _errors.print(
        f"{len(groups)} groups of {read} conversations without a topic in {to}. Accept one: write a topic into its column"
        f" `label`, or --name {groups[0].number}=TOPIC; then `centralino train --add {to}`",
        markup=False,
        soft_wrap=True,
    )


def comparison(versions: Versions, before: str, after: str) -> tuple[Comparison, dict[str, dict[str, str]]]:
    """The comparison, and by key the texts that changed with what each version says. Raises VersionError.

    `before` is empty for the service's own model, which is compared with only where the version was made from its set.
    """
    new = read_judged(versions.folder(after))
    if before:
        old = read_judged(versions.folder(before))
    else:
        there = (versions.folder(after) / BEFORE).exists()
        old = read_judged(versions.folder(after), BEFORE) if there else []
    found = compare(old, new)
    texts = {text_key(e.text): e.text for e in read_examples(versions.folder(after))}
    first, second = {j.key: j for j in old}, {j.key: j for j in new}
    changed = {
        key: {
            "text": texts.get(key, ""),
            "label": second[key].label,
            "before": first[key].said,
            "after": second[key].said,
        }
        for key in (*found.gained, *found.lost)
    }
    return found, changed


def _show(
    found: Comparison, texts: dict[str, dict[str, str]], before: str, after: str, as_json: bool
) -> None:
    if as_json:
        document: dict[str, Any] = {
            "before": {"version": before, **found.before},
            "after": {"version": after, **found.after},
            "worse": found.worse,
            "gained": [texts[key] for key in found.gained],
            "lost": [texts[key] for key in found.lost],
        }
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    if not found.texts:
        typer.echo(f"{before} and {after} have no text in common to be compared on")
        return
    typer.echo(f"on {found.texts} texts that neither had seen      before   after")
    for name in ("accuracy", "macro_f1", "calibration_error"):
        typer.echo(f"  {name.replace('_', ' '):38} {found.before[name]:.4f}  {found.after[name]:.4f}")
    for title, keys in (("became right", found.gained), ("became wrong", found.lost)):
        typer.echo(f"{len(keys)} {title}")
        for key in keys[:_SHOWN]:
            one = texts[key]
            said = one["before"] if title == "became right" else one["after"]
            typer.echo(f"  {one['label']} (was taken for {said}): {' '.join(one['text'].split())[:90]}")


def _report(versions: Versions, name: str) -> dict[str, Any]:
    try:
        found = json.loads((versions.folder(name) / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        key: found.get(key)
        for key in ("texts", "topics", "measured", "accuracy", "macro_f1", "calibration_error")
    }
