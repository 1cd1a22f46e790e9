"""`centralino backup`: the embedded database in a file, which another PostgreSQL can take in."""

from pathlib import Path
from typing import Annotated

import typer

from libs.runtime import PlatformSettings
from libs.storage.embedded import EmbeddedPostgres
from services.embedded import data_folder, with_database


def backup(
    file: Annotated[Path, typer.Argument(help="Made, readable by its owner alone; must not be there.")],
) -> None:
    """The embedded database in one file, for `pg_restore`; also while the host runs. Keys are not in it: copy them too."""
    settings = PlatformSettings()
    if settings.database_url:
        raise typer.BadParameter("DATABASE_URL names a server of your own: use its pg_dump")
    if file.exists():
        raise typer.BadParameter(f"{file} is there already")
    with with_database(settings):
        file.touch(mode=0o600)
        EmbeddedPostgres(data_folder(settings), fsync=settings.fsync).dump(file)
    typer.echo(
        f"{file}: {file.stat().st_size:,} bytes; keep the *-keys.json of {data_folder(settings)} beside it"
    )
