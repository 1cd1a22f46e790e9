"""Which rules are in force: those put over HTTP last, else those of the taxonomy's file. All versions are kept."""

import json
from dataclasses import dataclass
from typing import Any

import structlog

from libs.storage import Database, fetch_all, fetch_one
from services.triage.adapters.rules_reader import RulesError, read_rules
from services.triage.adapters.rules_writer import changes, plain_rules
from services.triage.domain.rules import Rule, RuleSet
from services.triage.domain.taxonomy import Taxonomy

_log = structlog.get_logger()


class StaleRules(Exception):
    """Somebody has put other rules since; `current` is the version in force."""

    def __init__(self, current: str) -> None:
        super().__init__(current)
        self.current = current


@dataclass(frozen=True, slots=True)
class Put:
    """One version: who put it, when, why, and what it changed."""

    version: int
    author: str
    note: str
    put_at_ms: int
    changes: dict[str, list[str]]


class RuleBook:
    """Reads the newest version at each call and builds its rules once."""

    def __init__(self, database: Database, taxonomy: Taxonomy) -> None:
        self._database = database
        self._taxonomy = taxonomy
        self._file = RuleSet(f"file:{taxonomy.version}", taxonomy.rules)
        self._newest = 0
        self._set = self._file

    async def current(self) -> RuleSet:
        """The rules in force. A stored version that does not fit the taxonomy (a topic is gone) is told in the log, and
        the file's rules hold."""
        async with self._database.read() as connection:
            row = await fetch_one(
                connection, f"SELECT coalesce(max(version), 0) FROM {self._database.schema}.rule_sets"
            )
            newest = int(row[0]) if row else 0
            if newest == self._newest:
                return self._set
            found = await fetch_one(
                connection,
                f"SELECT content FROM {self._database.schema}.rule_sets WHERE version = $1",
                newest,
            )
        try:
            self._set = RuleSet(str(newest), self.read(_json(found[0]) if found else []))
        except RulesError as error:
            _log.error("triage_rules_unusable", version=newest, why=str(error))
            self._set = self._file
        self._newest = newest
        return self._set

    def read(self, values: object) -> tuple[Rule, ...]:
        """Check and build rules for this taxonomy. Raises RulesError."""
        return read_rules(
            values, [topic.key for topic in self._taxonomy.topics], list(self._taxonomy.languages)
        )

    async def put(self, rules: tuple[Rule, ...], expected: RuleSet, author: str, note: str) -> RuleSet:
        """A new version after `expected`. Raises StaleRules when another one is in force."""
        number = int(expected.version) if expected.version.isdigit() else 0
        async with self._database.begin() as uow:
            row = await fetch_one(
                uow.connection,
                f"INSERT INTO {self._database.schema}.rule_sets (version, content, author, note, put_at_ms, changes)"
                " SELECT greatest($1::bigint, newest) + 1, $2::text::jsonb, $3, $4, $5, $6::text::jsonb FROM"
                f" (SELECT coalesce(max(version), 0) AS newest FROM {self._database.schema}.rule_sets) AS s"
                " WHERE newest = $1 OR $7 ON CONFLICT DO NOTHING RETURNING version",
                number,
                json.dumps(plain_rules(rules)),
                author,
                note,
                uow.now_ms,
                json.dumps(changes(expected.rules, rules)),
                # The newest stored version could not be used: what is in force is the file, whatever its number.
                number == 0 and self._newest > 0,
            )
            await uow.commit()
        if row is None:
            raise StaleRules((await self.current()).version)
        return await self.current()

    async def versions(self, before: int, limit: int) -> list[Put]:
        """Versions below `before`, newest first."""
        async with self._database.read() as connection:
            rows = await fetch_all(
                connection,
                f"SELECT version, author, note, put_at_ms, changes FROM {self._database.schema}.rule_sets"
                " WHERE version < $1 ORDER BY version DESC LIMIT $2",
                before,
                limit,
            )
        return [Put(row[0], row[1], row[2], row[3], _json(row[4])) for row in rows]

    async def version(self, number: int) -> list[dict[str, Any]] | None:
        """The rules of one version as they were put."""
        async with self._database.read() as connection:
            row = await fetch_one(
                connection,
                f"SELECT content FROM {self._database.schema}.rule_sets WHERE version = $1",
                number,
            )
        return _json(row[0]) if row else None


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value
