"""A real PostgreSQL for tests: TEST_DATABASE_URL if set, else one from the wheel; a fresh database for each use."""

import atexit
import itertools
import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from libs.storage import async_url
from libs.storage.embedded import EmbeddedPostgres

_numbers = itertools.count(1)
_server: EmbeddedPostgres | None = None
_templates: set[str] = set()


def server_url() -> str:
    """Address of the server's own database, on which others are made."""
    global _server
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    if _server is None:
        folder = Path(tempfile.mkdtemp(prefix="centralino-test-"))
        _server = EmbeddedPostgres(folder, fsync=False)
        _server.start()
        atexit.register(_end, _server, folder)
    return _server.url


def _end(server: EmbeddedPostgres, folder: Path) -> None:
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _named(name: str) -> str:
    return make_url(server_url()).set(database=name).render_as_string(hide_password=False)


async def _run(statement: str) -> None:
    engine = create_async_engine(async_url(server_url()), isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(statement)
    finally:
        await engine.dispose()


async def create_database(template: str = "template0") -> str:
    """Makes an empty database, or a copy of `template`, and returns its address."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await _run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return _named(name)


async def drop_database(url: str) -> None:
    """Removes a database of `create_database`, with whatever is connected to it."""
    await _run(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')
