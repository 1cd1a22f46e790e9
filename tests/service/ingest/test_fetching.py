"""Two processes and one mailbox: one reads; when it dies, the other goes on at the first mail that was not noted."""

import asyncio
import time
from collections.abc import Callable
from datetime import date

import pytest

from services.ingest.ports import BoxState
from services.ingest.service import definition
from services.ingest.workers.fetching import Fetcher
from tests.support.harness import ServiceUnderTest, running


class Killed(Exception):
    """The process ends here."""


class Box:
    """A mailbox in memory, by the port."""

    mails: tuple[int, ...] = (1, 2, 3)

    def open(self) -> BoxState:
        return BoxState(7, max(self.mails) + 1)

    def after(self, uid: int, since: date | None) -> list[int]:
        assert since is None
        return [one for one in self.mails if one > uid]

    def fetch(self, uid: int) -> bytes | None:
        return None if uid == 3 else b"%d" % uid

    def wait(self, seconds: float, stopping: Callable[[], bool]) -> None:
        time.sleep(0.01)

    def close(self) -> None:
        return


def fetcher(service: ServiceUnderTest, stored: list[bytes], dies_at: bytes = b"") -> Fetcher:
    async def accept(account: str, raw: bytes) -> None:
        stored.append(raw)
        # Durable already, and not yet noted.
        if raw == dies_at:
            raise Killed

    async def connect() -> Box:
        return Box()

    return Fetcher(service.database, "help", connect, accept, all_at_first=True, poll_s=1)


async def test_a_killed_reader_is_followed_by_one_that_repeats_a_mail_and_loses_none() -> None:
    async with running(definition, tasks=False) as service:
        stored: list[bytes] = []
        stop = asyncio.Event()
        with pytest.raises(Killed):
            await fetcher(service, stored, dies_at=b"2").run(stop)
        assert stored == [b"1", b"2"]
        following = asyncio.create_task(fetcher(service, stored).run(stop))
        await asyncio.sleep(0.2)
        # The dead one's lease still holds.
        assert stored == [b"1", b"2"]
        service.clock.advance(91_000)
        async with asyncio.timeout(10):
            while len(stored) < 3:
                await asyncio.sleep(0.02)
        # A third one does not read beside it.
        third = asyncio.create_task(fetcher(service, stored).run(stop))
        await asyncio.sleep(0.2)
        assert stored == [b"1", b"2", b"2"]
        stop.set()
        await asyncio.gather(following, third)
