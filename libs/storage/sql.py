"""Statements with numbered parameters, straight to the driver."""

from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection


async def fetch_all(connection: AsyncConnection, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement whose parameters are $1, $2, ..."""
    result = await connection.exec_driver_sql(statement, arguments)
    return cast(list[tuple[Any, ...]], result.fetchall())


async def fetch_one(connection: AsyncConnection, statement: str, *arguments: Any) -> tuple[Any, ...] | None:
    """The first row, or None."""
    rows = await fetch_all(connection, statement, *arguments)
    return rows[0] if rows else None


async def execute(connection: AsyncConnection, statement: str, *arguments: Any) -> None:
    """Runs a statement whose answer does not matter."""
    await connection.exec_driver_sql(statement, arguments)
