"""The life of a process: migrate, put the services together, serve and process, and drain when asked to stop."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from libs.contracts import TOPICS
from libs.primitives import Clock
from libs.runtime.assembly import VERSION, Assembled, assemble, prepare_database
from libs.runtime.peers import InProcessPeers, NetworkPeers
from libs.runtime.service import Peers, Platform, ServiceDefinition
from libs.runtime.settings import PlatformSettings
from libs.runtime.transports import Transports
from libs.runtime.wakeups import Wakeups
from libs.storage import Database, Engines
from libs.streams import Log, Retry, is_transient
from libs.streams.retention import keep_retaining
from libs.web import Broadcast, Host, TokenKeys, Tokens, create_host

_log = structlog.get_logger()
_RESTART_SECONDS = 1.0
_POLL_SECONDS = 2.0
"""Other processes ring; this is for what a command appends, and for a ring that was lost."""


async def _keep_running(
    name: str, work: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event
) -> None:
    """Runs work until stopped; what fails is logged and started again."""
    while not stop.is_set():
        try:
            await work(stop)
        except Exception as error:  # noqa: BLE001 - a worker's failure must not end the process
            log = _log.warning if is_transient(error) else _log.exception
            log("worker_failed", worker=name, error=f"{type(error).__name__}: {error}")
        if not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RESTART_SECONDS):
                    await stop.wait()


class ServiceHost:
    """Runs services in this process behind one address."""

    def __init__(
        self,
        definitions: Sequence[ServiceDefinition],
        settings: PlatformSettings,
        *,
        database_url: str,
        data: Path,
        clock: Clock,
        service_settings: Mapping[str, Any] | None = None,
        before_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._definitions = definitions
        self._settings = settings
        self._url = database_url
        self._data = data
        self._clock = clock
        self._service_settings = service_settings or {}
        self._before_stop = before_stop
        self._assembled: list[Assembled] = []
        self.host: Host | None = None
        self.tokens = Tokens(TokenKeys.load_or_create(data / "token-keys.json"))
        self.address = ""

    async def run(
        self,
        stop: asyncio.Event,
        ready: Callable[["ServiceHost"], Awaitable[None]] | None = None,
        tasks: Sequence[Callable[[asyncio.Event], Awaitable[None]]] = (),
    ) -> None:
        """Serves until `stop` is set, then drains within the settings' bound. `ready` is called once it answers."""
        listener = self._listen()
        engines = Engines.connect(
            self._url,
            web_connections=self._settings.web_connections,
            stream_connections=self._settings.stream_connections,
        )
        wakeups = Wakeups(self._url, self._concerned()) if self._settings.distributed else None
        appended = wakeups.appended if wakeups else None
        log = Log(
            engines.streams,
            appended=appended,
            poll_seconds=_POLL_SECONDS,
            one_reader=self._settings.transport == "kafka",
        )
        try:
            await prepare_database(self._url, self._definitions)
            await log.start()
            await self._assemble(engines, log, wakeups)
            for assembled in self._assembled:
                await assembled.service.start()
            if wakeups is not None:
                tasks = [*tasks, partial(wakeups.run, log)]
            await self._serve(engines, log, stop, ready, tasks, listener)
        finally:
            listener.close()
            await log.stop()
            for assembled in self._assembled:
                await assembled.service.close()
            await engines.dispose()

    def _concerned(self) -> set[str]:
        """The services whose log is read in this process: on a broker only its own, which it relays."""
        mine = {definition.name for definition in self._definitions}
        return mine if self._settings.transport == "kafka" else mine | {t.producer for t in TOPICS.values()}

    def _listen(self) -> socket.socket:
        """Takes the address first, so that what is built knows its own port. Raises OSError when it is taken."""
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._settings.host, self._settings.port))
        except OSError:
            listener.close()
            raise
        host = f"[{self._settings.host}]" if family == socket.AF_INET6 else self._settings.host
        self.address = f"http://{host}:{listener.getsockname()[1]}"
        return listener

    async def _assemble(self, engines: Engines, log: Log, wakeups: Wakeups | None) -> None:
        """Raises LogRestored before anything is taken in that a restored log could not keep."""
        transports = Transports.of(self._settings, engines, log)
        public = self._settings.public_url or self.address
        for definition in self._definitions:
            platform = Platform(
                Database(engines, definition.name, self._clock, log),
                log,
                self._clock,
                self.tokens,
                self._reach(definition.name),
                self._data,
                public.rstrip("/"),
                wakeups.bells(definition.name) if wakeups else Broadcast(),
            )
            settings = self._service_settings.get(definition.name)
            try:
                await transports.check(definition.name, platform.database)
            except Retry as error:
                # A broker that is away keeps nobody from taking messages in; the relay asks again.
                _log.warning("restored_or_not_unknown", service=definition.name, error=str(error))
            relays = transports.relays(definition.name, platform.database)
            self._assembled.append(assemble(definition, platform, transports.events, settings, relays=relays))
        self.host = create_host(
            {a.definition.name: a.app for a in self._assembled}, title="Centralino", version=VERSION
        )

    def _reach(self, caller: str) -> Peers:
        if self._settings.gateway_url:
            return NetworkPeers(self.tokens, caller, self._settings.gateway_url)
        return InProcessPeers(
            self.tokens, caller, lambda: {a.definition.name: a.app for a in self._assembled}
        )

    async def _serve(
        self,
        engines: Engines,
        log: Log,
        stop: asyncio.Event,
        ready: Callable[["ServiceHost"], Awaitable[None]] | None,
        tasks: Sequence[Callable[[asyncio.Event], Awaitable[None]]],
        listener: socket.socket,
    ) -> None:
        assert self.host is not None
        server = _Server(
            uvicorn.Config(
                self.host,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=2,
                timeout_keep_alive=30,
            )
        )
        drain = asyncio.Event()
        serving = asyncio.create_task(server.serve([listener]), name="http")
        running = [
            asyncio.create_task(work, name=name) for name, work in self._work(engines, log, drain, tasks)
        ]
        try:
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event
                await asyncio.sleep(0.01)
            if not serving.done():
                if ready is not None:
                    await ready(self)
                ended = asyncio.create_task(stop.wait())
                await asyncio.wait([ended, serving, *running], return_when=asyncio.FIRST_COMPLETED)
                ended.cancel()
        finally:
            self.host.stop_streams()
            server.should_exit = True
            drain.set()
            _done, late = await asyncio.wait([serving, *running], timeout=self._settings.drain_seconds)
            for task in late:
                _log.warning("drain_cut_short", task=task.get_name())
                task.cancel()
            results = await asyncio.gather(serving, *running, return_exceptions=True)
            self._before_stop()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _work(
        self,
        engines: Engines,
        log: Log,
        drain: asyncio.Event,
        tasks: Sequence[Callable[[asyncio.Event], Awaitable[None]]],
    ) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Everything that runs beside HTTP, by name."""
        work: list[tuple[str, Coroutine[Any, Any, None]]] = []
        for assembled in self._assembled:
            work += [(f"group {processor.group}", processor.run(drain)) for processor in assembled.processors]
            work += [(relay.group, relay.run(drain)) for relay in assembled.relays]
            for number, task in enumerate(assembled.service.tasks, 1):
                name = f"{assembled.definition.name} worker {number}"
                work.append((name, _keep_running(name, task, drain)))
        work += [
            (f"host worker {n}", _keep_running(f"host worker {n}", task, drain))
            for n, task in enumerate(tasks, 1)
        ]
        work.append(("retention", keep_retaining(engines.web, log, self._clock, drain)))
        return work


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the host decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # as uvicorn declares it
        yield
