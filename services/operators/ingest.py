"""`centralino ingest`: what is made of mails and payloads, and what could not be delivered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.runtime import PlatformSettings
from services.embedded import data_folder
from services.ingest.adapters.inspecting import inspect_mail, inspect_payload
from services.ingest.adapters.keys import load_keys
from services.ingest.settings import IngestSettings

app = typer.Typer(no_args_is_help=True)
_MOST_BYTES = 64 * 1024 * 1024


@app.callback()
def _group() -> None:
    """Mails, payloads and deliveries."""


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.is_file())
        elif path.exists():
            yield path
        else:
            raise typer.BadParameter(f"{path} is not there; give files or folders of mails")


def _signing_key() -> bytes:
    """The installation's, so that its own message ids are recognised; nothing is made when there is none."""
    settings = IngestSettings()
    given = settings.signing_key.get_secret_value()
    folder = data_folder(PlatformSettings())
    if given or (folder / "ingest-keys.json").exists():
        return load_keys(folder, settings.raw_key.get_secret_value(), given)[1].key
    return b""


@app.command()
def parse(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Raw mails, payloads, folders.")],
    channel: Annotated[
        str, typer.Option(help="mail, or the kind of account whose webhook sent the payload.")
    ] = "mail",
) -> None:
    """What is made of a mail or a payload, as JSON; for several files one object a line. Nothing is stored."""
    key = _signing_key()
    files = list(_files(paths))
    for path in files:
        if path.stat().st_size > _MOST_BYTES:
            raise typer.BadParameter(f"{path} has more than {_MOST_BYTES} bytes")
        data = path.read_bytes()
        try:
            found: Any = inspect_mail(data, key) if channel == "mail" else inspect_payload(channel, data)
        except ValueError as error:
            raise typer.BadParameter(f"{path}: {error}") from None
        if len(files) == 1:
            typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            typer.echo(json.dumps({"file": str(path), **found}, ensure_ascii=False))
