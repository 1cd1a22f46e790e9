"""The sender dies right before and behind each of its steps; the next one sends what is left, and says so once."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.ingest.accounts import ChannelAccount
from services.ingest.domain.model import ChannelName
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from tests.service.ingest.sinks import mail_sink
from tests.service.ingest.test_deliveries import open_mail, until
from tests.service.ingest.test_threads import reply
from tests.support.harness import running

pytestmark = [pytest.mark.crash, pytest.mark.slow]
KEY = "07" * 32


@asynccontextmanager
async def _sender(url: str, port: int, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "tests.support.delivery_worker", url, str(port), KEY, *options]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("kill", "mails", "possibly_twice"),
    [
        ("claim:before", 1, False),
        ("claim:after", 1, True),
        ("send:before", 1, True),
        ("send:after", 2, True),
        ("settle:before", 2, True),
        ("settle:after", 1, False),
    ],
)
async def test_a_sender_that_dies_at_a_step_leaves_a_delivery_that_is_told_once(
    kill: str, mails: int, possibly_twice: bool
) -> None:
    accounts = (ChannelAccount(channel=ChannelName.MAIL, address="help@shop.example"),)
    async with (
        mail_sink() as sink,
        running(definition, IngestSettings(accounts=accounts), tasks=False) as ingest,
    ):
        first = await open_mail(ingest)
        await ingest.publish(reply(first.conversation_id))
        await ingest.settle()
        async with _sender(ingest.url, sink.port, "--kill", kill) as sender, asyncio.timeout(60):
            assert await sender.wait() == -signal.SIGKILL
        async with _sender(ingest.url, sink.port) as sender:
            [delivered] = await until(ingest, "MessageDelivered")
            # So that a second sending would be seen.
            await asyncio.sleep(1.5)
            assert sender.returncode is None
        assert len(await ingest.events("MessageDelivered")) == 1
        assert (len(sink.mails), delivered.possibly_twice) == (mails, possibly_twice)
        assert len({mail["Message-ID"] for mail in sink.mails}) == 1
