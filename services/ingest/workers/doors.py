"""The doors of mail beside HTTP: the server within, and the mailboxes that are read."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from libs.storage import Database
from libs.web import GuardedClient
from services.ingest.account_parts import ImapBox
from services.ingest.accounts import Accounts
from services.ingest.adapters.credentials import opened
from services.ingest.adapters.keys import Sealer
from services.ingest.adapters.mail_tokens import MailTokens
from services.ingest.adapters.mailbox import ImapMailbox
from services.ingest.api.accepting import Accepting
from services.ingest.api.mail import MOST_MAIL_BYTES
from services.ingest.api.mail_door import MailDoor
from services.ingest.settings import IngestSettings
from services.ingest.workers.fetching import Fetcher

Task = Callable[[asyncio.Event], Awaitable[None]]


def mail_doors(
    accepting: Accepting,
    accounts: Accounts,
    settings: IngestSettings,
    sealer: Sealer,
    database: Database,
    client: GuardedClient,
) -> Sequence[Task]:
    """What runs for them; nothing where none is set up. Raises SealBroken, OSError for a certificate."""
    tasks: list[Task] = []
    tokens = MailTokens(client, database, sealer)
    if settings.mail_in_port is not None:
        tasks.append(MailDoor(accepting, settings).run)
    for account in accounts.all:
        if account.imap is None:
            continue

        async def accept(account_id: str, raw: bytes) -> Any:
            return await accepting.mail(account_id, raw, None, 0)

        fetcher = Fetcher(
            database,
            account.id,
            partial(_connected, account.id, opened(sealer, account.imap), tokens),
            accept,
            all_at_first=account.imap.first == "all",
            poll_s=settings.imap_poll_s,
        )
        tasks.append(fetcher.run)
    return tasks


async def _connected(account: str, box: ImapBox, tokens: MailTokens) -> ImapMailbox:
    """A mailbox with the key that opens it now. Raises MailboxAway."""
    key = await tokens.fresh(account, box.oauth) if box.oauth else box.password.get_secret_value()
    return ImapMailbox(box, key, MOST_MAIL_BYTES)
