"""The `centralino` command."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from libs.runtime import PlatformSettings, ServiceDefinition, describe
from libs.runtime.lifecycle import VERSION, ServiceHost, prepare_database
from libs.telemetry import configure_logging, recording_traces
from libs.web import TokenKeys, Tokens
from services.cluster.command import cluster
from services.demo.command import demo
from services.embedded import data_folder, run_embedded, with_database
from services.operators import admin, configuration, dead_letters, gaps, generations, ingest, topics
from services.operators.backup import backup
from services.operators.classify import classify_lines
from services.operators.evaluate import evaluate
from services.operators.faults import explain
from services.operators.record import record
from services.operators.tail import tail
from services.registry import SERVICES, service
from services.routing.simulation.command import simulate
from services.routing.simulation.replay_command import replay
from services.simulator.command import simulate_provider

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A switchboard for customer conversations. `run` starts all of it; settings are environment variables, listed by"
    " `run --print-config`.",
    pretty_exceptions_enable=False,
)
app.add_typer(admin.app, name="admin", help="The first accounts.")
app.add_typer(dead_letters.app, name="dead-letters", help="Messages that could not be handled.")
app.add_typer(
    generations.app,
    name="log",
    help="The log itself: after a database was restored, and where rows are missing.",
)
for command in (gaps.send_again, gaps.mend, gaps.accept_loss):
    generations.app.command()(command)
app.add_typer(configuration.app, name="config", help="The whole directory as one YAML file.")
app.add_typer(topics.app, name="topics", help="The topics of the log, and their making on Kafka.")
app.command()(demo)
app.command()(cluster)
app.command()(tail)
app.command()(backup)
app.command("classify")(classify_lines)
app.command()(evaluate)
app.command()(simulate)
app.command("simulate-provider")(simulate_provider)
app.add_typer(ingest.app, name="ingest", help="Mails, payloads and deliveries.")
app.command()(record)
app.command()(replay)
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
        ("API of each service", f"{address}/{SERVICES[0].name}/docs, and so on"),
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
        _print_config(SERVICES, platform)
        return
    _run(SERVICES, platform)


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
        asyncio.run(prepare_database(url, SERVICES))
    _errors.print("The database is at the newest version.")


def main() -> None:
    """Entry point: what an operator can mend is said in a sentence, without a trace."""
    try:
        app()
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        _errors.print(told, style="red", markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
