"""The embedded host: database, migrations, six services, one address, a clean stop."""

import asyncio
import fcntl
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from libs.runtime import PlatformSettings, ServiceDefinition, SystemClock
from libs.runtime.lifecycle import ServiceHost
from libs.storage.embedded import EmbeddedPostgres, default_data_folder

_log = structlog.get_logger()
_WATCH_SECONDS = 0.5
_GARBAGE = (20_000, 20, 50)
_CHECKOUT = Path(__file__).resolve().parents[2]


class AlreadyRunning(RuntimeError):
    """Another host uses the data folder."""


def data_folder(settings: PlatformSettings) -> Path:
    """Where keys and the embedded database lie; made if missing, readable by its owner alone."""
    folder = settings.data or default_data_folder(_CHECKOUT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """One host for a data folder; the kernel drops the lock when a host dies."""
    with (folder / "host.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(
                f"{folder} is in use by process {lock.read().strip() or 'unknown'}: stop that one, or set CENTRALINO_DATA"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def with_database(settings: PlatformSettings) -> Iterator[str]:
    """The address of a database that runs: the one given, or the embedded one, stopped afterwards if it was started here."""
    if settings.database_url:
        yield settings.database_url
        return
    server = EmbeddedPostgres(data_folder(settings), fsync=settings.fsync)
    ran = server.pid() is not None
    server.start()
    try:
        yield server.url
    finally:
        if not ran:
            server.stop()


def _watcher(server: EmbeddedPostgres) -> Callable[[asyncio.Event], Awaitable[None]]:
    async def watch_database(stop: asyncio.Event) -> None:
        """Starts the database again when it has died."""
        while not stop.is_set():
            if await asyncio.to_thread(server.watch):
                _log.error("database_restarted", reason="its process had ended")
            try:
                async with asyncio.timeout(_WATCH_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    return watch_database


def _spare_collections() -> None:
    """What is there at the start stays: full collections would walk all of it, for tenths of a second each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


async def run_embedded(
    definitions: Sequence[ServiceDefinition],
    settings: PlatformSettings,
    *,
    ready: Callable[[ServiceHost], Awaitable[None]] | None = None,
    service_settings: Mapping[str, Any] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Runs until SIGINT, SIGTERM or `stop`. Raises AlreadyRunning, EmbeddedPostgresError."""
    folder = data_folder(settings)
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with _only_one(folder):
        server = None if settings.database_url else EmbeddedPostgres(folder, fsync=settings.fsync)
        if server is not None:
            await asyncio.to_thread(server.start)
        try:
            host = ServiceHost(
                definitions,
                settings,
                database_url=settings.database_url or (server.url if server else ""),
                data=folder,
                clock=SystemClock(),
                service_settings=service_settings,
            )

            async def started(running: ServiceHost) -> None:
                _spare_collections()
                if ready is not None:
                    await ready(running)

            await host.run(stop, started, [_watcher(server)] if server else [])
        finally:
            if server is not None:
                await asyncio.to_thread(server.stop)
