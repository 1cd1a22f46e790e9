"""Attainment by due date, counted by the database, and the way down to the promises behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all

DIMENSIONS: Final[Mapping[str, str]] = {
    "team": "team_id",
    "queue": "queue_id",
    "class": "urgency",
    "metric": "metric",
}
_OVERDUE: Final = "state = 'running' AND due_ms < $3"
"""Open and past due; at due itself it is still in time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which promises: due in [from, to), and of a team, queue, class or metric if named. `now_ms` tells what is overdue."""

    from_ms: int
    to_ms: int
    now_ms: int
    only: Mapping[str, str] = field(default_factory=dict)
    """By dimension."""

    def where(self) -> tuple[str, list[Any]]:
        """The condition over `promises` and its arguments: $1 to $3 are the three instants."""
        arguments: list[Any] = [self.from_ms, self.to_ms, self.now_ms]
        conditions = ["due_ms >= $1 AND due_ms < $2", f"(state IN ('met', 'breached') OR {_OVERDUE})"]
        for dimension, value in self.only.items():
            arguments.append(value)
            conditions.append(f"{DIMENSIONS[dimension]} = ${len(arguments)}")
        return " AND ".join(conditions), arguments


async def by_group(
    connection: AsyncConnection, schema: str, by: str, wanted: Wanted, after: str | None, limit: int
) -> list[tuple[str, int, int, int]]:
    """(group, met, breached, of these overdue and open) by the name of the group."""
    condition, arguments = wanted.where()
    key = DIMENSIONS[by]
    if after is not None:
        arguments.append(after)
        condition += f" AND {key} > ${len(arguments)}"
    arguments.append(limit)
    rows = await fetch_all(
        connection,
        f"SELECT {key}, count(*) FILTER (WHERE state = 'met'), count(*) FILTER (WHERE state <> 'met'),"
        f" count(*) FILTER (WHERE {_OVERDUE}) FROM {schema}.promises WHERE {condition}"
        f" GROUP BY {key} ORDER BY {key} LIMIT ${len(arguments)}",
        *arguments,
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def behind(
    connection: AsyncConnection, schema: str, wanted: Wanted, after: tuple[Any, ...] | None, limit: int
) -> list[tuple[Any, ...]]:
    """The promises that are counted, the first due first."""
    condition, arguments = wanted.where()
    order = "due_ms, conversation_id, metric, instance"
    if after is not None:
        arguments += after
        count = len(arguments)
        condition += f" AND ({order}) > (${count - 3}, ${count - 2}, ${count - 1}, ${count}::bigint)"
    arguments.append(limit)
    rows = await fetch_all(
        connection,
        f"SELECT {order}, episode, team_id, queue_id, urgency, state FROM {schema}.promises WHERE {condition}"
        f" ORDER BY {order} LIMIT ${len(arguments)}",
        *arguments,
    )
    return [tuple(row) for row in rows]
