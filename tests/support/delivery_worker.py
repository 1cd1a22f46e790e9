"""A process that is the sender of ingest, and kills itself right before or behind one of its steps.

Steps are claim (its commit), send (the mail server has the mail) and settle (its commit).
Usage: python -m tests.support.delivery_worker URL SMTP_PORT KEY [--kill STEP:before|after]
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from libs.primitives import SystemClock
from libs.storage import Database, Engines, UnitOfWork
from libs.streams import Log
from libs.telemetry import configure_logging
from libs.web import Broadcast
from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.keys import Signer
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.smtp import SmtpMailer
from services.ingest.domain.model import ChannelName
from services.ingest.ports import Mailer, OutgoingMail
from services.ingest.settings import IngestSettings
from services.ingest.workers.sending import Sender
from tests.support.step_worker import Kill, Killer


class NoLinks:
    """No survey is sent here."""

    async def link(self, invitation_id: str) -> str:
        raise AssertionError(invitation_id)


class WatchedUnitOfWork(UnitOfWork):
    """Commits under the eyes of a killer: a round of the sender claims first and settles behind the sending."""

    sent: ClassVar[list[str]] = []
    killer: ClassVar[Killer]

    async def commit(self) -> None:
        with self.killer.around("settle" if self.sent else "claim"):
            await super().commit()


class WatchedDatabase(Database):
    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        async with super().begin() as uow:
            yield WatchedUnitOfWork(uow.connection, uow.schema, uow.now_ms, uow.outbox, uow.traceparent)


class WatchedMailer:
    """Sends under the eyes of a killer."""

    def __init__(self, inner: Mailer, killer: Killer) -> None:
        self._inner = inner
        self._killer = killer

    async def send(self, mail: OutgoingMail) -> None:
        with self._killer.around("send"):
            await self._inner.send(mail)
        WatchedUnitOfWork.sent.append(mail.message_id)


async def work(url: str, port: int, key: bytes, killer: Killer) -> None:
    engines = Engines.connect(url, web_connections=2, stream_connections=1)
    log = Log(engines.streams)
    await log.start()
    settings = IngestSettings(
        smtp_host="127.0.0.1",
        smtp_port=port,
        delivery_lease_ms=1_000,
        delivery_poll_ms=20,
        accounts=(ChannelAccount(channel=ChannelName.MAIL, address="help@shop.example"),),
    )
    WatchedUnitOfWork.killer = killer
    database = WatchedDatabase(engines, "ingest", SystemClock(), log)
    mailer = WatchedMailer(SmtpMailer(settings), killer)
    signals, signer = Signals(Broadcast()), Signer(key)
    await Sender(database, settings, signals, signer, mailer, NoLinks(), lane="mail").run(asyncio.Event())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("port", type=int)
    parser.add_argument("key", type=bytes.fromhex)
    parser.add_argument("--kill")
    given = parser.parse_args()
    configure_logging("error")
    kill = Kill.of(f"{given.kill}:1") if given.kill else None
    asyncio.run(work(given.url, given.port, given.key, Killer(kill)))
