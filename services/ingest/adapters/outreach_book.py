"""The rules of outreach in the database: every version that was put, the newest in force."""

from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from libs.storage import Database, fetch_all, fetch_one
from services.ingest.adapters.outreach_reader import read_book
from services.ingest.domain.outreach import Book

_NEWEST: Final = (
    "SELECT version, book, author, note, put_at_ms FROM ingest.outreach_rules ORDER BY version DESC LIMIT 1"
)
_VERSION: Final = "SELECT coalesce(max(version), 0) FROM ingest.outreach_rules"
_PUT: Final = """
INSERT INTO ingest.outreach_rules (version, book, author, note, put_at_ms)
SELECT $1, $2::jsonb, $3, $4, $5 WHERE $1 = (SELECT coalesce(max(version), 0) + 1 FROM ingest.outreach_rules)
ON CONFLICT DO NOTHING RETURNING version
"""


class StaleBook(Exception):
    """Somebody else has put rules since."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version of the rules as it was put."""

    version: int
    document: dict[str, Any]
    author: str
    note: str
    put_at_ms: int


NOTHING: Final = Kept(0, {"rules": []}, "", "", 0)


class OutreachBook:
    """Reads and puts the rules; what was read is remembered until another version is in force."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = Book(0, ())

    async def newest(self) -> Kept:
        """The version in force; version 0 has no rules."""
        async with self._database.read() as connection:
            row = await fetch_one(connection, _NEWEST)
        return Kept(*row) if row else NOTHING

    async def current(self, connection: Any) -> Book:
        """The rules in force, as this transaction sees them."""
        row = await fetch_one(connection, _VERSION)
        if row is not None and row[0] != self._book.version:
            newest = await fetch_one(connection, _NEWEST)
            assert newest is not None
            kept = Kept(*newest)
            self._book = read_book(kept.document, kept.version)
        return self._book

    async def put(self, document: dict[str, Any], after: int, author: str, note: str) -> Kept:
        """Puts checked rules in force as the version after `after`. Raises StaleBook."""
        async with self._database.begin() as uow:
            kept = Kept(after + 1, document, author, note, uow.now_ms)
            arguments = (kept.version, to_json(document).decode(), author, note, kept.put_at_ms)
            if not await fetch_all(uow.connection, _PUT, *arguments):
                raise StaleBook
            await uow.commit()
        return kept
