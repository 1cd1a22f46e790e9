"""The whole platform is killed again and again while customers and agents work; their own record is compared."""

import pytest

from tests.system.crash import run

pytestmark = [pytest.mark.crash, pytest.mark.load, pytest.mark.slow]


async def test_kills_of_host_worker_and_database_lose_and_double_nothing() -> None:
    account = await run(kills=14, conversations=600, rate=10.0, seed=1)
    assert account["exit_code"] == 0, account["differences"] or account
    assert account["kills"]["host"] >= 10
    assert account["kills"]["worker"] >= 2
    assert account["kills"]["postgres"] >= 2
