"""The `centralino` command."""

import asyncio
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from libs.runtime import PlatformSettings, ServiceDefinition, describe
from libs.runtime.assembly import VERSION, prepare_database
from libs.runtime.lifecycle import ServiceHost
from libs.telemetry import configure_logging, recording_traces
from libs.web import TokenKeys, Tokens
from services.embedded import data_folder, run_embedded, with_database
from services.operators.faults import explain
from services.registry import NAMES, service, services

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A switchboard for customer conversations. `run` starts all of it; settings are environment variables, listed by"
    " `run --print-config`.",
    pretty_exceptions_enable=False,
)
LATE = {
    "admin": "services.operators.admin:app",
    "dead-letters": "services.operators.dead_letters:app",
    "log": "services.operators.log:app",
    "topics": "services.operators.topics:app",
    "config": "services.operators.configuration:app",
    "demo": "services.demo.command:demo",
    "cluster": "services.cluster.command:cluster",
    "tail": "services.operators.tail:tail",
    "backup": "services.operators.backup:backup",
    "erase": "services.operators.erase:erase",
    "classify": "services.operators.classify:classify_lines",
    "evaluate": "services.operators.evaluate:evaluate",
    "train": "services.operators.train:train",
    "models": "services.operators.models:app",
    "simulate": "services.routing.simulation.command:simulate",
    "simulate-provider": "services.simulator.command:simulate_provider",
    "ingest": "services.operators.ingest:app",
    "record": "services.operators.record:record",
    "replay": "services.routing.simulation.replay_command:replay",
}
"""Commands and groups of commands, and where they are. Only the one that runs is read: a service that starts needs nothing
of what training or a demo needs."""
_console = Console()
_errors = Console(stderr=True)
_ROLES = ("customer", "agent", "supervisor", "admin", "service")


def _print_config(definitions: tuple[ServiceDefinition, ...], platform: PlatformSettings) -> None:
    document: dict[str, Any] = {"platform": describe(platform)}
    document |= {definition.name: describe(definition.settings()) for definition in definitions}
    _console.print_json(json.dumps(document))


async def _say_where(host: ServiceHost) -> None:
    """What is where, how to get a token, how to stop."""
    address = host.address
    _errors.print("[bold green]Centralino answers.[/bold green]")
    for name, place in (
        ("API of each service", f"{address}/{NAMES[0]}/docs, and so on"),
        ("API of all", f"{address}/docs"),
        ("Customers write", f"POST {address}/ingest/v1/messages"),
        ("Agent feed (SSE)", f"{address}/routing/v1/feed"),
        ("Survey page", f"{address}/survey/v1/s/{{token}}"),
        ("Outcome feed", f"{address}/analytics/v1/outcomes?after=&wait=30"),
        ("Metrics, health", f"{address}/metrics, {address}/readyz"),
        ("A token", ".venv/bin/centralino token --role supervisor --subject me"),
        ("A sign-in account", ".venv/bin/centralino admin create NAME"),
        ("Stop", "Ctrl-C"),
    ):
        # An address that is cut or folded cannot be copied.
        _errors.print(f"  [bold]{name:<20}[/bold] {place}", soft_wrap=True, highlight=False)


def _run(definitions: tuple[ServiceDefinition, ...], platform: PlatformSettings) -> None:
    configure_logging(platform.log_level, json_lines=platform.log_json)
    import uvloop

    # Read here already: a wrong one is told before a database is started.
    settings = {definition.name: definition.settings() for definition in definitions}
    with recording_traces(VERSION):
        uvloop.run(run_embedded(definitions, platform, ready=_say_where, service_settings=settings))


@app.command()
def run(
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    print_config: Annotated[
        bool, typer.Option(help="Print every setting with its meaning, and end.")
    ] = False,
) -> None:
    """All six services in this process, with a database of their own unless DATABASE_URL is set."""
    given = {name: value for name, value in (("port", port), ("host", host)) if value is not None}
    platform = PlatformSettings(**given)  # type: ignore[arg-type]  # fields by name
    if print_config:
        _print_config(services(), platform)
        return
    _run(services(), platform)


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help="ingest, triage, routing, agent, survey or analytics.")],
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    print_config: Annotated[
        bool, typer.Option(help="Print every setting with its meaning, and end.")
    ] = False,
) -> None:
    """One service in this process, on the database of DATABASE_URL."""
    try:
        definition = service(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    platform = PlatformSettings(**({"port": port} if port is not None else {}))  # type: ignore[arg-type]  # by name
    if print_config:
        _print_config((definition,), platform)
        return
    if not platform.database_url:
        raise typer.BadParameter("one service alone shares its database with the others: set DATABASE_URL")
    _run((definition,), platform)


@app.command()
def token(
    role: Annotated[str, typer.Option(help="One of customer, agent, supervisor, admin, service.")] = "agent",
    subject: Annotated[str, typer.Option(help="Whom it stands for: an agent's id, a service's name.")] = "me",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="How long it is good.")] = 12,
    data: Annotated[Path | None, typer.Option(help="The data folder of the installation.")] = None,
) -> None:
    """A bearer token, signed with the installation's key. Prints nothing else, so that it can be used in $(...)."""
    if role not in _ROLES:
        raise typer.BadParameter(f"got {role!r}; expected one of {', '.join(_ROLES)}")
    platform = PlatformSettings(**({"data": data} if data else {}))  # type: ignore[arg-type]  # by name
    tokens = Tokens(TokenKeys.load_or_create(data_folder(platform) / "token-keys.json"))
    typer.echo(tokens.issue(subject, role, int(hours * 3600)))  # type: ignore[arg-type]  # checked above


@app.command()
def migrate() -> None:
    """Brings the database to the newest version. Safe to run again."""
    platform = PlatformSettings()
    with with_database(platform) as url:
        asyncio.run(prepare_database(url, services()))
    _errors.print("The database is at the newest version.")


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """The commands that the arguments can mean: the own ones and the one they name, or all where they name none."""
    named = next((word for word in arguments if not word.startswith("-")), "")
    own = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    for name in [named] if named in LATE else [] if named in own else LATE:
        module, _, part = LATE[name].partition(":")
        found = getattr(import_module(module), part)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def main() -> None:
    """Entry point: what an operator can mend is said in a sentence, without a trace."""
    try:
        command_line(sys.argv[1:])()
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        _errors.print(told, style="red", markup=False, soft_wrap=True)
        sys.exit(1)
