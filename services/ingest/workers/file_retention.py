"""Files of customers leave when their time has passed; their names stay, with the state `expired`."""

import asyncio
import contextlib
from typing import Final

from libs.storage import BlobStore, Database, fetch_all
from libs.telemetry import get_logger
from services.ingest.adapters.uploads import Uploads

_BATCH: Final = 500
_EVERY_SECONDS: Final = 3600.0
# A file that is put by a message on its way now is not listed yet: it was put a short time ago.
_IDLE_S: Final = 3600.0
_DAY_MS: Final = 86_400_000
_EXPIRE: Final = """
WITH due AS (
    SELECT attachment_id, blob_key FROM ingest.attachments
    WHERE created_at_ms < $1 AND state <> 'expired' ORDER BY created_at_ms LIMIT $2 FOR UPDATE
), changed AS (
    UPDATE ingest.attachments a SET state = 'expired', reason = 'its retention has passed', source = ''
    FROM due WHERE a.attachment_id = due.attachment_id
)
SELECT blob_key FROM due
"""
_GONE: Final = """
SELECT DISTINCT e.blob_key FROM ingest.attachments e WHERE e.state = 'expired' AND e.blob_key <> ''
AND NOT EXISTS (
    SELECT 1 FROM ingest.attachments k WHERE k.blob_key = e.blob_key AND k.state <> 'expired'
) AND NOT EXISTS (SELECT 1 FROM ingest.uploads u WHERE u.blob_key = e.blob_key) LIMIT $1
"""
_FORGET: Final = """
UPDATE ingest.attachments SET blob_key = '' WHERE blob_key = ANY($1::text[]) AND state = 'expired'
RETURNING attachment_id
"""
_log = get_logger("ingest")


class FileRetention:
    """Expires files in small transactions, and removes content that no message shows any more."""

    def __init__(self, database: Database, blobs: BlobStore, days: float, idle_s: float = _IDLE_S) -> None:
        self._database = database
        self._blobs = blobs
        self._keep_ms = int(days * _DAY_MS)
        self._idle_s = idle_s
        self._uploads = Uploads(database, blobs, most_bytes=0)

    async def run(self, stop: asyncio.Event) -> None:
        """Sweeps every hour until stopped."""
        while not stop.is_set():
            expired, removed = await self.sweep()
            if expired:
                _log.info("files_expired", files=expired, contents=removed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS):
                    await stop.wait()

    async def sweep(self) -> tuple[int, int]:
        """Removes what is due now. Returns how many files expired and how many contents were removed."""
        cutoff, expired, removed = self._database.clock.now_ms() - self._keep_ms, 0, 0
        while rows := await self._changed(_EXPIRE, cutoff, _BATCH):
            expired += len(rows)
        # The content goes first: a kill in between finds the same keys again.
        while keys := [key for (key,) in await self._changed(_GONE, _BATCH)]:
            removed += await self._blobs.remove(keys, self._idle_s)
            await self._changed(_FORGET, keys)
        return expired, removed + await self._uploads.sweep(self._idle_s)

    async def _changed(self, statement: str, *arguments: object) -> list[tuple[str]]:
        async with self._database.begin() as uow:
            rows = await fetch_all(uow.connection, statement, *arguments)
            await uow.commit()
        return [(str(row[0]),) for row in rows]
