"""How much waits inside ingest, for the metrics: read every few seconds, and in the log's own count."""

import asyncio
import contextlib
from typing import Any, Final

from libs.contracts import PARTITIONS
from libs.storage import Database, fetch_all
from libs.streams import Log, TopicPartition
from libs.telemetry import metrics
from services.ingest.domain.model import ChannelName

_EVERY_SECONDS: Final = 5.0
_INBOX: Final = "ingest.inbox.v1"
_POSITIONS: Final = (
    "SELECT partition, number FROM ingest.positions WHERE topic = $1 AND group_name = 'ingest-normaliser'"
)
_WAITING: Final = """
SELECT channel, count(*) FROM ingest.deliveries WHERE state IN ('waiting', 'attempting') GROUP BY channel
"""


class Watch:
    """Keeps the gauges of ingest."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until stopped."""
        while not stop.is_set():
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS):
                    await stop.wait()

    async def look(self) -> None:
        """Reads both and sets the gauges."""
        async with self._database.read() as connection:
            positions: dict[Any, Any] = dict(await fetch_all(connection, _POSITIONS, _INBOX))
            waiting: dict[Any, Any] = dict(await fetch_all(connection, _WAITING))
        heads = {number: self._log.head(TopicPartition(_INBOX, number)) for number in range(PARTITIONS)}
        metrics.ingest_backlog.set(
            sum(max(0, head - positions.get(number, 0)) for number, head in heads.items())
        )
        for channel in ChannelName:
            metrics.deliveries_waiting.labels(channel).set(waiting.get(channel, 0))
