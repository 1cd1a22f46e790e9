"""Statements with numbered parameters, straight to the driver."""

from collections.abc import Sequence
from typing import Any, NoReturn, cast

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.ext.asyncio import AsyncConnection

Rows = list[tuple[Any, ...]]


async def run(connection: AsyncConnection, statement: str, arguments: Sequence[Any]) -> Rows:
    """The rows of a statement whose parameters are $1, $2, ...

    The adapter's coroutine is awaited here: `exec_driver_sql` would wrap it in a greenlet, a context and a result,
    which cost five times the statement itself. Transactions, prepared statements and errors stay SQLAlchemy's.
    """
    sync = connection.sync_connection
    if sync is None or sync.closed or sync.invalidated:
        result = await connection.exec_driver_sql(statement, tuple(arguments))
        return cast(Rows, result.fetchall() if result.returns_rows else [])
    adapted = cast(AsyncAdapt_asyncpg_connection, sync.connection.dbapi_connection)
    if not sync.in_transaction():
        sync.begin()
    cursor = cast(Any, adapted.cursor())
    try:
        await cursor._prepare_and_execute(statement, arguments)
    except BaseException as error:  # noqa: BLE001 - cancelled in the middle of an answer, a connection is thrown away too
        await connection.run_sync(_refuse, error, statement, arguments, cursor)
    return list(cursor._rows)


def _refuse(
    connection: Connection, error: BaseException, statement: str, arguments: Sequence[Any], cursor: Any
) -> NoReturn:
    """Turns an error of the driver into SQLAlchemy's, and gives up a connection that is lost."""
    try:
        raise error
    except BaseException as raised:  # noqa: BLE001 - raised again as SQLAlchemy's
        connection._handle_dbapi_exception(raised, statement, tuple(arguments), cursor, None)


async def fetch_all(connection: AsyncConnection, statement: str, *arguments: Any) -> Rows:
    """The rows of a statement whose parameters are $1, $2, ..."""
    return await run(connection, statement, arguments)


async def fetch_one(connection: AsyncConnection, statement: str, *arguments: Any) -> tuple[Any, ...] | None:
    """The first row, or None."""
    rows = await run(connection, statement, arguments)
    return rows[0] if rows else None


async def execute(connection: AsyncConnection, statement: str, *arguments: Any) -> None:
    """Runs a statement whose answer does not matter."""
    await run(connection, statement, arguments)
