"""Decisions hold words of customers: they leave after the time the operator sets."""

import asyncio
import contextlib
from typing import Final

from libs.storage import Database
from services.triage.adapters.queries import forget_decisions

_PAUSE_SECONDS: Final = 600
_DAY_MS: Final = 86_400_000


async def run(database: Database, days: float, stop: asyncio.Event) -> None:
    """Removes old decisions every ten minutes until `stop` is set."""
    while not stop.is_set():
        await forget_decisions(database, database.clock.now_ms() - int(days * _DAY_MS))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)
