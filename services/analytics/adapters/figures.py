"""The figures of a period, counted by the database. Each is read by its own clock; see the labels in `api/figures.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import fetch_all
from services.analytics.domain.durations import GROWTH, Durations

DIMENSIONS: Final[Mapping[str, str]] = {
    "team": "team_id",
    "topic": "topic",
    "channel": "channel",
    "language": "language",
}
TOTAL: Final = None
"""The key under which the figures of all groups together stand."""
Key = str | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations with two percentiles."""

    n: int = 0
    sum_ms: int = 0
    median_ms: int | None = None
    p90_ms: int | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that is counted for one group."""

    opened: int = 0
    resolved: int = 0
    customers: int = 0
    reopened: int = 0
    delivered: int = 0
    responded: int = 0
    answers: int = 0
    good: int = 0
    score_sum: int = 0
    first_response_met: int = 0
    first_response_breached: int = 0
    resolution_met: int = 0
    resolution_breached: int = 0
    backlog: int = 0
    unanswered: int = 0
    oldest_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts and durations by group."""

    counts: dict[Key, dict[str, Any]] = field(default_factory=dict)
    wait: dict[Key, Spread] = field(default_factory=dict)
    first_response: dict[Key, Spread] = field(default_factory=dict)
    resolution: dict[Key, Spread] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def counted(self, key: Key) -> Counts:
        """The counts of a group."""
        return Counts(**self.counts.get(key, {}))

    @property
    def keys(self) -> list[str]:
        """The groups that have anything, in order."""
        spreads = (self.wait, self.first_response, self.resolution)
        keys = {key for known in (self.counts, *spreads) for key in known}
        return sorted(key for key in keys if key is not TOTAL)


_COUNTED: Final = (
    ("opened_at_ms", "count(*) AS opened"),
    (
        "resolved_at_ms",
        "count(*) AS resolved, count(*) FILTER (WHERE reopened) AS reopened,"
        " count(*) FILTER (WHERE survey_delivered) AS delivered,"
        " count(*) FILTER (WHERE survey_delivered AND csat_score > 0) AS responded",
    ),
    (
        "csat_answered_at_ms",
        "count(*) AS answers, count(*) FILTER (WHERE csat_score >= 4) AS good, sum(csat_score)::bigint AS score_sum",
    ),
    (
        "first_response_due_ms",
        "count(*) FILTER (WHERE first_response_state = 'met') AS first_response_met,"
        " count(*) FILTER (WHERE first_response_state = 'breached') AS first_response_breached",
    ),
    (
        "resolution_due_ms",
        "count(*) FILTER (WHERE resolution_state = 'met') AS resolution_met,"
        " count(*) FILTER (WHERE resolution_state = 'breached') AS resolution_breached",
    ),
)


async def read_figures(
    connection: AsyncConnection, schema: str, by: str, from_ms: int, to_ms: int, exact_rows: int
) -> Figures:
    """The figures of [from, to) by a dimension, and the backlog as it stands now. The connection holds one snapshot."""
    dimension = DIMENSIONS[by]
    counts: dict[Key, dict[str, Any]] = {}
    for clock, columns in _COUNTED:
        await _count(
            connection,
            f"SELECT {dimension} AS key, grouping({dimension}) AS together, {columns} FROM {schema}.all_episodes"
            f" WHERE {clock} >= $1 AND {clock} < $2 GROUP BY GROUPING SETS (({dimension}), ())",
            (from_ms, to_ms),
            counts,
        )
    await _count(
        connection,
        f"SELECT {dimension} AS key, grouping({dimension}) AS together,"
        " count(DISTINCT coalesce(p.person_id, nullif(e.customer_id, ''))) AS customers"
        f" FROM {schema}.all_episodes e LEFT JOIN {schema}.persons p ON p.customer_id = e.customer_id"
        f" WHERE resolved_at_ms >= $1 AND resolved_at_ms < $2 GROUP BY GROUPING SETS (({dimension}), ())",
        (from_ms, to_ms),
        counts,
    )
    await _count(
        connection,
        f"SELECT {dimension} AS key, grouping({dimension}) AS together, count(*) AS backlog,"
        " count(*) FILTER (WHERE first_reply_at_ms IS NULL) AS unanswered, min(opened_at_ms) AS oldest_ms"
        f" FROM {schema}.all_episodes WHERE resolved_at_ms = 0 GROUP BY GROUPING SETS (({dimension}), ())",
        (),
        counts,
    )
    spreads = [
        await _spread(connection, schema, dimension, value, clock, (from_ms, to_ms), exact_rows)
        for value, clock in (
            ("wait_ms", "assigned_at_ms"),
            ("first_response_ms", "first_reply_at_ms"),
            ("resolution_ms", "resolved_at_ms"),
        )
    ]
    rows = await fetch_all(connection, f"SELECT id, name FROM {schema}.labels WHERE kind = $1", by)
    names = {row[0]: row[1] for row in rows}
    return Figures(counts, spreads[0], spreads[1], spreads[2], names)


async def _count(
    connection: AsyncConnection, statement: str, arguments: tuple[Any, ...], into: dict[Key, dict[str, Any]]
) -> None:
    result = await connection.exec_driver_sql(statement, arguments)
    for row in result.mappings():
        values = {name: value for name, value in row.items() if name not in ("key", "together")}
        known = {name: value for name, value in values.items() if value is not None}
        into.setdefault(TOTAL if row["together"] else row["key"], {}).update(known)


async def _spread(
    connection: AsyncConnection,
    schema: str,
    dimension: str,
    value: str,
    clock: str,
    period: tuple[int, int],
    exact_rows: int,
) -> dict[Key, Spread]:
    source = (
        f"(SELECT {dimension} AS key, {value} AS value FROM {schema}.all_episodes"
        f" WHERE {clock} >= $1 AND {clock} < $2 AND {value} IS NOT NULL) AS known"
    )
    ((many,),) = await fetch_all(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT $3) AS first_ones",
        *period,
        exact_rows + 1,
    )
    if many > exact_rows:
        return await _from_histograms(connection, source, period)
    rows = await fetch_all(
        connection,
        "SELECT key, grouping(key), count(*), sum(value)::bigint, percentile_disc(0.5) WITHIN GROUP (ORDER BY value),"
        f" percentile_disc(0.9) WITHIN GROUP (ORDER BY value) FROM {source} GROUP BY GROUPING SETS ((key), ())",
        *period,
    )
    return {
        (TOTAL if together else key): Spread(n, total or 0, median, p90)
        for key, together, n, total, median, p90 in rows
    }


async def _from_histograms(
    connection: AsyncConnection, source: str, period: tuple[int, int]
) -> dict[Key, Spread]:
    rows = await fetch_all(
        connection,
        f"SELECT key, floor(ln(value + 1) / ln({GROWTH}))::int AS bucket, count(*), sum(value)::bigint"
        f" FROM {source} GROUP BY key, bucket",
        *period,
    )
    grouped: dict[Key, Durations] = {}
    for key, bucket, n, total in rows:
        grouped[key] = grouped.get(key, Durations()) + Durations(n, total, {bucket: n})
    together = Durations()
    for one in grouped.values():
        together += one
    grouped[TOTAL] = together
    return {
        key: Spread(one.n, one.sum_ms, one.percentile_ms(0.5), one.percentile_ms(0.9), exact=False)
        for key, one in grouped.items()
    }
