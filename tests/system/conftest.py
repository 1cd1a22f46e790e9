"""A whole platform in a process of its own, shared by the tests that only look at it from outside."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.hosts import platform
from libs.web import TokenKeys, Tokens
from tests.system.desk import Desk
from tests.system.shop import ACCOUNTS


@dataclass(frozen=True, slots=True)
class RunningHost:
    """An embedded host and the means to sign tokens for it."""

    url: str
    data: Path

    def token(self, role: str = "admin", subject: str = "tester") -> str:
        tokens = Tokens(TokenKeys.load_or_create(self.data / "token-keys.json"))
        return tokens.issue(subject, role, 3600)  # type: ignore[arg-type]  # tests name any role


@contextlib.contextmanager
def _quick_host() -> Iterator[RunningHost]:
    quick = {
        "CENTRALINO_FSYNC": "false",
        "CENTRALINO_SURVEY_DELAY_SECONDS": "1",
        "CENTRALINO_ANALYTICS_SETTLE_MS": "200",
        # What the platform says by itself would stand between what people write: tests/service/agent/test_notices.py.
        "CENTRALINO_AGENT_NOTICES_MOST": "0",
        "CENTRALINO_INGEST_ACCOUNTS": json.dumps(ACCOUNTS),
        **{name: value for name, value in os.environ.items() if name.startswith("CENTRALINO_TEST_")},
    }
    with platform(**quick) as (url, data):
        yield RunningHost(url, data)


@pytest.fixture(scope="session")
def host() -> Iterator[RunningHost]:
    """All services with quick surveys and outcomes, on a throw-away folder."""
    with _quick_host() as made:
        yield made


@pytest.fixture(scope="session")
def littered_host() -> Iterator[RunningHost]:
    """One more, for tests whose messages nobody answers: they would stand before those of other tests in the queues."""
    with _quick_host() as made:
        yield made


@pytest.fixture
def desk(host: RunningHost) -> Iterator[Desk]:
    """A client of that platform, which must not have met an error nobody foresaw."""
    made = Desk(host.url, host.data)
    with made.client:
        yield made
        made.is_well()


@pytest.fixture(scope="module")
def shared(littered_host: RunningHost) -> Iterator[Desk]:
    """The same client for all tests of a module, of which there are very many, on the host that may be littered."""
    made = Desk(littered_host.url, littered_host.data)
    with made.client:
        yield made
        made.is_well()
