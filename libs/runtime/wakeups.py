"""Wake-ups between the processes of one database: what was appended, and whose bells rang, told by LISTEN and NOTIFY.

Of the log it says how far each partition has come, so that who hears it need not ask; of bells only that they rang. Each
process says now and then that it is there: where nobody else is, nothing is told. What is missed while the connection is
away is found by the polls that every reader has as a safety net.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import Any

import asyncpg
import structlog
from sqlalchemy.engine import make_url

from libs.contracts import TOPICS
from libs.primitives import new_id
from libs.streams import Head, Log, TopicPartition, is_transient
from libs.web import Broadcast

_GATHER_SECONDS = 0.005
_AGAIN_SECONDS = 1.0
_HERE_SECONDS = 10.0
_GONE_SECONDS = 35.0
"""Silence after which a process is taken to have ended."""
_MOST_BYTES = 3_500
"""Of heads, and as many of bells: a payload of NOTIFY is at most 8,000 bytes."""
_log = structlog.get_logger()


def _channel(service: str) -> str:
    return f"centralino_{service}"


@dataclass(slots=True)
class _News:
    """What one service has to say at the next NOTIFY."""

    here: bool = False
    heads: dict[TopicPartition, int] = field(default_factory=dict)
    rung: dict[Hashable, None] = field(default_factory=dict)


class Wakeups:
    """One process's end. At most one NOTIFY of a service in 5 ms, on a connection of its own: in transactions it would
    slow them.

    `services` are those whose appends and bells concern this process: each has a channel, and nobody is woken for others.
    """

    def __init__(self, database_url: str, services: Iterable[str]) -> None:
        parsed = make_url(database_url).set(drivername="postgresql")
        self._url = parsed.render_as_string(hide_password=False)
        self._services = sorted(services)
        self._name = new_id()
        self._pending: dict[str, _News] = {}
        self._news = asyncio.Event()
        self._bells: Mapping[str, Broadcast] = {}
        self._present: dict[str, dict[str, float]] = {}
        """By service the other processes that listen, and when each was heard last."""

    def appended(self, heads: Iterable[Head]) -> None:
        """This process has committed rows to the log, which has come so far with them."""
        for source, number in heads:
            said = self._of(TOPICS[source.topic].producer).heads
            said[source] = max(number, said.get(source, 0))
        self._news.set()

    def bells(self, service: str) -> Broadcast:
        """Bells that ring in the other processes of the service too."""

        def elsewhere(key: Hashable) -> None:
            self._of(service).rung[key] = None
            self._news.set()

        made = Broadcast(elsewhere=elsewhere)
        self._bells = {**self._bells, service: made}
        return made

    def others(self, service: str) -> int:
        """How many other processes are known to hear news of the service."""
        since = time.monotonic() - _GONE_SECONDS
        known = self._present.get(service, {})
        for name in [name for name, heard in known.items() if heard < since]:
            del known[name]
        return len(known)

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
            for service in self._services:
                await connection.add_listener(_channel(service), partial(self._hear, log, service))
            self._ring_all()
            await log.refresh()
            tasks = [
                asyncio.create_task(work)
                for work in (self._tell(connection), self._say_here(), stop.wait(), lost.wait())
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
        for bells in self._bells.values():
            bells.notify_all()

    def _of(self, service: str) -> _News:
        return self._pending.setdefault(service, _News())

    async def _tell(self, connection: Any) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._news.clear()
            pending, self._pending = self._pending, {}
            for service, news in pending.items():
                if news.here:
                    await connection.execute("SELECT pg_notify($1, $2)", _channel(service), self._here())
                if not self.others(service):
                    continue
                for payload in self._payloads(news):
                    await connection.execute("SELECT pg_notify($1, $2)", _channel(service), payload)

    async def _say_here(self) -> None:
        while True:
            for service in self._services:
                self._of(service).here = True
            self._news.set()
            await asyncio.sleep(_HERE_SECONDS)

    def _here(self) -> str:
        return json.dumps({"from": self._name})

    def _met(self, log: Log, service: str) -> None:
        """A process that was not known: what was not told it before, and what it did not tell us, is made good."""
        news = self._of(service)
        news.here = True
        self._news.set()
        mine = {
            source: number
            for source, number in log.heads().items()
            if TOPICS[source.topic].producer == service
        }
        self.appended(mine.items())
        if service in self._bells:
            self._bells[service].notify_all()

    def _payloads(self, news: _News) -> Iterator[str]:
        """As many as are needed: each holds some heads and some bells."""
        heads: list[object] = [[source.topic, source.partition, n] for source, n in news.heads.items()]
        nothing: list[object] = []
        for some, rung in zip_longest(_parts(heads), _parts(news.rung), fillvalue=nothing):
            yield json.dumps({"from": self._name, "heads": some, "rung": rung})

    def _hear(
        self, log: Log, service: str, _connection: object, _process: int, _channel_name: str, payload: str
    ) -> None:
        said = json.loads(payload)
        if said["from"] == self._name:
            return
        known = self._present.setdefault(service, {})
        met = said["from"] not in known
        known[said["from"]] = time.monotonic()
        if met:
            self._met(log, service)
        log.heard(
            (TopicPartition(topic, partition), number) for topic, partition, number in said.get("heads", ())
        )
        bells = self._bells.get(service)
        if bells is not None:
            for key in said.get("rung", ()):
                bells.ring(tuple(key) if isinstance(key, list) else key)


def _parts(values: Iterable[object]) -> Iterator[list[object]]:
    """The values in lists, each of which fits into a message."""
    part: list[object] = []
    size = 0
    for value in values:
        more = len(json.dumps(value)) + 2
        if part and size + more > _MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(value)
        size += more
    if part:
        yield part
