"""Alarms about drift: opened once, kept up to date while it lasts, closed when it is over or a person accepts it."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage import Database, fetch_all, fetch_one
from services.triage.adapters import mix
from services.triage.adapters.mix import DAY_MS, Span
from services.triage.domain.drift import RARE, SIGNALS, Limits, SignalName, Verdict, judge

_SHOWN = 8
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Alarm:
    """One time at which a signal was not as before."""

    alarm_id: str
    signal: SignalName
    opened_at_ms: int
    seen_at_ms: int
    closed_at_ms: int
    """0 while it lasts."""
    accepted_by: str
    """Who said that this is how it is from now on, or empty."""
    evidence: dict[str, Any]
    """As `evidence_of` has it, of the newest look while it was open."""


_COLUMNS = "alarm_id, signal, opened_at_ms, seen_at_ms, closed_at_ms, accepted_by, evidence"


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one time."""

    at_ms: int
    end_ms: int
    verdicts: Mapping[SignalName, Verdict]
    open: Mapping[SignalName, Alarm]
    """By signal."""


async def look(connection: AsyncConnection, schema: str, now_ms: int, limits: Limits) -> Look:
    """Every signal against its baseline: the days before, without those of an alarm that nobody accepted."""
    rows = await fetch_all(
        connection,
        f"SELECT {_COLUMNS} FROM {schema}.drift_alarms WHERE opened_at_ms > $1 OR closed_at_ms = 0",
        now_ms - (mix.REACH_DAYS + 2) * DAY_MS,
    )
    alarms = [_alarm(row) for row in rows]
    left_out: dict[str, list[Span]] = {}
    for alarm in alarms:
        begin = alarm.opened_at_ms - DAY_MS
        span = Span(0, begin) if alarm.accepted_by else Span(begin, alarm.closed_at_ms or _NEVER)
        left_out.setdefault(alarm.signal, []).append(span)
    still = {alarm.signal: alarm for alarm in alarms if not alarm.closed_at_ms}
    end_ms = mix.window_end(now_ms)
    found = await mix.mixes(connection, schema, end_ms, left_out)
    empty = mix.Mix([], Counter())
    verdicts = {
        signal: judge(
            found.get(signal, empty).days, found.get(signal, empty).now, limits, drifting=signal in still
        )
        for signal in SIGNALS
    }
    return Look(now_ms, end_ms, verdicts, still)


async def tell(connection: AsyncConnection, schema: str, seen: Look, limits: Limits) -> None:
    """Opens, renews and closes alarms. With too little to judge an open one stays as it is."""
    for signal, verdict in seen.verdicts.items():
        alarm = seen.open.get(signal)
        if verdict.state == "drifting":
            evidence = await evidence_of(connection, schema, signal, verdict, limits, seen.end_ms)
            await fetch_all(
                connection,
                f"INSERT INTO {schema}.drift_alarms (alarm_id, signal, opened_at_ms, seen_at_ms, evidence)"
                " VALUES ($1, $2, $3::bigint, $3::bigint, $4::text::jsonb) ON CONFLICT (signal) WHERE closed_at_ms = 0"
                " DO UPDATE SET seen_at_ms = excluded.seen_at_ms, evidence = excluded.evidence",
                f"{signal}-{seen.at_ms}",
                signal,
                seen.at_ms,
                json.dumps(evidence),
            )
        elif verdict.state == "steady" and alarm is not None:
            await _close(connection, schema, alarm.alarm_id, seen.at_ms, "")


async def evidence_of(
    connection: AsyncConnection, schema: str, signal: str, verdict: Verdict, limits: Limits, end_ms: int
) -> dict[str, Any]:
    """Which values moved, from what share to what, with conversations to read; and whether the model was changed."""
    before, now = await mix.model_versions(connection, schema, end_ms)
    moves = []
    for move in verdict.distance.moves[:_SHOWN]:
        grown = move.now > move.before and move.value != RARE
        moves.append(
            {
                "value": move.value,
                "before": round(move.before, 4),
                "now": round(move.now, 4),
                "part": round(move.part, 4),
                "conversations": await mix.examples(connection, schema, signal, move.value, end_ms)
                if grown
                else [],
            }
        )
    return {
        "index": round(verdict.distance.above_chance, 4),
        "needed": round(verdict.needed(limits), 4),
        "p_value": verdict.distance.p_value,
        "days": verdict.days,
        "conversations_before": verdict.before,
        "conversations_now": verdict.now,
        "moves": moves,
        "model_before": before,
        "model_now": now,
    }


async def accept(database: Database, alarm_id: str, who: str) -> Alarm | None:
    """Closes it: what it told is how things are from now on. One accepted before stays as it was; None = no such alarm."""
    async with database.begin() as uow:
        await _close(uow.connection, database.schema, alarm_id, uow.now_ms, who)
        row = await fetch_one(
            uow.connection,
            f"SELECT {_COLUMNS} FROM {database.schema}.drift_alarms WHERE alarm_id = $1",
            alarm_id,
        )
        await uow.commit()
    return _alarm(row) if row is not None else None


async def alarms(database: Database, after: tuple[int, str] | None, limit: int) -> list[Alarm]:
    """Newest first; `after` is the key of the last seen."""
    at_ms, alarm_id = after or (_NEVER, "")
    async with database.read() as connection:
        rows = await fetch_all(
            connection,
            f"SELECT {_COLUMNS} FROM {database.schema}.drift_alarms WHERE (opened_at_ms, alarm_id) < ($1::bigint, $2)"
            " ORDER BY opened_at_ms DESC, alarm_id DESC LIMIT $3",
            at_ms,
            alarm_id,
            limit,
        )
    return [_alarm(row) for row in rows]


async def _close(connection: AsyncConnection, schema: str, alarm_id: str, at_ms: int, who: str) -> None:
    await fetch_all(
        connection,
        f"UPDATE {schema}.drift_alarms SET closed_at_ms = CASE WHEN closed_at_ms = 0 THEN $2::bigint ELSE closed_at_ms END,"
        " accepted_by = CASE WHEN accepted_by = '' THEN $3::text ELSE accepted_by END WHERE alarm_id = $1",
        alarm_id,
        at_ms,
        who,
    )


def _alarm(row: tuple[Any, ...]) -> Alarm:
    alarm_id, signal, opened, seen, closed, accepted_by, evidence = row
    return Alarm(
        alarm_id,
        signal,
        opened,
        seen,
        closed,
        accepted_by,
        json.loads(evidence) if isinstance(evidence, str | bytes) else evidence,
    )
