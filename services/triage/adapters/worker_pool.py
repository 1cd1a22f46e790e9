"""Classification in worker processes: one thread each, replaced when they die, batches done again."""

import asyncio
import contextlib
import os
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from libs.telemetry import metrics
from services.triage.adapters.frames import HEADER, Failed, Ready, Teach, frame
from services.triage.adapters.knowledge import Sources
from services.triage.adapters.lessons import Lessons
from services.triage.adapters.threads import OF_A_WORKER
from services.triage.domain.classification import Query
from services.triage.domain.overlay import Lesson
from services.triage.domain.signals import Signals
from services.triage.ports import ClassifierUnavailable, Unclassifiable

WORKER = "services.triage.adapters.worker"
_LARGEST_CHUNK = 64
_LESSONS_AT_ONCE = 64
_START_SECONDS = 60.0
_CHUNK_SECONDS = 60.0
_STOP_SECONDS = 2.0
_BACKOFF_SECONDS = (0.1, 5.0)
_MOST_DEATHS = 2
_log = structlog.get_logger()

Result = Signals | Unclassifiable


def default_workers() -> int:
    """One process a core, one core left for the rest, at least one."""
    return max(1, (os.cpu_count() or 1) - 1)


class _Died(Exception):
    """The process ended or did not answer in time."""


