"""One partition whose database is backed up and restored: generations, cuts, and rows that are read back.

One relay and two readers. One keeps its position in the database of the log and is restored with it, the other keeps it
elsewhere and goes on as if nothing had happened. Crashes and take-overs are in `protocol`; here a restore may fall between
any two steps, and its back-up may be from between any two before it.
"""

from collections.abc import Iterator
from typing import NamedTuple

ROWS = 3
SENT = 5
RESTORES = 2


class Row(NamedTuple):
    """What a row carries on the wire. Two different events never have the same."""

    generation: int
    number: int


class Reader(NamedTuple):
    """A reader's position and what it has handled."""

    number: int = 0
    generation: int = 1
    offset: int = 0
    handled: tuple[Row, ...] = ()


class Database(NamedTuple):
    """What a back-up holds."""

    generation: int = 1
    rows: tuple[Row, ...] = ()
    relay_number: int = 0
    inside: Reader = Reader()
    cuts: tuple[tuple[int, int], ...] = ()
    """(the generation that began, the last true number of those before)"""


class State(NamedTuple):
    """Everything that lasts. `sent` is the relay's memory."""

    database: Database = Database()
    sent: int = 0
    topic: tuple[Row, ...] = ()
    outside: Reader = Reader()
    back_up: Database | None = None
    restores: int = 0
    lost: bool = False
    """A reader saw a jump and stopped."""


class Faults(NamedTuple):
    """Safeguards that are taken out."""

    no_new_generation: bool = False
    no_cut: bool = False
    generation_counted: bool = False
    """The next generation is counted from the one in the back-up, not taken from the clock."""
    no_reading_back: bool = False


def _read(reader: Reader, row: Row, cuts: tuple[tuple[int, int], ...]) -> Reader | None:
    """The reader behind a row; None when it jumps. As `Claims.fresh` decides."""
    behind = reader._replace(offset=reader.offset + 1)
    if (row.generation, row.number) <= (reader.generation, reader.number):
        return behind
    if any(row.generation < began and row.number > number for began, number in cuts):
        return behind
    leap = row.generation > reader.generation and all(began != row.generation for began, _ in cuts)
    if row.number > reader.number + 1 and not leap:
        return None
    return behind._replace(number=row.number, generation=row.generation, handled=(*reader.handled, row))


def _restored(state: State, faults: Faults, *, recover: bool) -> State:
    """The back-up in place of the database, in a generation of its own."""
    assert state.back_up is not None
    old = state.back_up
    began = old.generation + 1 if faults.generation_counted else 2 + state.restores
    if faults.no_new_generation:
        began = old.generation
    new = old._replace(generation=began)
    if recover:
        newest: dict[int, Row] = {}
        for row in state.topic:
            if faults.no_reading_back:
                break
            if row.number > len(old.rows) and row > newest.get(row.number, Row(0, 0)):
                newest[row.number] = row
        rows = (*old.rows, *(newest[number] for number in sorted(newest)))
        new = new._replace(rows=rows, relay_number=len(rows) if newest else old.relay_number)
    elif not faults.no_cut:
        new = new._replace(cuts=(*old.cuts, (began, len(old.rows))))
    return state._replace(database=new, sent=new.relay_number, restores=state.restores + 1)


def steps(state: State, faults: Faults, *, recover: bool) -> Iterator[State]:
    """Everything that may happen next. With `recover`, nobody reads in the database that is restored."""
    database = state.database
    if len(database.rows) < ROWS:
        row = Row(database.generation, len(database.rows) + 1)
        yield state._replace(database=database._replace(rows=(*database.rows, row)))
    if state.sent < len(database.rows) and len(state.topic) < SENT:
        yield state._replace(topic=(*state.topic, database.rows[state.sent]), sent=state.sent + 1)
    if state.sent > database.relay_number:
        yield state._replace(database=database._replace(relay_number=state.sent))
    for inside in (False,) if recover else (False, True):
        reader = database.inside if inside else state.outside
        if reader.offset < len(state.topic):
            after = _read(reader, state.topic[reader.offset], database.cuts if inside else ())
            if after is None:
                yield state._replace(lost=True)
            elif inside:
                yield state._replace(database=database._replace(inside=after))
            else:
                yield state._replace(outside=after)
    if state.back_up is None:
        yield state._replace(back_up=database)
    elif state.restores < RESTORES:
        yield _restored(state, faults, recover=recover)


def at_rest(state: State) -> bool:
    """Everything was sent and read."""
    rows, end = len(state.database.rows), len(state.topic)
    return state.database.relay_number == rows and state.outside.offset == end


def explore(faults: Faults, *, recover: bool) -> Iterator[State]:
    """Every state that can be reached within the bounds."""
    known, waiting = {State()}, [State()]
    while waiting:
        state = waiting.pop()
        yield state
        for after in steps(state, faults, recover=recover):
            if after not in known:
                known.add(after)
                waiting.append(after)
