"""The embedded host: database, migrations, six services, one address, a clean stop."""

import asyncio
import contextlib
import errno
import fcntl
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from libs.runtime import PlatformSettings, ServiceDefinition, SystemClock
from libs.runtime.lifecycle import ServiceHost
from libs.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError, default_data_folder

_log = structlog.get_logger()
_WATCH_SECONDS = 0.5
_GARBAGE = (20_000, 20, 50)
_CHECKOUT = Path(__file__).resolve().parents[2]


class HostRefused(RuntimeError):
    """The host cannot start; the text says what was seen and what to do.

    AlreadyRunning     another host uses the data folder
    AddressRefused     the address cannot be listened on
    """


class AlreadyRunning(HostRefused):
    """Another host uses the data folder."""


class AddressRefused(HostRefused):
    """The address is taken, or this machine or user may not listen on it."""


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


def check_address(host: str, port: int) -> None:
    """Tries the address, so that nothing is started for a host that could not answer. Raises AddressRefused."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen()
    except OSError as error:
        raise AddressRefused(f"{where} {_why(error)}") from None


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            "is taken by another program: stop that one, or give another --port (0 takes a free one; "
            "with make: PORT=8601)"
        )
    if error.errno == errno.EACCES:
        return "may not be listened on by this user: give a --port of 1024 or higher"
    return (
        f"cannot be listened on ({error.strerror or error}): give an address of this machine as --host, "
        "such as 127.0.0.1"
    )


def start_database(server: EmbeddedPostgres, folder: Path) -> None:
    """Starts the server. Raises EmbeddedPostgresError, which as root names the folder that keeps its user out."""
    try:
        server.start()
    except EmbeddedPostgresError as error:
        closed = _closed_to_others(folder) if os.geteuid() == 0 else None
        if closed is None:
            raise
        raise EmbeddedPostgresError(
            f"{error}\nPostgreSQL does not run as root, so it runs as a user of its own, which cannot pass "
            f"{closed} (mode {closed.stat().st_mode & 0o777:04o}). Set CENTRALINO_DATA to a folder that every user "
            f"can reach, such as /var/lib/centralino/data; or `chmod o+x {closed}`; or start Centralino as an "
            "ordinary user; or set DATABASE_URL"
        ) from None


def _closed_to_others(folder: Path) -> Path | None:
    """The outermost of the folder's parents that other users cannot pass."""
    for parent in reversed(folder.resolve().parents):
        if not parent.stat().st_mode & 0o001:
            return parent
    return None


@contextmanager
def with_database(settings: PlatformSettings) -> Iterator[str]:
    """The address of a database that runs: the one given, or the embedded one, stopped afterwards if it was started here."""
    if settings.database_url:
        yield settings.database_url
        return
    folder = data_folder(settings)
    server = EmbeddedPostgres(folder, fsync=settings.fsync)
    ran = server.pid() is not None
    start_database(server, folder)
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
    """Runs until SIGINT, SIGTERM or `stop`. Raises HostRefused, EmbeddedPostgresError."""
    folder = data_folder(settings)
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # With a database of its own elsewhere, other processes may share the folder: it holds keys only.
    alone = contextlib.nullcontext() if settings.database_url else _only_one(folder)
    with alone:
        check_address(settings.host, settings.port)
        server = None if settings.database_url else EmbeddedPostgres(folder, fsync=settings.fsync)
        if server is not None:
            await asyncio.to_thread(start_database, server, folder)
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
