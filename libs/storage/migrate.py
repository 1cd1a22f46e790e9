"""Alembic migrations, one history for each schema, without an env.py for each."""

import asyncio
import importlib
import logging
from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from libs.storage.engine import async_url

_LOCK = 0x63656E7472616C69


def _upgrade(connection: Connection, folder: Path, schema: str, version_table: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(folder / "versions"))
    script = ScriptDirectory.from_config(config)

    def upgrade(revision: object, _context: object) -> object:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]  # alembic's own env.py hands it through

    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    connection.exec_driver_sql(f"SET LOCAL search_path TO {schema}, public")
    with EnvironmentContext(config, script, fn=upgrade) as environment:
        environment.configure(
            connection=connection,
            version_table=version_table,
            version_table_schema=schema,
            transactional_ddl=True,
        )
        environment.run_migrations()


async def migrate(url: str, histories: list[tuple[str, str, str]]) -> None:
    """Brings schemas to their newest version, all in one transaction, one process at a time.

    `histories` names (package with a `versions` folder, schema, version table), run in this order. Migrations find
    their schema first on the search path. Safe to run again. Blocks while another process migrates.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    engine = create_async_engine(async_url(url))
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            for package, schema, version_table in histories:
                module = importlib.import_module(package)
                folder = Path(next(iter(module.__path__)))
                await connection.run_sync(_upgrade, folder, schema, version_table)
    finally:
        await engine.dispose()


def migrate_now(url: str, histories: list[tuple[str, str, str]]) -> None:
    """`migrate` for programs without an event loop."""
    asyncio.run(migrate(url, histories))
