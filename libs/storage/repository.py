"""Tables as maps: a repository loads and saves many rows with one statement, an identity map holds them meanwhile."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from libs.storage.sql import run
from libs.storage.together import Statement, execute_together, fetch_together

V = TypeVar("V")
Row = Mapping[str, Any]

_ARRAYS: Sequence[tuple[type[TypeEngine[Any]], str]] = (
    (JSONB, "text"),
    (BigInteger, "bigint"),
    (SmallInteger, "smallint"),
    (Integer, "int"),
    (Boolean, "boolean"),
    (Float, "double precision"),
    (LargeBinary, "bytea"),
    (Text, "text"),
)


class NotLoaded(LookupError):
    """A row was asked for whose key was never loaded: the handler's `load` must name it."""


def _array_of(kind: TypeEngine[Any]) -> str:
    for candidate, name in _ARRAYS:
        if isinstance(kind, candidate):
            return name
    raise TypeError(
        f"column type {kind!r} cannot be saved by unnest: use one of Text, BigInteger, JSONB, ..."
    )


class TableRepository(Generic[V]):
    """Loads and saves the rows of one table as values.

    `key` columns are the table's primary key; a key is the value itself, or a tuple for several columns. Without
    `to_row` and `from_row` the fields of the dataclass are the columns. JSONB columns take and give what `json` knows.
    With `lock` the rows loaded are locked until the transaction ends, so that what is read can be changed safely.
    With `upsert` a row that was not loaded may exist: it is overwritten. `key` gives a value's key without its row.
    """

    def __init__(
        self,
        table: Table,
        value: type[V],
        to_row: Callable[[V], Row] | None = None,
        from_row: Callable[[Row], V] | None = None,
        *,
        lock: bool = True,
        upsert: bool = False,
        key: Callable[[V], Hashable] | None = None,
    ) -> None:
        self.name = f"{table.schema}.{table.name}"
        self._key_columns = [column.name for column in table.primary_key.columns]
        self._columns = [column.name for column in table.columns]
        self._json = {column.name for column in table.columns if isinstance(column.type, JSONB)}
        names = [column.name for column in fields(value)]  # type: ignore[arg-type]  # V is a dataclass by contract
        self._to_row = to_row or (lambda v: {name: getattr(v, name) for name in names})
        self._from_row = from_row or (lambda row: value(**row))
        self._plain_key = len(self._key_columns) == 1
        self._key = key
        types = {column.name: _array_of(column.type) for column in table.columns}
        keys = ", ".join(self._key_columns)
        key_arrays = ", ".join(f"${i}::{types[name]}[]" for i, name in enumerate(self._key_columns, 1))
        match = (
            f"{keys} = ANY({key_arrays})"
            if self._plain_key
            else f"({keys}) IN (SELECT * FROM unnest({key_arrays}))"
        )
        columns = ", ".join(self._columns)
        suffix = f" ORDER BY {keys} FOR UPDATE" if lock else ""
        self._load = f"SELECT {columns} FROM {self.name} WHERE {match}{suffix}"
        self._delete = f"DELETE FROM {self.name} WHERE {match}"
        arrays = ", ".join(f"${i}::{types[name]}[]" for i, name in enumerate(self._columns, 1))
        selected = ", ".join(f"{n}::jsonb" if n in self._json else n for n in self._columns)
        source = f"SELECT {selected} FROM unnest({arrays}) AS new({columns})"
        self._insert = f"INSERT INTO {self.name} ({columns}) {source}"
        changed = [name for name in self._columns if name not in self._key_columns]
        assign = ", ".join(
            f"{name} = new.{name}{'::jsonb' if name in self._json else ''}" for name in changed
        )
        if upsert and changed:
            excluded = ", ".join(f"{name} = excluded.{name}" for name in changed)
            self._insert += f" ON CONFLICT ({keys}) DO UPDATE SET {excluded}"
        on = " AND ".join(f"old.{name} = new.{name}" for name in self._key_columns)
        self._update = (
            f"UPDATE {self.name} AS old SET {assign} FROM unnest({arrays}) AS new({columns}) WHERE {on}"
            if changed
            else ""
        )

    def key_of(self, value: V) -> Hashable:
        """The key under which a value is kept."""
        if self._key is not None:
            return self._key(value)
        row = self._to_row(value)
        if self._plain_key:
            return row[self._key_columns[0]]  # type: ignore[no-any-return]  # a column's value
        return tuple(row[name] for name in self._key_columns)

    def _key_arrays(self, keys: Sequence[Any]) -> tuple[list[Any], ...]:
        if self._plain_key:
            return (list(keys),)
        return tuple([key[i] for key in keys] for i in range(len(self._key_columns)))

    def value_of(self, record: Sequence[Any]) -> V:
        """A value from a row whose columns stand in the table's order."""
        return self._from_row(dict(zip(self._columns, record, strict=True)))

    @property
    def columns(self) -> str:
        """The columns in order, for a SELECT whose rows go to `value_of`."""
        return ", ".join(self._columns)

    async def load_many(self, connection: AsyncConnection, keys: Iterable[Hashable]) -> dict[Hashable, V]:
        """The rows of these keys that exist, locked in the order of their keys."""
        wanted = set(keys)
        if not wanted:
            return {}
        loading = self.loading(wanted)
        return self.by_key(await run(connection, loading.text, loading.arguments))

    def loading(self, keys: Iterable[Hashable]) -> Statement:
        """What `load_many` runs; `by_key` reads its rows."""
        return Statement(self._load, self._key_arrays(_sorted(keys)))

    def by_key(self, records: Iterable[Sequence[Any]]) -> dict[Hashable, V]:
        """Values by their keys, from rows whose columns stand in the table's order."""
        values = [self.value_of(record) for record in records]
        return {self.key_of(value): value for value in values}

    def _value_arrays(self, values: Sequence[V]) -> tuple[list[Any], ...]:
        rows = [self._to_row(value) for value in values]
        return tuple(
            [None if row[name] is None else to_json(row[name]).decode() for row in rows]
            if name in self._json
            else [row[name] for row in rows]
            for name in self._columns
        )

    def inserting(self, values: Sequence[V]) -> Statement:
        """Inserts rows; an existing key is the database's IntegrityError."""
        return Statement(self._insert, self._value_arrays(values))

    def updating(self, values: Sequence[V]) -> Statement | None:
        """Overwrites existing rows; None where the key is all there is."""
        return Statement(self._update, self._value_arrays(values)) if self._update else None

    def deleting(self, keys: Sequence[Hashable]) -> Statement:
        """Removes rows; missing ones are no error."""
        return Statement(self._delete, self._key_arrays(_sorted(keys)))


