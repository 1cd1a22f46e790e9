"""`centralino ingest`: what is made of mails and payloads, and what could not be delivered."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from libs.runtime import PlatformSettings, SystemClock
from libs.storage import Database, Engines
from libs.streams import Log
from libs.web import NotFound, Problem
from services.embedded import data_folder
from services.ingest.adapters.credentials import reseal_file
from services.ingest.adapters.inspecting import inspect_mail, inspect_payload
from services.ingest.adapters.keys import add_raw_key, load_keys
from services.ingest.adapters.outreach_book import OutreachBook
from services.ingest.adapters.outreach_reader import read_file
from services.ingest.composing import renormaliser_of
from services.ingest.operations.renormalising import Outcome
from services.ingest.operations.resending import deliveries_of, notices_of, resend, resend_notice
from services.ingest.settings import DAY_MS, IngestSettings

app = typer.Typer(no_args_is_help=True, help="Mails, payloads and deliveries.")
_MOST_BYTES = 64 * 1024 * 1024
_PAGE = 500


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


@app.command()
def failed(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    after: Annotated[str, typer.Option(help="Id after which to go on.")] = "",
) -> None:
    """What could not be delivered, one JSON object a line: its id, conversation, channel and reason; webhooks out last."""
    from services.operators.running import on_database

    async def work(engines: Engines, log: Log) -> None:
        database = Database(engines, "ingest", SystemClock(), log)
        for one in await deliveries_of(database, "failed", after, limit):
            shown = {"delivery_id": one.delivery_id, "conversation_id": one.conversation_id}
            typer.echo(
                json.dumps({**shown, "channel": one.channel, "reason": one.reason}, ensure_ascii=False)
            )
        for notice in await notices_of(database, "failed", after, limit):
            told = {"webhook_id": notice.notice_id, "endpoint": notice.endpoint, "type": notice.type}
            typer.echo(json.dumps({**told, "reason": notice.reason}, ensure_ascii=False))

    on_database(work)


@app.command("resend")
def resend_(
    delivery_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="From `failed`.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All that failed, in place of ids; webhooks out too.")
    ] = False,
    channel: Annotated[str, typer.Option(help="With --all: only those of this channel.")] = "",
) -> None:
    """Puts failed deliveries on their way again. What is refused again fails again, with its reason."""
    from services.operators.running import on_database

    if bool(delivery_ids) == every:
        raise typer.BadParameter("name the deliveries by their ids, or say --all")

    async def work(engines: Engines, log: Log) -> None:
        database = Database(engines, "ingest", SystemClock(), log)
        for delivery_id in delivery_ids or await _failed_ids(database, channel):
            try:
                try:
                    await resend(database, delivery_id, None)
                except NotFound:
                    await resend_notice(database, delivery_id)
            except Problem as problem:
                raise typer.BadParameter(f"{delivery_id}: {problem.detail}") from None
            typer.echo(f"{delivery_id} is on its way again")

    on_database(work)


async def _failed_ids(database: Database, channel: str) -> list[str]:
    """Of everything that has failed until now: what fails again meanwhile is not taken twice."""
    found, after = [], ""
    while page := await deliveries_of(database, "failed", after, _PAGE):
        found += [one.delivery_id for one in page if channel in ("", one.channel)]
        after = page[-1].delivery_id
    after = ""
    while not channel and (told := await notices_of(database, "failed", after, _PAGE)):
        found += [one.notice_id for one in told]
        after = told[-1].notice_id
    return found


@app.command("outreach")
def outreach_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="YAML: rules, cap, quiet.")],
    put: Annotated[bool, typer.Option("--put", help="Put them in force, in place of all others.")] = False,
    note: Annotated[str, typer.Option(help="Why, for who looks later.")] = "",
) -> None:
    """Checks a file of rules for messages on events; a fault names the rule and the field."""
    from services.operators.running import on_database

    try:
        document = read_file(path)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not put:
        typer.echo(f"{len(document.get('rules', []))} rules are good; --put puts them in force")
        return

    async def work(engines: Engines, log: Log) -> None:
        book = OutreachBook(Database(engines, "ingest", SystemClock(), log))
        in_force = await book.newest()
        kept = await book.put(document, in_force.version, "command line", note)
        typer.echo(f"version {kept.version} is in force")

    on_database(work)


@app.command()
def renormalise(
    days: Annotated[
        float, typer.Option(min=0.001, max=90, help="How far back; payloads are kept for 7.")
    ] = 7,
) -> None:
    """Reads payloads again after a fault in their reading was mended: what had become nothing becomes a message, what
    reads otherwise is corrected in its thread. Any number of runs come to the same."""
    from services.operators.running import on_database

    async def work(engines: Engines, log: Log) -> Outcome:
        clock = SystemClock()
        database = Database(engines, "ingest", clock, log)
        renormaliser = renormaliser_of(database, data_folder(PlatformSettings()), IngestSettings())
        since_ms = clock.now_ms() - int(days * DAY_MS)
        total = await renormaliser.total(since_ms)
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("payloads", total=total)
            return await renormaliser.run(
                since_ms, lambda outcome: bar.update(task, completed=outcome.looked_at)
            )

    typer.echo(json.dumps(asdict(on_database(work))))


@app.command("rotate-credentials")
def rotate_credentials(
    new_key: Annotated[
        bool, typer.Option(help="Make a new key first; old ones still open what they sealed.")
    ] = True,
) -> None:
    """Seals every credential of the accounts file with the newest key, those in plain text too."""
    settings, folder = IngestSettings(), data_folder(PlatformSettings())
    if settings.accounts_file is None:
        raise typer.BadParameter(
            "set CENTRALINO_INGEST_ACCOUNTS_FILE to the file whose credentials are sealed"
        )
    raw, signing = settings.raw_key.get_secret_value(), settings.signing_key.get_secret_value()
    load_keys(folder, raw, signing)
    if new_key and not raw:
        add_raw_key(folder)
    sealer, _ = load_keys(folder, raw, signing)
    count = reseal_file(settings.accounts_file, sealer)
    typer.echo(f"{count} credentials are sealed with key {sealer.key_id}; start the services again to use it")
