"""`centralino cluster`."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from libs.runtime import PlatformSettings
from libs.telemetry import configure_logging
from services.cluster.plan import replicas_of
from services.embedded import check_address, data_folder

if TYPE_CHECKING:
    from services.cluster.cluster import Cluster, Plan

_console = Console(stderr=True)
_LOOK_SECONDS = 2.0


def cluster(
    port: Annotated[int, typer.Option(help="Port of the gateway.")] = 8600,
    replicas: Annotated[
        list[str] | None,
        typer.Option(help="More processes of a service: triage=2. Can be given several times."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for data, keys and logs.")] = None,
) -> None:
    """The distributed way of running, as local processes: Kafka, PostgreSQL, one process a service, a gateway.

    Needs Java 17, Caddy and, the first time, Maven. DATABASE_URL and CENTRALINO_KAFKA_BOOTSTRAP, when set, name a
    database and a broker that run already.
    """
    # Kafka's client takes a moment to load, which no other command should pay for.
    from services.cluster.cluster import Plan

    configure_logging("warning", json_lines=False)
    try:
        counts = replicas_of(replicas or [])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--replicas") from None
    settings = PlatformSettings()
    check_address(settings.host, port)
    given = settings.kafka_bootstrap if "kafka_bootstrap" in settings.model_fields_set else ""
    folder = (data or data_folder(settings) / "cluster").resolve()
    asyncio.run(_run(Plan(folder, settings.host, port, counts, settings.database_url, given)))


async def _run(plan: "Plan") -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(_serve(plan, stop))
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, ended], return_when=asyncio.FIRST_COMPLETED)
    await starting


async def _serve(plan: "Plan", stop: asyncio.Event) -> None:
    from services.cluster.cluster import running

    async with running(plan, lambda text: _console.print(f"[dim]{text}[/dim]")) as made:
        _console.print(await _status(made))
        _console.print(f"[bold green]Centralino answers[/bold green] on {made.url}", soft_wrap=True)
        for name, what in (
            (
                "A token",
                f"CENTRALINO_DATA={made.data} .venv/bin/centralino token --role supervisor --subject me",
            ),
            ("The demo", f'make demo ARGS="--url {made.url} --data {made.data}"'),
            ("Stop", "Ctrl-C"),
        ):
            _console.print(f"  [bold]{name:<10}[/bold] {what}", soft_wrap=True, highlight=False)
        before = None
        while not stop.is_set():
            states = await made.states()
            if before is not None and states != before:
                _console.print(await _status(made))
            before = states
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue
        _console.print("[dim]stopping[/dim]")


async def _status(made: "Cluster") -> Table:
    states = await made.states()
    table = Table("process", "pid", "port", "restarts", "state", "log")
    ports = {member.name: str(member.port) for member in made.members} | {"gateway": str(made.plan.port)}
    for name, process in made.processes.items():
        state = states.get(name, "ready" if process.pid else "ended")
        table.add_row(
            name, str(process.pid or "-"), ports[name], str(process.restarts), state, str(process.log)
        )
    return table
