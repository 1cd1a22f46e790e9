"""Timers: one row for each (kind, key), set and cancelled in the unit of work, delivered by `libs/streams` when due."""

from dataclasses import dataclass, field

from libs.contracts import partition_of
from libs.storage.together import Statement


@dataclass(slots=True)
class TimerChanges:
    """What a unit of work does to timers; the last word on a (kind, key) counts."""

    _set: dict[tuple[str, str], tuple[int, bytes, str]] = field(default_factory=dict)
    _cancelled: set[tuple[str, str]] = field(default_factory=set)

    def set(self, kind: str, key: str, due_at_ms: int, payload: bytes, traceparent: str) -> None:
        self._cancelled.discard((kind, key))
        self._set[kind, key] = (due_at_ms, payload, traceparent)

    def cancel(self, kind: str, key: str) -> None:
        self._set.pop((kind, key), None)
        self._cancelled.add((kind, key))

    def statements(self, schema: str) -> list[Statement]:
        """What writes the changes, at most two statements; from now on they count as written."""
        made = []
        if self._cancelled:
            gone = sorted(self._cancelled)
            text = (
                f"DELETE FROM {schema}.timers WHERE (kind, key) IN"
                " (SELECT * FROM unnest($1::text[], $2::text[]))"
            )
            made.append(Statement(text, ([kind for kind, _ in gone], [key for _, key in gone])))
            self._cancelled = set()
        if self._set:
            rows = sorted(self._set.items())
            text = (
                f"INSERT INTO {schema}.timers (kind, key, partition, due_at_ms, payload, traceparent)"
                " SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bytea[], $6::text[])"
                " ON CONFLICT (kind, key) DO UPDATE"
                " SET due_at_ms = excluded.due_at_ms, payload = excluded.payload, traceparent = excluded.traceparent"
            )
            arrays = (
                [kind for (kind, _), _ in rows],
                [key for (_, key), _ in rows],
                [partition_of(key) for (_, key), _ in rows],
                [due for _, (due, _, _) in rows],
                [payload for _, (_, payload, _) in rows],
                [traceparent for _, (_, _, traceparent) in rows],
            )
            made.append(Statement(text, arrays))
            self._set = {}
        return made
