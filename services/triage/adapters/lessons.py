"""Corrections on their way from the table to every classification process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from libs.storage import Database, fetch_all, fetch_one
from services.triage.domain.overlay import MOST, Lesson


@dataclass
class Lessons:
    """What the processes are told, in order. Each remembers how far it was told."""

    _all: list[tuple[int, Lesson]] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)
    _position: int = 0

    @property
    def position(self) -> int:
        """Of the newest; 0 before the first."""
        return self._position

    def add(self, lessons: Sequence[Lesson]) -> None:
        """Take in what is new; one that is known is no error."""
        for lesson in sorted(lessons, key=lambda one: one.number):
            if self._seen.get(lesson.source, -1) >= lesson.number:
                continue
            self._seen[lesson.source] = lesson.number
            self._position += 1
            self._all.append((self._position, lesson))
        if len(self._all) > 2 * MOST:
            newest = {lesson.source: (at, lesson) for at, lesson in self._all}
            self._all = sorted(newest.values(), key=lambda pair: pair[0])[-MOST:]
            self._seen = {lesson.source: lesson.number for _, lesson in self._all}

    def after(self, position: int, most: int) -> tuple[list[Lesson], int]:
        """At most so many that follow a position, and the position they reach."""
        found = [(at, lesson) for at, lesson in self._all if at > position][:most]
        return [lesson for _, lesson in found], found[-1][0] if found else self._position

    def refuse(self, lesson: Lesson) -> None:
        """Never tell this one again: it ends the process that reads it."""
        self._all = [(at, one) for at, one in self._all if one != lesson]


class Reader:
    """Reads the table of corrections, each once; several processes may read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._from = 0

    async def fresh(self) -> list[Lesson]:
        """Corrections since the last call, those of transactions still open then included; a few may come twice."""
        async with self._database.read() as connection:
            # Everything below this transaction has ended, so the statement after it sees all of it.
            row = await fetch_one(connection, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            assert row is not None
            rows = await fetch_all(
                connection,
                "SELECT number, conversation_id || '/' || message_id, text, language, topic"
                f" FROM {self._database.schema}.corrections WHERE transaction >= $1 ORDER BY number DESC LIMIT $2",
                self._from,
                MOST,
            )
        self._from = int(row[0])
        return [Lesson(*fields) for fields in reversed(rows)]
