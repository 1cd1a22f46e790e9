"""What leaves: superseded revisions of the feed, and the facts behind outcomes that cannot change any more."""

import asyncio
from dataclasses import dataclass
from typing import Final

from libs.storage import Database, UnitOfWork, execute, fetch_all
from libs.streams import is_transient
from libs.telemetry import get_logger
from services.analytics.settings import DAY_MS, AnalyticsSettings

_EVERY_SECONDS: Final = 600.0
_AT_ONCE: Final = 500
_log = get_logger("analytics.retention")


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one step took away."""

    revisions: int
    conversations: int
    more: bool
    """There may be more at once."""


async def run(database: Database, settings: AnalyticsSettings, stop: asyncio.Event) -> None:
    """Prunes now and then until told to stop."""
    while not stop.is_set():
        try:
            more = True
            while more and not stop.is_set():
                more = (await prune(database, settings)).more
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("prune_failed", error=str(error))
        try:
            async with asyncio.timeout(_EVERY_SECONDS):
                await stop.wait()
        except TimeoutError:
            continue


async def prune(database: Database, settings: AnalyticsSettings) -> Pruned:
    """One step, bounded whatever has piled up.

    The newest revision of an episode never leaves the feed, so whoever starts anew still gets the whole truth.
    """
    async with database.begin() as uow:
        looked_at, revisions = await _superseded(uow, uow.now_ms - int(settings.feed_days * DAY_MS))
        idle = await fetch_all(
            uow.connection,
            f"DELETE FROM {uow.schema}.conversations WHERE conversation_id IN ("
            f"SELECT conversation_id FROM {uow.schema}.conversations"
            " WHERE idle_from_ms > 0 AND idle_from_ms < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
            uow.now_ms - int(settings.facts_days * DAY_MS),
            _AT_ONCE,
        )
        await uow.commit()
    return Pruned(revisions, len(idle), looked_at == _AT_ONCE or len(idle) == _AT_ONCE)


async def _superseded(uow: UnitOfWork, before_ms: int) -> tuple[int, int]:
    """Looks once at each position as it grows old; returns how many it looked at and how many it removed."""
    feed = f"{uow.schema}.outcome_feed"
    (pruned,) = await fetch_all(
        uow.connection, f"SELECT position FROM {uow.schema}.feed_counter WHERE name = 'pruned' FOR UPDATE"
    )
    ((newest, count),) = await fetch_all(
        uow.connection,
        "SELECT max(position), count(*) FROM (SELECT position, published_at_ms"
        f" FROM {feed} WHERE position > $1 ORDER BY position LIMIT $2) AS next WHERE published_at_ms < $3",
        pruned[0],
        _AT_ONCE,
        before_ms,
    )
    if newest is None:
        return 0, 0
    removed = await fetch_all(
        uow.connection,
        f"DELETE FROM {feed} old WHERE position > $1 AND position <= $2 AND EXISTS ("
        f"SELECT 1 FROM {feed} newer WHERE newer.conversation_id = old.conversation_id"
        " AND newer.episode = old.episode AND newer.revision > old.revision) RETURNING 1",
        pruned[0],
        newest,
    )
    await execute(
        uow.connection, f"UPDATE {uow.schema}.feed_counter SET position = $1 WHERE name = 'pruned'", newest
    )
    return count, len(removed)
