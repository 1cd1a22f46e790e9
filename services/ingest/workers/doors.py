"""The doors of mail beside HTTP: the server within, and the mailboxes that are read."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from libs.storage import Database
from services.ingest.adapters.credentials import open_text
from services.ingest.adapters.keys import Sealer
from services.ingest.adapters.mailbox import ImapMailbox
from services.ingest.api.accepting import Accepting
from services.ingest.api.mail import MOST_MAIL_BYTES
from services.ingest.api.mail_door import MailDoor
from services.ingest.settings import Accounts, IngestSettings
from services.ingest.workers.fetching import Fetcher

Task = Callable[[asyncio.Event], Awaitable[None]]


def mail_doors(
    accepting: Accepting, accounts: Accounts, settings: IngestSettings, sealer: Sealer, database: Database
) -> Sequence[Task]:
    """What runs for them; nothing where none is set up. Raises SealBroken, OSError for a certificate."""
    tasks: list[Task] = []
    if settings.mail_in_port is not None:
        tasks.append(MailDoor(accepting, settings).run)
    for account in accounts.all:
        if account.imap is None:
            continue
        password = open_text(sealer, account.imap.password.get_secret_value())

        async def accept(account_id: str, raw: bytes) -> Any:
            return await accepting.mail(account_id, raw, None, 0)

        fetcher = Fetcher(
            database,
            account.id,
            partial(ImapMailbox, account.imap, password, MOST_MAIL_BYTES),
            accept,
            all_at_first=account.imap.first == "all",
            poll_s=settings.imap_poll_s,
        )
        tasks.append(fetcher.run)
    return tasks
