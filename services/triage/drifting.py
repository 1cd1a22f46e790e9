"""Looks every few minutes whether what comes in is still what it used to be, and says so: an alarm and a metric."""

import asyncio
import contextlib
from typing import Final

import structlog

from libs.storage import Database
from libs.telemetry import metrics
from services.triage.adapters import mix
from services.triage.adapters.drift_alarms import Look, look, tell
from services.triage.domain.drift import Limits

_PAUSE_SECONDS: Final = 300.0
_log = structlog.get_logger()


async def run(database: Database, limits: Limits, stop: asyncio.Event) -> None:
    """Looks until `stop` is set."""
    while not stop.is_set():
        await once(database, limits)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)


async def once(database: Database, limits: Limits) -> Look:
    """Counts what has come since, judges it, and tells."""
    await mix.count(database)
    async with database.begin() as uow:
        seen = await look(uow.connection, database.schema, uow.now_ms, limits)
        await tell(uow.connection, database.schema, seen, limits)
        await uow.commit()
    for signal, verdict in seen.verdicts.items():
        drifting = verdict.state == "drifting" or (verdict.state != "steady" and signal in seen.open)
        metrics.triage_drift.labels(signal).set(verdict.distance.above_chance)
        metrics.triage_drifting.labels(signal).set(float(drifting))
        if verdict.state == "drifting" and signal not in seen.open:
            _log.warning(
                "triage_drift",
                signal=signal,
                index=round(verdict.distance.above_chance, 4),
                needed=round(verdict.needed(limits), 4),
                action="look at /triage/v1/drift/alarms",
            )
    return seen
