"""Raw payloads leave after a week, the keys that recognise repeats after three months."""

import asyncio
import contextlib
from typing import Final

from libs.storage import Database, fetch_all
from libs.telemetry import get_logger
from services.ingest.domain.budget import day_of
from services.ingest.settings import DAY_MS, IngestSettings

_BATCH: Final = 1000
_EVERY_SECONDS: Final = 600.0
# What was never normalised stays until its key goes: a person may still mend and retry it.
_BLANK: Final = """
UPDATE ingest.raw_messages SET payload = NULL WHERE id IN (
    SELECT r.id FROM ingest.raw_messages r
    WHERE r.received_at_ms >= $1 AND r.received_at_ms < $2 AND r.payload IS NOT NULL
    AND EXISTS (SELECT 1 FROM ingest.thread_entries e WHERE e.ref_id = r.id AND e.kind = 'customer')
    LIMIT $3
) RETURNING id
"""
_DELETE: Final = """
DELETE FROM ingest.raw_messages WHERE id IN (
    SELECT id FROM ingest.raw_messages WHERE received_at_ms < $1 LIMIT $2
) RETURNING id
"""
_HOOKS: Final = """
DELETE FROM ingest.raw_hooks WHERE id IN (
    SELECT id FROM ingest.raw_hooks WHERE received_at_ms < $1 LIMIT $2
) RETURNING id
"""
_NOTICES: Final = """
DELETE FROM ingest.notices WHERE notice_id IN (
    SELECT notice_id FROM ingest.notices WHERE created_at_ms < $1 AND state = 'delivered' LIMIT $2
) RETURNING notice_id
"""
_OUTREACH: Final = """
DELETE FROM ingest.outreach WHERE outreach_id IN (
    SELECT outreach_id FROM ingest.outreach WHERE created_at_ms < $1 AND state <> 'waiting' LIMIT $2
) RETURNING outreach_id
"""
_KEYS: Final = """
DELETE FROM ingest.idempotency_keys WHERE (caller, route, key) IN (
    SELECT caller, route, key FROM ingest.idempotency_keys WHERE created_at_ms < $1 LIMIT $2
) RETURNING key
"""
_BUDGETS: Final = """
DELETE FROM ingest.auto_replies WHERE (channel, account, external_id, day) IN (
    SELECT channel, account, external_id, day FROM ingest.auto_replies WHERE day < $1 LIMIT $2
) RETURNING day
"""
_OLD_NOTICES: Final = """
DELETE FROM ingest.notices WHERE notice_id IN (
    SELECT notice_id FROM ingest.notices WHERE created_at_ms < $1 LIMIT $2
) RETURNING notice_id
"""
_log = get_logger("ingest")


class RawRetention:
    """Blanks and removes old raw messages, in small transactions."""

    def __init__(self, database: Database, settings: IngestSettings) -> None:
        self._database = database
        self._payload_ms = int(settings.raw_retention_days * DAY_MS)
        self._key_ms = int(max(settings.key_retention_days, settings.raw_retention_days) * DAY_MS)
        self._blanked_to_ms = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Sweeps every ten minutes until stopped."""
        while not stop.is_set():
            blanked, removed = await self.sweep()
            if blanked or removed:
                _log.info("raw_messages_expired", payloads=blanked, keys=removed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS):
                    await stop.wait()

    async def sweep(self) -> tuple[int, int]:
        """Removes all that is due now. Returns how many payloads were blanked and how many rows deleted."""
        now_ms = self._database.clock.now_ms()
        cutoff = now_ms - self._payload_ms
        # A day is looked at again, for what was late to be normalised.
        since = max(0, self._blanked_to_ms - DAY_MS)
        blanked = await self._repeat(_BLANK, since, cutoff)
        self._blanked_to_ms = cutoff
        await self._repeat(_HOOKS, cutoff)
        await self._repeat(_NOTICES, cutoff)
        await self._repeat(_OLD_NOTICES, now_ms - self._key_ms)
        await self._repeat(_OUTREACH, now_ms - self._key_ms)
        await self._repeat(_BUDGETS, day_of(now_ms))
        await self._repeat(_KEYS, now_ms - self._key_ms)
        return blanked, await self._repeat(_DELETE, now_ms - self._key_ms)

    async def _repeat(self, statement: str, *arguments: int) -> int:
        total = 0
        while True:
            async with self._database.begin() as uow:
                rows = await fetch_all(uow.connection, statement, *arguments, _BATCH)
                await uow.commit()
            total += len(rows)
            if len(rows) < _BATCH:
                return total
