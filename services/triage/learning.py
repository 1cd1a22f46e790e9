"""Corrections and promoted models reach every process: each process of the service looks every second for itself."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from services.triage.adapters.lessons import Reader
from services.triage.ports import Classifier, ClassifierUnavailable

_PAUSE_SECONDS: Final = 1.0
_log = structlog.get_logger()


async def run(
    reader: Reader, classifier: Classifier, in_use: Callable[[], object], stop: asyncio.Event
) -> None:
    """Teaches what is new and loads what is promoted, until `stop` is set. `in_use` tells models apart."""
    running = in_use()
    while not stop.is_set():
        await teach(reader, classifier)
        now = in_use()
        if now != running:
            running = now
            await _renew(classifier, now)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_SECONDS)


async def teach(reader: Reader, classifier: Classifier) -> None:
    """Once."""
    fresh = await reader.fresh()
    if fresh:
        await classifier.teach(fresh)


async def _renew(classifier: Classifier, now: object) -> None:
    try:
        await classifier.renew()
        _log.info("triage_model_renewed", model=str(now))
    except ClassifierUnavailable as error:
        _log.error("triage_model_not_loaded", why=str(error), action="the model before goes on")
