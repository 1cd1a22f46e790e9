"""`centralino dead-letters`: look at messages that died, handle them again, let a stopped group go on."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from rich.console import Console
from rich.table import Table

from libs.contracts import message_type, unpack
from libs.runtime import ServiceDefinition
from libs.storage import Engines, UnitOfWork
from libs.streams import Log, Record
from libs.streams import dead_letters as letters
from services.operators.refusals import StillFailing
from services.operators.running import on_database, put_together
from services.registry import services

app = typer.Typer(no_args_is_help=True, help="Messages that could not be handled.")
_console = Console()


def _owners(name: str) -> Iterator[ServiceDefinition]:
    return (d for d in services() if not name or d.name == name)


@app.command("list")
def list_(
    service: Annotated[str, typer.Option(help="Only this service's.")] = "",
    after: Annotated[str, typer.Option(help="Id after which to go on.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Messages that died and were not handled since, and groups that stand still."""

    async def work(engines: Engines, _log: Log) -> None:
        async with engines.web.connect() as connection:
            table = Table("id", "group", "topic", "number", "type", "key", "error")
            for definition in _owners(service):
                for letter in await letters.page(connection, definition.name, after=after, limit=limit):
                    if as_json:
                        row = {"id": letter.id, "service": definition.name, "group": letter.group}
                        row |= {
                            "topic": letter.topic,
                            "partition": str(letter.partition),
                            "type": letter.type,
                        }
                        row |= {"number": str(letter.number), "key": letter.key, "error": letter.error}
                        typer.echo(json.dumps(row))
                    number = f"{letter.partition}/{letter.number}"
                    kind = letter.type.rsplit(".", 1)[-1]
                    table.add_row(
                        letter.id, letter.group, letter.topic, number, kind, letter.key, letter.error[:160]
                    )
                for group in {stream.group for stream in definition.streams}:
                    reason = await letters.stop_reason(connection, definition.name, group)
                    if reason and not as_json:
                        _console.print(f"[red]group {group} stands still:[/red] {reason}")
            if not as_json:
                _console.print(table if table.row_count else "no dead letters")

    on_database(work)


@app.command()
def show(letter_id: Annotated[str, typer.Argument(help="From `list`.")]) -> None:
    """One dead letter with its content. This prints what a customer wrote: mind who looks on."""

    async def work(engines: Engines, _log: Log) -> None:
        async with engines.web.connect() as connection:
            for definition in services():
                letter = await letters.find(connection, definition.name, letter_id)
                if letter is not None:
                    typer.echo(json.dumps(_content(letter), indent=2, ensure_ascii=False))
                    return
        raise typer.BadParameter(f"no dead letter has the id {letter_id}")

    on_database(work)


def _content(letter: letters.DeadLetter) -> dict[str, object]:
    content: object = "cannot be read"
    kind = message_type(letter.type)
    if kind is not None:
        try:
            content = MessageToDict(
                kind.FromString(unpack(letter.data).payload), preserving_proto_field_name=True
            )
        except (DecodeError, ValueError) as error:
            content = f"cannot be read: {error}"
    return {
        "id": letter.id,
        "group": letter.group,
        "topic": letter.topic,
        "partition": letter.partition,
        "number": letter.number,
        "type": letter.type,
        "key": letter.key,
        "state": letter.state,
        "died_at_ms": letter.died_at_ms,
        "error": letter.error,
        "content": content,
    }


@app.command()
def retry(letter_id: Annotated[str, typer.Argument(help="From `list`.")]) -> None:
    """Calls the one handler again; when it succeeds, the letter is closed in the same transaction, else it is kept."""

    async def work(engines: Engines, log: Log) -> None:
        for definition in services():
            async with engines.web.connect() as connection:
                letter = await letters.find(connection, definition.name, letter_id)
            if letter is None:
                continue
            if letter.state != "dead":
                raise typer.BadParameter(f"{letter_id} is {letter.state} already")
            assembled = put_together(definition, engines, log)
            processor = next(p for p in assembled.processors if p.group == letter.group)

            async def close(uow: UnitOfWork, schema: str = definition.name) -> None:
                await letters.mark_retried(uow.connection, schema, letter_id, uow.now_ms)

            record = Record(letter.topic, letter.partition, letter.number, -1, letter.data)
            await assembled.service.start()
            try:
                await processor.handle_again(record, close)
            except letters.HandledMeanwhile as error:
                raise typer.BadParameter(str(error)) from error
            except Exception as error:
                raise StillFailing(_still_failing(letter, error)) from error
            finally:
                await assembled.service.close()
            typer.echo(f"{letter_id} was handled")
            return
        raise typer.BadParameter(f"no dead letter has the id {letter_id}")

    on_database(work)


def _still_failing(letter: letters.DeadLetter, error: Exception) -> str:
    # Further lines of a database error show the row, with what a customer wrote.
    seen = next(iter(str(error).splitlines()), "")
    return (
        f"{letter.id} could not be handled by group {letter.group} and is kept: {type(error).__name__}: {seen}\n"
        f"Mend the cause (`centralino dead-letters show {letter.id}` prints the message), then retry it"
    )


@app.command()
def resume(group: Annotated[str, typer.Argument(help="The group that stands still.")]) -> None:
    """Lets a stopped group read again; a running host notices within a second."""

    async def work(engines: Engines, _log: Log) -> None:
        async with engines.web.begin() as connection:
            for definition in services():
                if await letters.resume_group(connection, definition.name, group):
                    typer.echo(f"{group} goes on")
                    return
        typer.echo(f"{group} was not stopped")

    on_database(work)