@dataclass(eq=False)
class _Job:
    """Queries that one process answers in one go."""

    queries: Sequence[Query]
    deaths: int = 0
    done: asyncio.Future[list[Result]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class WorkerPool:
    """Implements `Classifier` by processes. `workers` is their number; `program` is the module they run."""

    def __init__(self, sources: Sources, workers: int, program: str = WORKER) -> None:
        self._sources = sources
        self._count = workers
        self._program = program
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._slots: list[asyncio.Task[None]] = []
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._open: set[_Job] = set()
        self._lessons = Lessons()
        self._told: dict[int, int] = {}
        self._fresh: dict[int, asyncio.subprocess.Process] = {}
        self._lessons_at_once = _LESSONS_AT_ONCE
        self._running = False

    @property
    def process_ids(self) -> list[int]:
        """The ids of the processes alive."""
        return [process.pid for process in self._processes.values() if process.returncode is None]

    async def start(self) -> None:
        """Start all processes and wait until they have loaded."""
        if self._running:
            return
        self._running = True
        try:
            await asyncio.gather(*(self._spawn(slot) for slot in range(self._count)))
        except (_Died, ClassifierUnavailable, OSError) as error:
            await self.close()
            raise ClassifierUnavailable(str(error)) from error
        self._slots = [asyncio.create_task(self._serve(slot)) for slot in range(self._count)]

    async def classify(self, queries: Sequence[Query]) -> Sequence[Result]:
        """Spread the queries over the processes."""
        if not self._running:
            raise ClassifierUnavailable("the classifier is not running")
        if not queries:
            return []
        size = min(_LARGEST_CHUNK, -(-len(queries) // self._count))
        jobs = [_Job(queries[start : start + size]) for start in range(0, len(queries), size)]
        for job in jobs:
            self._open.add(job)
            self._jobs.put_nowait(job)
        try:
            parts = await asyncio.gather(*(job.done for job in jobs))
        finally:
            self._open.difference_update(jobs)
        return [result for part in parts for result in part]

    async def teach(self, lessons: Sequence[Lesson]) -> None:
        """Each process is told before the next batch it reads."""
        if not self._running:
            raise ClassifierUnavailable("the classifier is not running")
        self._lessons.add(lessons)

    async def renew(self) -> None:
        """Start a process with the new files for each slot; it takes over before the slot's next batch."""
        if not self._running:
            raise ClassifierUnavailable("the classifier is not running")
        for slot in range(self._count):
            process = await self._launch()
            try:
                await self._greet(process)
                # Its first answer tells that its encoders are loaded too.
                await self._exchange(process, [], _START_SECONDS)
            except (_Died, ClassifierUnavailable) as error:
                await self._end(process)
                raise ClassifierUnavailable(str(error)) from error
            waiting, self._fresh[slot] = self._fresh.get(slot), process
            if waiting is not None:
                await self._end(waiting)

    async def close(self) -> None:
        """End the processes: by closing their input, then by force."""
        self._running = False
        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)
        self._slots = []
        for job in list(self._open):
            if not job.done.done():
                job.done.set_exception(ClassifierUnavailable("the classifier has been closed"))
        processes = [*self._processes.values(), *self._fresh.values()]
        self._processes.clear()
        self._fresh.clear()
        await asyncio.gather(*(self._end(process) for process in processes))

    async def _serve(self, slot: int) -> None:
        while True:
            job = await self._jobs.get()
            if job.done.done():
                continue
            if (fresh := self._fresh.pop(slot, None)) is not None:
                old, self._processes[slot], self._told[slot] = self._processes[slot], fresh, 0
                await self._end(old)
            try:
                await self._tell(slot)
            except _Died as death:
                _log.warning("triage_worker_died", lessons=True, why=str(death))
                self._jobs.put_nowait(job)
                await self._replace(slot)
                continue
            try:
                began = time.perf_counter()
                results = list[Result](await self._ask(slot, job.queries))
                metrics.triage_seconds.observe((time.perf_counter() - began) / len(results))
                if not job.done.done():
                    job.done.set_result(results)
            except _Died as death:
                await self._after_death(job, death)
                await self._replace(slot)

    async def _after_death(self, job: _Job, death: _Died) -> None:
        if job.done.done():
            return
        job.deaths += 1
        _log.warning("triage_worker_died", deaths=job.deaths, texts=len(job.queries), why=str(death))
        if job.deaths < _MOST_DEATHS and len(job.queries) == 1:
            self._jobs.put_nowait(job)
        elif len(job.queries) == 1:
            job.done.set_result([Unclassifiable("reading this text ended the classification process twice")])
        else:
            # Each text by itself, so that only the one that kills is given up.
            singles = [_Job([query], job.deaths) for query in job.queries]
            self._open.update(singles)
            for single in singles:
                self._jobs.put_nowait(single)
            asyncio.gather(*(single.done for single in singles), return_exceptions=True).add_done_callback(
                lambda gathered: self._join(job, singles, gathered)
            )

    def _join(
        self,
        job: _Job,
        singles: Sequence[_Job],
        gathered: "asyncio.Future[list[list[Result] | BaseException]]",
    ) -> None:
        self._open.difference_update(singles)
        if job.done.done():
            return
        if gathered.cancelled():
            job.done.cancel()
            return
        parts: list[Result] = []
        for part in gathered.result():
            if isinstance(part, BaseException):
                job.done.set_exception(part)
                return
            parts += part
        job.done.set_result(parts)

    async def _tell(self, slot: int) -> None:
        """The corrections that this slot's process has not heard of. One that ends the process twice is dropped."""
        while self._told[slot] < self._lessons.position:
            lessons, reached = self._lessons.after(self._told[slot], self._lessons_at_once)
            if lessons:
                try:
                    await self._exchange(self._processes[slot], Teach(lessons), _CHUNK_SECONDS)
                except _Died:
                    if len(lessons) == 1:
                        self._lessons.refuse(lessons[0])
                        _log.error("triage_correction_refused", source=lessons[0].source)
                    self._lessons_at_once = 1
                    raise
            self._told[slot] = reached

    async def _ask(self, slot: int, queries: Sequence[Query]) -> Sequence[Signals]:
        process = self._processes[slot]
        answer = await self._exchange(process, queries, _CHUNK_SECONDS)
        if not isinstance(answer, list) or len(answer) != len(queries):
            raise _Died("the process gave no list of the right length")
        return answer

    async def _exchange(self, process: asyncio.subprocess.Process, value: object, seconds: float) -> object:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                process.stdin.write(frame(value))
                await process.stdin.drain()
                (size,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
                answer: object = pickle.loads(await process.stdout.readexactly(size))
                return answer
        except TimeoutError:
            raise _Died(f"no answer within {seconds:.0f} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise _Died("the process ended") from None
        except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError) as error:
            raise _Died(f"its answer cannot be read: {error}") from error

    async def _spawn(self, slot: int) -> None:
        process = await self._launch()
        self._processes[slot] = process
        self._told[slot] = 0
        await self._greet(process)

    async def _launch(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **OF_A_WORKER},
        )

    async def _greet(self, process: asyncio.subprocess.Process) -> None:
        answer = await self._exchange(process, self._sources, _START_SECONDS)
        if isinstance(answer, Failed):
            raise ClassifierUnavailable(answer.reason)
        if not isinstance(answer, Ready):
            raise _Died("the process did not say that it is ready")

    async def _replace(self, slot: int) -> None:
        pause, longest = _BACKOFF_SECONDS
        while True:
            old = self._processes.pop(slot, None)
            if old is not None:
                await self._end(old)
            try:
                await self._spawn(slot)
                metrics.worker_restarts.labels("triage").inc()
                return
            except (_Died, ClassifierUnavailable, OSError) as error:
                _log.error("triage_worker_not_started", why=str(error), next_try_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(longest, pause * 2)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
