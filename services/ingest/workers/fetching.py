"""Mailboxes are read: each mail is durable here before its number is noted, so a kill in between only reads it again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from libs.runtime import new_id
from libs.storage import Database, fetch_one
from libs.telemetry import get_logger
from services.ingest.domain.fetching import Position, begin
from services.ingest.ports import Mailbox, MailboxAway

T = TypeVar("T")
Accept = Callable[[str, bytes], Awaitable[Any]]
"""(mail account, raw mail): returns once it is durable."""
_LEASE_MS: Final = 90_000
_LONGEST_WAIT_S: Final = 20.0
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_CLAIM: Final = """
INSERT INTO ingest.mailboxes AS m (account, owner, lease_until_ms) VALUES ($1, $2, $3)
ON CONFLICT (account) DO UPDATE SET owner = $2, lease_until_ms = $3
    WHERE m.owner = $2 OR m.lease_until_ms < $4
RETURNING uid_validity, last_uid, read_at_ms, since_ms
"""
_NOTE: Final = """
UPDATE ingest.mailboxes
SET uid_validity = $3, last_uid = $4, read_at_ms = $5, since_ms = $6, lease_until_ms = $7
WHERE account = $1 AND owner = $2 RETURNING account
"""
_RELEASE: Final = (
    "UPDATE ingest.mailboxes SET lease_until_ms = 0 WHERE account = $1 AND owner = $2 RETURNING account"
)
_log = get_logger("ingest")


class LeaseLost(Exception):
    """Another process reads the mailbox now."""


class Fetcher:
    """Reads one mailbox into one mail account; of several processes one does."""

    def __init__(
        self,
        database: Database,
        account: str,
        connect: Callable[[], Awaitable[Mailbox]],
        accept: Accept,
        *,
        all_at_first: bool,
        poll_s: float,
    ) -> None:
        self._database = database
        self._account = account
        self._connect = connect
        self._accept = accept
        self._all_at_first = all_at_first
        self._poll_s = min(poll_s, _LONGEST_WAIT_S)
        self._owner = new_id()
        self.trouble = ""
        """Why nothing is read at the moment, or empty."""

    async def run(self, stop: asyncio.Event) -> None:
        """Reads until stopped; what goes wrong is logged and tried again, after pauses that grow to a minute."""
        pause = _FIRST_PAUSE_S
        # A thread of its own: what waits for news must not use up those that others need.
        with ThreadPoolExecutor(1, f"mailbox-{self._account}") as thread:
            while not stop.is_set():
                try:
                    position = await self._claim()
                    if position is not None:
                        await self._read(position, thread, stop)
                        pause = _FIRST_PAUSE_S
                except LeaseLost:
                    _log.info("mailbox_taken_over", account=self._account)
                except MailboxAway as error:
                    self.trouble = str(error)
                    _log.warning("mailbox_away", account=self._account, error=self.trouble)
                    pause = min(_LONGEST_PAUSE_S, pause * 2)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await stop.wait()
        await self._release()

    async def _read(self, position: Position, thread: ThreadPoolExecutor, stop: asyncio.Event) -> None:
        """One session: what is new, then waiting for more, until the connection or the lease is lost, or stopped."""

        def calling(function: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
            return asyncio.get_running_loop().run_in_executor(thread, function, *arguments)

        box = await self._connect()
        try:
            state = await calling(box.open)
            position = begin(
                position,
                state.uid_validity,
                state.uid_next,
                self._database.clock.now_ms(),
                all_at_first=self._all_at_first,
            )
            await self._note(position)
            self.trouble = ""
            while not stop.is_set():
                day = _day(position.since_ms) if position.since_ms else None
                for uid in await calling(box.after, position.last_uid, day):
                    raw = await calling(box.fetch, uid)
                    if raw is not None:
                        await self._accept(self._account, raw)
                    position = await self._note(position.at(uid))
                    if stop.is_set():
                        return
                position = await self._note(position.caught_up(self._database.clock.now_ms(), state.uid_next))
                await calling(box.wait, self._poll_s, stop.is_set)
        finally:
            await calling(box.close)

    async def _claim(self) -> Position | None:
        now_ms = self._database.clock.now_ms()
        row = await self._change(_CLAIM, self._account, self._owner, now_ms + _LEASE_MS, now_ms)
        return Position(*row) if row else None

    async def _note(self, position: Position) -> Position:
        """Writes the position and renews the lease. Raises LeaseLost."""
        until = self._database.clock.now_ms() + _LEASE_MS
        known = (position.uid_validity, position.last_uid, position.read_at_ms, position.since_ms)
        if not await self._change(_NOTE, self._account, self._owner, *known, until):
            raise LeaseLost
        return position

    async def _release(self) -> None:
        await self._change(_RELEASE, self._account, self._owner)

    async def _change(self, statement: str, *arguments: Any) -> Any:
        async with self._database.begin() as uow:
            row = await fetch_one(uow.connection, statement, *arguments)
            await uow.commit()
        return row


def _day(at_ms: int) -> date:
    """The day before: servers compare with days of their own zone."""
    return (datetime.fromtimestamp(at_ms / 1000, UTC) - timedelta(days=1)).date()