def _sorted(keys: Iterable[Any]) -> list[Any]:
    return sorted(keys)


@dataclass(slots=True)
class Changes:
    """What is to be written of one or several tables: first the removals, then the rest."""

    removals: list[Statement] = field(default_factory=list)
    writes: list[Statement] = field(default_factory=list)

    async def write(self, connection: AsyncConnection) -> None:
        """At most two statements."""
        await execute_together(connection, self.removals)
        await execute_together(connection, self.writes)


@dataclass(frozen=True, slots=True)
class Want:
    """A row that a handler will need: the processor loads those of a whole batch at once."""

    rows: "Rows[Any]"
    key: Hashable


class Rows(Generic[V]):
    """The identity map of one table in one transaction."""

    def __init__(self, table: TableRepository[V], connection: AsyncConnection) -> None:
        self._table = table
        self._connection = connection
        self._stored: set[Hashable] = set()
        self._values: dict[Hashable, V | None] = {}
        self._changed: set[Hashable] = set()

    def want(self, key: Hashable) -> Want:
        """Names a row for a handler's `load`."""
        return Want(self, key)

    async def load(self, keys: Iterable[Hashable]) -> None:
        """Loads and locks the rows of keys that are not in the map yet."""
        await load_all([(self, keys)])

    def _missing(self, keys: Iterable[Hashable]) -> set[Hashable]:
        return {key for key in keys if key not in self._values}

    def _take(self, keys: Iterable[Hashable], records: Iterable[Sequence[Any]]) -> None:
        found = self._table.by_key(records)
        self._stored.update(found)
        for key in keys:
            self._values[key] = found.get(key)

    def get(self, key: Hashable) -> V | None:
        """The row, or None when there is none. Raises NotLoaded."""
        try:
            return self._values[key]
        except KeyError:
            raise NotLoaded(
                f"{self._table.name}: {key!r} was not loaded; name it in the handler's `load`"
            ) from None

    def put(self, value: V) -> None:
        """Inserts or changes a row. A row that was not loaded is taken to be new."""
        key = self._table.key_of(value)
        self._values[key] = value
        self._changed.add(key)

    def delete(self, key: Hashable) -> None:
        """Removes a row."""
        self._values[key] = None
        self._changed.add(key)

    async def save(self) -> None:
        """Writes what changed."""
        changes = Changes()
        self.collect(changes)
        await changes.write(self._connection)

    def collect(self, changes: Changes) -> None:
        """Adds at most one statement each for new, changed and removed rows, which from now on count as written."""
        if not self._changed:
            return
        keys = _sorted(self._changed)
        kept = [(key, value) for key in keys if (value := self._values[key]) is not None]
        new = [value for key, value in kept if key not in self._stored]
        old = [value for key, value in kept if key in self._stored]
        gone = [key for key in keys if self._values[key] is None and key in self._stored]
        if gone:
            changes.removals.append(self._table.deleting(gone))
        if new:
            changes.writes.append(self._table.inserting(new))
        if old and (update := self._table.updating(old)) is not None:
            changes.writes.append(update)
        self._stored.update(key for key, _ in kept)
        self._stored.difference_update(gone)
        self._changed = set()


async def load_all(wanted: Iterable[tuple[Rows[Any], Iterable[Hashable]]]) -> None:
    """Loads and locks rows of several tables of one transaction, those that are not in their maps yet, table by table."""
    missing = [(rows, keys) for rows, asked in wanted if (keys := rows._missing(asked))]
    if not missing:
        return
    statements = [rows._table.loading(keys) for rows, keys in missing]
    found = await fetch_together(missing[0][0]._connection, statements)
    for (rows, keys), records in zip(missing, found, strict=True):
        rows._take(keys, records)
