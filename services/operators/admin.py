"""`centralino admin`: accounts that can sign in."""

from typing import Annotated

import typer
from rich.console import Console

from libs.runtime import SystemClock
from libs.storage import Database, Engines
from libs.streams import Log
from services.agent.operations import create_account

app = typer.Typer(no_args_is_help=True, help="The first accounts.")
_errors = Console(stderr=True)


@app.callback()
def _group() -> None:
    """The first accounts."""


@app.command()
def create(
    username: Annotated[
        str, typer.Argument(help="What the person signs in with; also their id as an agent.")
    ],
    role: Annotated[str, typer.Option(help="agent, supervisor or admin.")] = "admin",
    name: Annotated[str, typer.Option(help="What others see.")] = "",
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="CENTRALINO_PASSWORD"),
    ] = "",
) -> None:
    """Creates an account for `POST /agent/v1/sessions`. The password is asked for, or read from CENTRALINO_PASSWORD."""
    from services.operators.running import on_database

    async def work(engines: Engines, log: Log) -> None:
        database = Database(engines, "agent", SystemClock(), log)
        await create_account(database, username, password, role, name or username)

    try:
        on_database(work)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _errors.print(f"Account {username!r} with role {role} can sign in at POST /agent/v1/sessions.")
