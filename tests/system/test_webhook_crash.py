"""Ingest is killed while a provider posts: what was answered 200 is there, once."""

import pytest

from services.ingest.service import definition
from tests.support.harness import database_for
from tests.support.postgres import drop_database
from tests.system.webhook_crash import run

pytestmark = [pytest.mark.crash, pytest.mark.slow]


async def test_webhooks_doubled_late_and_torn_under_kills_are_each_a_message_once() -> None:
    url = await database_for([definition])
    try:
        account = await run(webhooks=400, kills=2, seed=1, url=url)
    finally:
        await drop_database(url)
    assert (account["lost"], account["doubled"], account["strange"]) == (0, 0, 0), account
    assert account["kills"] == 2, account
    assert account["torn"], account
    assert account["doubled_by_provider"], account
    assert account["broken_connections"], account
