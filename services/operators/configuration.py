"""`centralino config`: the whole directory as one YAML file."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import httpx
import typer
from rich.console import Console

from libs.runtime import PlatformSettings
from libs.web import TokenKeys, Tokens
from services.embedded import data_folder
from services.routing.adapters.located_yaml import BadFile
from services.routing.config.differences import Difference, differences
from services.routing.config.platform import PlatformDirectory, PlatformRefused, check_pool
from services.routing.config.reading import load
from services.routing.config.shapes import Configuration
from services.routing.config.writing import text_of

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="The whole directory as one YAML file.")
_errors = Console(stderr=True)
_TIMEOUT_S = 60.0
_TOKEN_S = 3600

File = Annotated[Path, typer.Argument(help="A configuration, YAML: docs/routing.md describes it.")]
Url = Annotated[str, typer.Option(help="The platform; without it the one on this machine.")]
Token = Annotated[
    str,
    typer.Option(envvar="CENTRALINO_TOKEN", help="A supervisor's; without it one is signed with --data."),
]
Data = Annotated[Path | None, typer.Option(help="The platform's data folder, to sign a token.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def check(file: File) -> None:
    """Says what is wrong with a file, each fault with line and reason, and ends with 2; 0 when nothing is."""
    configuration = _loaded(file)
    people = "people as they are" if configuration.agents is None else f"{len(configuration.agents)} agents"
    directory = configuration.directory
    typer.echo(f"{file}: good: {len(directory.teams)} teams, {len(directory.queues)} queues, {people}")


@app.command()
def diff(file: File, url: Url = "", token: Token = "", data: Data = None, as_json: AsJson = False) -> None:
    """Says what `apply` would change. Ends with 0 when nothing, with 1 when something would."""
    wanted = _loaded(file)

    async def work(platform: PlatformDirectory) -> list[Difference]:
        now = (await platform.read(wanted.pool_id)).configuration
        check_pool(now, wanted)
        return differences(now, wanted)

    found = _on_platform(work, url, token, data)
    _say(found, as_json)
    raise typer.Exit(1 if found else 0)


@app.command()
def apply(
    file: File,
    reason: Annotated[str, typer.Option(help="Why, for the audit.", max=500)] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = "",
    token: Token = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Makes a running platform as the file says. Run again it changes nothing; a run that was cut is run again."""
    wanted = _loaded(file)

    async def work(platform: PlatformDirectory) -> list[Difference]:
        running = await platform.read(wanted.pool_id)
        check_pool(running.configuration, wanted)
        found = differences(running.configuration, wanted)
        if found and not yes:
            _say(found, as_json=False, to_errors=True)
            typer.confirm("Change this?", abort=True, err=True)
        return await platform.apply(running, wanted, _progress if sys.stderr.isatty() else lambda _: None)

    _say(_on_platform(work, url, token, data, reason), as_json)


@app.command()
def export(
    to: Annotated[Path | None, typer.Argument(help="The file to write; without it standard output.")] = None,
    pool: Annotated[str, typer.Option(help="The pool; without it the first one.")] = "",
    url: Url = "",
    token: Token = "",
    data: Data = None,
) -> None:
    """Writes what a running platform has, as a file that `apply` takes."""

    async def work(platform: PlatformDirectory) -> Configuration:
        return (await platform.read(pool)).configuration

    text = text_of(_on_platform(work, url, token, data))
    if to is None:
        typer.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8")


def _loaded(file: Path) -> Configuration:
    try:
        return load(file)
    except BadFile as bad:
        for fault in bad.faults:
            _errors.print(fault, style="red", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(2) from None


def _on_platform(
    work: Callable[[PlatformDirectory], Awaitable[T]],
    url: str,
    token: str,
    data: Path | None,
    reason: str = "",
) -> T:
    settings = PlatformSettings(**({"data": data} if data else {}))  # type: ignore[arg-type]  # by name
    if not token:
        tokens = Tokens(TokenKeys.load_or_create(data_folder(settings) / "token-keys.json"))
        token = tokens.issue("config", "supervisor", _TOKEN_S)
    address = (url or f"http://127.0.0.1:{settings.port}").rstrip("/")

    async def run() -> T:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            base_url=f"{address}/routing", headers=headers, timeout=_TIMEOUT_S
        ) as client:
            return await work(PlatformDirectory(client, reason))

    try:
        return asyncio.run(run())
    except PlatformRefused as refused:
        _errors.print(str(refused), style="red", markup=False, soft_wrap=True, highlight=False)
        raise typer.Exit(2) from None


def _say(found: list[Difference], as_json: bool, to_errors: bool = False) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        typer.echo(str(one), err=to_errors)
    if not found:
        typer.echo("no difference", err=to_errors)


def _progress(what: str) -> None:
    _errors.print(f"changed: {what}", markup=False, highlight=False)
