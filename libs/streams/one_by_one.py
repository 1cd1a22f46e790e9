"""What is done with a batch that failed: run message by message, it shows the bad one, and the others commit."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog

from libs.primitives import Clock
from libs.storage import Database
from libs.streams import dead_letters
from libs.streams.batch import Context, Decoded, prepare, run_timers
from libs.streams.claims import Claims
from libs.streams.errors import (
    UNIQUE_VIOLATION,
    Fenced,
    Stop,
    TooManyDead,
    is_transient,
    sqlstate_of,
)
from libs.streams.observe import StreamMetrics
from libs.streams.router import StreamRouter
from libs.streams.steps import Step, Steps
from libs.streams.timers import DueTimers

Ctx = TypeVar("Ctx")
_log = structlog.get_logger()

_RACE_ATTEMPTS: Final = 5
_PUT_OFF_MS: Final = 60_000


@dataclass(frozen=True, kw_only=True)
class OneByOne(Generic[Ctx]):
    """Runs what a processor's batch held one at a time, each in a transaction of its own.

    A message that fails becomes a dead letter and the position moves past it; a timer that fails is put off by a
    minute. What may pass by itself (`is_transient`), Fenced and Stop come out as they are, and what has been committed
    stays; TooManyDead when the breaker says so.
    """

    router: StreamRouter[Ctx]
    context: Context[Ctx]
    resources: Any
    database: Database
    claims: Claims
    timers: DueTimers
    timer_topic: str
    """The topic whose partitions own the timers."""
    breaker: dead_letters.Breaker
    metrics: StreamMetrics
    clock: Clock
    steps: Steps
    transact: Callable[[Sequence[Decoded[Any]]], Awaitable[int]]
    """Everything of these messages in one transaction, as the processor does it."""

    async def run(self, decoded: Sequence[Decoded[Any]], timers: bool) -> int:
        """The messages in order, then the timers that are due if wanted. Returns how many messages there were."""
        for item in decoded:
            await self._alone(item)
        if timers:
            await self._timers_alone()
        return len(decoded)

    async def _alone(self, item: Decoded[Any]) -> None:
        for attempt in range(1, _RACE_ATTEMPTS + 1):
            try:
                await self.claims.restore_state()
                prepared = await prepare([item], self.router, self.resources)
                await self.transact(prepared)
                return
            except (Fenced, Stop):
                raise
            except Exception as error:
                self.claims.lose_state()
                if is_transient(error):
                    raise
                # Two owners may insert the same new row; the second look finds it.
                if sqlstate_of(error) == UNIQUE_VIOLATION and attempt < _RACE_ATTEMPTS:
                    continue
                await self._bury(item, error)
                return

    async def _bury(self, item: Decoded[Any], error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        envelope = item.envelope
        async with self.database.begin_stream() as uow:
            await self.claims.move(uow, [item.record])
            await dead_letters.bury(
                uow.connection,
                self.database.schema,
                self.router.group,
                item.record,
                envelope.type if envelope else "",
                envelope.key if envelope else "",
                reason,
                uow.now_ms,
            )
            with self.steps(Step.BURY):
                await uow.commit()
        self.metrics.died(item.record.topic, type(error).__name__)
        _log.error(
            "dead_letter",
            group=self.router.group,
            topic=item.record.topic,
            partition=item.record.partition,
            number=item.record.number,
            error=reason,
            exc_info=error,
        )
        if self.breaker.died():
            raise TooManyDead(
                f"{dead_letters.LIMIT} of the last {dead_letters.WINDOW} messages died, the last of {reason};"
                " look at `centralino dead-letters list`, mend the cause, then `centralino dead-letters resume`"
            )

    async def _timers_alone(self) -> None:
        for due in await self.timers.peek(self.database, self.clock.now_ms()):
            try:
                await self.claims.restore_state()
                async with self.database.begin_stream() as uow:
                    await self.claims.fence(uow, [self.timers.source(self.timer_topic, due.key)])
                    if await self.timers.take_one(uow.connection, due):
                        await run_timers([due], self.router, self.context(uow), uow)
                    await uow.commit()
            except (Fenced, Stop):
                raise
            except Exception as error:
                self.claims.lose_state()
                if is_transient(error):
                    raise
                _log.exception("timer_failed", group=self.router.group, kind=due.kind, key=due.key)
                await self.timers.put_off(self.database, due, _PUT_OFF_MS)
