"""`centralino topics`: what there is, and making it so on Kafka."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from libs.contracts import TOPICS
from libs.runtime import PlatformSettings
from libs.runtime.transports import broker_of

app = typer.Typer(help="The topics of the log, and their making on Kafka.")
_console = Console()


@app.callback(invoke_without_command=True)
def topics(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """The topics: who writes them, who reads them, how long rows stay."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        rows = [
            {
                "name": t.name,
                "purpose": t.purpose,
                "producer": t.producer,
                "consumers": list(t.consumers),
                "messages": list(t.messages),
                "key": t.key,
                "retention_days": t.retention_days,
                "compact": t.compact,
                "local": t.local,
            }
            for t in TOPICS.values()
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("topic", "written by", "read by", "key", "kept", "what")
    for t in TOPICS.values():
        kept = "newest of each key" if t.compact else f"{t.retention_days} days"
        name = f"{t.name} (local)" if t.local else t.name
        table.add_row(name, t.producer, ", ".join(t.consumers) or "anybody", t.key, kept, t.purpose)
    _console.print(table)


@app.command()
def apply(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a change, a line each.")] = False,
) -> None:
    """Makes the topics on Kafka and changes those that differ. Run again it changes nothing; nothing is removed."""
    settings = PlatformSettings()
    # Only where Kafka is used: its client takes a moment to load.
    from libs.streams.kafka_topics import apply_topics

    changes = asyncio.run(apply_topics(broker_of(settings), replication=settings.kafka_replication))
    for change in changes:
        typer.echo(
            json.dumps({"topic": change.topic, "change": change.what})
            if as_json
            else f"{change.topic}: {change.what}"
        )
    if not changes and not as_json:
        typer.echo("Every topic is as it should be; nothing was changed.")
