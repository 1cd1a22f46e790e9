"""The one loop that moves events: poll, one transaction (fence, drop repeats, run handlers, save, position), commit.

Both transports and every group run through it. A handler never sees it.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from libs.primitives import Clock
from libs.storage import Database, UnitOfWork
from libs.streams import dead_letters
from libs.streams.batch import Context, Decoded, Traces, decode, prepare, run_events, run_timers
from libs.streams.claims import Claims, OwnedState
from libs.streams.errors import Fenced, Stop, is_transient
from libs.streams.observe import StreamMetrics
from libs.streams.one_by_one import OneByOne
from libs.streams.router import Due, StreamRouter
from libs.streams.spans import batch_spans
from libs.streams.steps import Step, Steps, unwatched
from libs.streams.timers import DueTimers
from libs.streams.transport import Record, Subscription, TopicPartition, Transport, hurried

Ctx = TypeVar("Ctx")
_log = structlog.get_logger()

_STORE_PASSED_SECONDS = 1.0
_MAX_ROWS = 500
_MAX_BYTES = 8 * 1024 * 1024
_SMALL_BATCH = 50
_SMALL_PAUSE_SECONDS = 0.012
_AT_ONCE_SECONDS = 0.012
"""A poll that waited longer found the group idle: what comes next shall not wait for company, as it does under load."""
_WAIT_MS = 1_000
_BACKOFF_SECONDS = (0.05, 5.0)
_TROUBLED_AFTER = 3


@dataclass(frozen=True, slots=True)
class Subscriber(Generic[Ctx]):
    """A consumer group of a service: its handlers, and how their context is built for a transaction."""

    router: StreamRouter[Ctx]
    context: Context[Ctx]
    resources: Any = None
    """Handed to `prepare`."""
    state: OwnedState | None = None
    topics: tuple[str, ...] = ()
    """Topics read beside those of the handlers."""
    gather_seconds: float = 0.0
    """How long a batch is left alone while the next gathers: for a group whose results nobody waits for, so that it does
    not work while those work for whom somebody waits."""


class Processor(Generic[Ctx]):
    """Runs one subscriber until stopped.

    A batch has at most `max_rows`. The position behind what the group does not handle is stored by itself after
    `store_passed_seconds` without another batch.
    """

    def __init__(
        self,
        subscriber: Subscriber[Ctx],
        database: Database,
        transport: Transport,
        clock: Clock,
        *,
        max_rows: int = _MAX_ROWS,
        store_passed_seconds: float = _STORE_PASSED_SECONDS,
        steps: Steps = unwatched,
    ) -> None:
        self._subscriber = subscriber
        self._router = subscriber.router
        self.group = subscriber.router.group
        self._database = database
        self._schema = database.schema
        self._clock = clock
        self._metrics = StreamMetrics(self.group)
        self._max_rows = max_rows
        self._store_passed_seconds = store_passed_seconds
        self._steps = steps
        self._topics = sorted({*subscriber.router.topics, *subscriber.topics})
        self.subscription: Subscription = transport.subscribe(self.group, self._topics, self._schema)
        self.claims = Claims(self.group, self._topics, database, self.subscription, subscriber.state, steps)
        self._timers = DueTimers(self._schema, sorted(self._router.timers))
        self._breaker = dead_letters.Breaker()
        self._one_by_one = OneByOne(
            router=self._router,
            context=subscriber.context,
            resources=subscriber.resources,
            database=database,
            claims=self.claims,
            timers=self._timers,
            timer_topic=self._topics[0],
            breaker=self._breaker,
            metrics=self._metrics,
            clock=clock,
            steps=steps,
            transact=self._transact_alone,
        )
        self.stopped_because: str | None = None
        self._failures = 0
        self._found_at_once = False

    @property
    def trouble(self) -> str | None:
        """Why the group does not work at the moment, or None."""
        if self.stopped_because is not None:
            return f"stopped: {self.stopped_because}"
        if self._failures >= _TROUBLED_AFTER:
            return f"retrying after {self._failures} failures in a row"
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, then finishes the batch at hand and gives up its partitions."""
        try:
            async with hurried(self.subscription, stop):
                while not stop.is_set():
                    await self._turn(stop)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(2):
                await self.subscription.close()
        except Exception as error:
            if not is_transient(error):
                raise
            _log.warning("leave_failed", group=self.group, error=str(error))

    async def _turn(self, stop: asyncio.Event) -> None:
        try:
            if not await self._may_run(stop):
                return
            await self._own()
            count = await self.step(_WAIT_MS)
            self._failures = 0
            await self._gather(count, stop)
        except Fenced as error:
            _log.warning("fenced", group=self.group, error=str(error))
            self._metrics.fenced()
            self.claims.forget()
        except Stop as error:
            await self._stop(str(error))
        except Exception as error:  # noqa: BLE001 - every fate is decided here
            self.claims.forget()
            if not is_transient(error):
                _log.exception("processor_failed", group=self.group)
            await self._back_off(error, stop)

    async def _gather(self, count: int, stop: asyncio.Event) -> None:
        """Leaves rows time to come together, so that they share a transaction."""
        if self._found_at_once and 0 < count < _SMALL_BATCH:
            await self._sleep(stop, _SMALL_PAUSE_SECONDS)

    async def _may_run(self, stop: asyncio.Event) -> bool:
        if self.claims.partitions and self.stopped_because is None:
            return True
        async with self._database.begin_stream() as uow:
            self.stopped_because = await dead_letters.stop_reason(uow.connection, self._schema, self.group)
        self._metrics.stopped(self.stopped_because is not None)
        if self.stopped_because is None:
            return True
        self._breaker.reset()
        await self._sleep(stop, 1.0)
        return False

    async def _sleep(self, stop: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return

    async def _back_off(self, error: Exception, stop: asyncio.Event) -> None:
        least, most = _BACKOFF_SECONDS
        seconds = min(most, least * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
        self._failures += 1
        self._metrics.retried()
        _log.warning(
            "retrying", group=self.group, seconds=round(seconds, 3), error=f"{type(error).__name__}: {error}"
        )
        await self._sleep(stop, seconds)

    async def _stop(self, reason: str) -> None:
        _log.error(
            "group_stopped",
            group=self.group,
            reason=reason,
            resume=f"centralino dead-letters resume {self.group}",
        )
        self.claims.forget()
        async with self._database.begin_stream() as uow:
            await dead_letters.stop_group(
                uow.connection, self._schema, self.group, reason, self._clock.now_ms()
            )
            await uow.commit()
        self.stopped_because = reason
        self._metrics.stopped(True)

    async def _own(self) -> None:
        if await self.claims.renew():
            self._timers.owned(self.claims.partitions)

    async def round(self, wait_ms: int = 0) -> int:
        """One round for a caller who drives the loop: claims, then one batch. Errors come out as they are."""
        await self._own()
        return await self.step(wait_ms)

    async def leave(self) -> None:
        """Gives up the partitions, for a caller who drives the loop."""
        await self._leave()

    async def step(self, wait_ms: int) -> int:
        """One round: at most one batch and the timers that are due. Returns how many messages and timers were handled."""
        wait_ms = self._timers.wait_ms(self._clock.now_ms(), wait_ms)
        places = self.claims.places
        asked = time.perf_counter()
        records = await self.subscription.poll(places, self._max_rows, _MAX_BYTES, wait_ms)
        self._found_at_once = time.perf_counter() - asked < _AT_ONCE_SECONDS
        self._metrics.lag(self.subscription.lag(places))
        fresh, repeats = self.claims.fresh(records)
        if repeats:
            self._metrics.repeats(repeats)
        if self._subscriber.gather_seconds and 0 < len(fresh) < self._max_rows:
            await asyncio.sleep(self._subscriber.gather_seconds)
        decoded = [decode(record, self._router) for record in fresh]
        handled = any(item.received is not None or item.fault for item in decoded)
        timers = self._timers.due(self._clock.now_ms())
        if timers and not handled:
            timers = await self._timers.waiting(self._database, self._clock.now_ms())
        if fresh:
            self._metrics.oldest(decoded, self._topics, self._clock.now_ms())
        else:
            self._metrics.caught_up(self._topics)
        started = time.perf_counter()
        if not handled and not timers:
            await self._pass_by(fresh)
            if fresh:
                self._metrics.batch(decoded, time.perf_counter() - started)
            return len(fresh)
        try:
            with batch_spans(self._schema, self.group, decoded) as traces:
                decoded = await prepare(decoded, self._router, self._subscriber.resources)
                count = await self._transact(decoded, timers, traces)
        except (Fenced, Stop):
            raise
        except Exception as error:
            self.claims.lose_state()
            if is_transient(error):
                raise
            count = await self._one_by_one.run(decoded, timers)
        self._metrics.batch(decoded, time.perf_counter() - started)
        return count

    async def _pass_by(self, records: Sequence[Record]) -> None:
        """Goes on behind records that this group does not handle, without a transaction for each batch of them."""
        self.claims.pass_by(records)
        if self.claims.passed_for() >= self._store_passed_seconds:
            await self._transact([], False, None)

    async def _transact_alone(self, decoded: Sequence[Decoded[Any]]) -> int:
        with batch_spans(self._schema, self.group, decoded) as traces:
            return await self._transact(decoded, False, traces)

    async def _transact(self, decoded: Sequence[Decoded[Any]], timers: bool, traces: Traces | None) -> int:
        """Everything of a batch in one transaction."""
        async with self._database.begin_stream() as uow:
            await self.claims.move(uow, [item.record for item in decoded])
            if timers:
                owners = {TopicPartition(self._topics[0], partition) for partition in self.claims.partitions}
                await self.claims.fence(uow, owners - {item.record.source for item in decoded})
            ctx = self._subscriber.context(uow)
            await run_events(decoded, self._router, ctx, uow, traces)
            dues: list[Due] = []
            if timers:
                dues = await self._timers.take(uow.connection, uow.now_ms)
                await run_timers(dues, self._router, ctx, uow, traces)
            with self._steps(Step.BATCH):
                await uow.commit()
        self._timers.taken(dues, uow.now_ms)
        self._metrics.timers(self._schema, dues)
        self._breaker.lived(len(decoded))
        return len(decoded) + len(dues)

    async def handle_again(self, record: Record, on_done: Callable[[UnitOfWork], Any]) -> None:
        """Runs the handler of one dead letter outside its place in the log, in one transaction with `on_done`."""
        item = decode(record, self._router)
        prepared = await prepare([item], self._router, self._subscriber.resources)
        async with self._database.begin_stream() as uow:
            await run_events(prepared, self._router, self._subscriber.context(uow), uow)
            await on_done(uow)
            await uow.commit()
