"""Wake-ups between the processes of one database: what was appended, and whose bells rang, told by LISTEN and NOTIFY.

A message says that there is news, not which: who hears it reads. What is missed while the connection is away is found
by the polls that every reader has as a safety net.
"""

import asyncio
import contextlib
import json
from collections.abc import Hashable, Mapping
from typing import Any

import asyncpg
import structlog
from sqlalchemy.engine import make_url

from libs.primitives import new_id
from libs.streams import Log, is_transient
from libs.web import Broadcast

_CHANNEL = "centralino"
_GATHER_SECONDS = 0.005
_AGAIN_SECONDS = 1.0
_MOST_BYTES = 7_000
"""A payload of NOTIFY is at most 8,000 bytes."""
_log = structlog.get_logger()


class Wakeups:
    """One process's end. At most one NOTIFY in 5 ms, on a connection of its own: in transactions it would slow them."""

    def __init__(self, database_url: str) -> None:
        parsed = make_url(database_url).set(drivername="postgresql")
        self._url = parsed.render_as_string(hide_password=False)
        self._name = new_id()
        self._appended = False
        self._rung: dict[tuple[str, Hashable], None] = {}
        self._news = asyncio.Event()
        self._heard = asyncio.Event()
        self._bells: Mapping[str, Broadcast] = {}

    def appended(self) -> None:
        """This process has committed rows to the log."""
        self._appended = True
        self._news.set()

    def bells(self, service: str) -> Broadcast:
        """Bells that ring in the other processes of the service too."""

        def elsewhere(key: Hashable) -> None:
            self._rung[service, key] = None
            self._news.set()

        made = Broadcast(elsewhere=elsewhere)
        self._bells = {**self._bells, service: made}
        return made

    async def run(self, log: Log, stop: asyncio.Event) -> None:
        """Tells and listens until stopped; a lost connection is made again."""
        while not stop.is_set():
            try:
                await self._connected(log, stop)
            except Exception as error:
                if not is_transient(error) and not isinstance(
                    error, (asyncpg.PostgresError, asyncpg.InterfaceError)
                ):
                    raise
                _log.warning("wakeups_lost", error=f"{type(error).__name__}: {error}")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_SECONDS):
                        await stop.wait()

    async def _connected(self, log: Log, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            self._url, timeout=5, server_settings={"application_name": "centralino wakeups"}
        )
        lost = asyncio.Event()
        tasks = []
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(_CHANNEL, self._hear)
            self._ring_all()
            tasks = [
                asyncio.create_task(work)
                for work in (self._tell(connection), self._refresh(log), stop.wait(), lost.wait())
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if lost.is_set() and not stop.is_set():
                raise ConnectionError("the connection of wake-ups was lost")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Exception):
                await connection.close(timeout=1)

    def _ring_all(self) -> None:
        """Whatever was said while nobody listened."""
        self._heard.set()
        for bells in self._bells.values():
            bells.notify_all()

    async def _tell(self, connection: Any) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._news.clear()
            appended, self._appended = self._appended, False
            rung, self._rung = list(self._rung), {}
            for payload in self._payloads(appended, rung):
                await connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, payload)

    def _payloads(self, appended: bool, rung: list[tuple[str, Hashable]]) -> list[str]:
        parts: list[list[tuple[str, Hashable]]] = [[]]
        size = 0
        for bell in rung:
            size += len(json.dumps(bell))
            if size > _MOST_BYTES:
                parts.append([])
                size = len(json.dumps(bell))
            parts[-1].append(bell)
        return [json.dumps({"from": self._name, "appended": appended, "rung": part}) for part in parts]

    def _hear(self, _connection: object, _process: int, _channel: str, payload: str) -> None:
        said = json.loads(payload)
        if said["from"] == self._name:
            return
        if said["appended"]:
            self._heard.set()
        for service, key in said["rung"]:
            bells = self._bells.get(service)
            if bells is not None:
                bells.ring(tuple(key) if isinstance(key, list) else key)

    async def _refresh(self, log: Log) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            try:
                await log.refresh()
            except Exception as error:
                if not is_transient(error):
                    raise
            await asyncio.sleep(_GATHER_SECONDS)
