"""What conversations began with, counted by the hour from the decisions: the numbers that drift is found in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import Database, execute, fetch_all, fetch_one

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
DAYS: Final = 28
"""Of baseline, at most."""
REACH_DAYS: Final = 2 * DAYS
"""How far back baseline days are looked for, when some are left out."""
_LATE_MS: Final = 15 * 60_000
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Mix:
    """Counts by value of one signal."""

    days: list[Counter[str]]
    """Of the baseline, the newest first."""
    now: Counter[str]
    """Of the 24 hours that end with the hour at hand."""


@dataclass(frozen=True, slots=True)
class Span:
    """Times that are not the baseline's, half-open."""

    from_ms: int
    to_ms: int


async def count(database: Database) -> None:
    """Brings the counts up to now. Counting an hour again gives the same, so several processes may.

    Conversations count once, with their first message, so that one long talk is one observation; only requests do. A topic
    that a person set says nothing of the model's confidence.
    """
    now_ms = database.clock.now_ms()
    async with database.begin() as uow:
        schema, connection = database.schema, uow.connection
        row = await fetch_one(connection, f"SELECT max(hour_ms) FROM {schema}.mix")
        counted = row[0] if row is not None and row[0] is not None else now_ms - REACH_DAYS * DAY_MS
        # The hour before has had its last rows when a transaction that began in it is over.
        begin = min(counted, _hour(now_ms - _LATE_MS))
        await execute(
            connection,
            f"INSERT INTO {schema}.mix (hour_ms, signal, value, texts)"
            " SELECT d.decided_at_ms - d.decided_at_ms % 3600000, s.signal, s.value, count(*)"
            f" FROM {schema}.decisions d CROSS JOIN LATERAL (VALUES ('topic', d.topic), ('language', d.language),"
            " ('confidence', CASE WHEN d.topic_confidence < 1"
            " THEN to_char(floor(d.topic_confidence * 10) / 10, 'FM0.0') END)) AS s(signal, value)"
            " WHERE d.decided_at_ms >= $1 AND d.message_seq = 1 AND d.kind IN ('request', 'unsure')"
            " AND s.value IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            " ON CONFLICT (hour_ms, signal, value) DO UPDATE SET texts = excluded.texts",
            begin,
        )
        await execute(
            connection, f"DELETE FROM {schema}.mix WHERE hour_ms < $1", now_ms - (REACH_DAYS + 2) * DAY_MS
        )
        await uow.commit()


async def mixes(
    connection: AsyncConnection, schema: str, end_ms: int, left_out: dict[str, list[Span]]
) -> dict[str, Mix]:
    """By signal the 24 hours before `end_ms` and the days before them, without those that touch a span left out."""
    rows = await fetch_all(
        connection,
        f"SELECT signal, value, ($1::bigint - 1 - hour_ms) / {DAY_MS}, sum(texts)::bigint FROM {schema}.mix"
        f" WHERE hour_ms < $1 AND hour_ms >= $1::bigint - {(REACH_DAYS + 1) * DAY_MS} GROUP BY 1, 2, 3",
        end_ms,
    )
    found: dict[str, dict[int, Counter[str]]] = {}
    for signal, value, ago, texts in rows:
        found.setdefault(signal, {}).setdefault(int(ago), Counter())[value] += texts
    return {
        signal: Mix(
            [
                counts
                for ago, counts in sorted(days.items())
                if ago and not _touches(end_ms - (ago + 1) * DAY_MS, left_out.get(signal, ()))
            ][:DAYS],
            days.get(0, Counter()),
        )
        for signal, days in found.items()
    }


async def examples(
    connection: AsyncConnection, schema: str, signal: str, value: str, end_ms: int
) -> list[str]:
    """The newest conversations of the 24 hours before `end_ms` that began with a value."""
    matches = {
        "topic": "topic = $1",
        "language": "language = $1",
        "confidence": "topic_confidence < 1 AND to_char(floor(topic_confidence * 10) / 10, 'FM0.0') = $1",
    }[signal]
    rows = await fetch_all(
        connection,
        f"SELECT conversation_id FROM {schema}.decisions WHERE {matches} AND decided_at_ms >= $2 AND decided_at_ms < $3"
        " AND message_seq = 1 AND kind IN ('request', 'unsure')"
        " ORDER BY decided_at_ms DESC, conversation_id DESC, message_seq DESC LIMIT $4",
        value,
        end_ms - DAY_MS,
        end_ms,
        _EXAMPLES,
    )
    return [row[0] for row in rows]


async def model_versions(connection: AsyncConnection, schema: str, end_ms: int) -> tuple[str, str]:
    """Of the last decision before the 24 hours that end at `end_ms`, and of the last in them; empty where there is none."""
    versions = []
    for until in (end_ms - DAY_MS, end_ms):
        row = await fetch_one(
            connection,
            f"SELECT detail->>'model_version' FROM {schema}.decisions WHERE decided_at_ms < $1"
            " ORDER BY decided_at_ms DESC, conversation_id DESC, message_seq DESC LIMIT 1",
            until,
        )
        versions.append(str(row[0]) if row is not None else "")
    return versions[0], versions[1]


def window_end(now_ms: int) -> int:
    """The end of the hour at hand: days are counted back from here, so that each has the same hours."""
    return _hour(now_ms) + HOUR_MS


def _hour(at_ms: int) -> int:
    return at_ms - at_ms % HOUR_MS


def _touches(day_begin_ms: int, spans: Iterable[Span]) -> bool:
    return any(span.from_ms < day_begin_ms + DAY_MS and day_begin_ms < span.to_ms for span in spans)
