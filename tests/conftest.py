"""What all tests share."""

import os

import pytest

from libs.telemetry import configure_logging

configure_logging("error")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: one that begins last is waited for by an idle second process.

    Two processes get a half each to begin with: the one starts with what keeps the machine busy, the other with what
    mostly waits.
    """
    busy = [item for item in items if item.get_closest_marker("load")]
    waiting = [item for item in items if item.get_closest_marker("slow") and item not in busy]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    room = max(0, len(items) // 2 - len(busy))
    items[:] = [*busy, *rest[:room], *waiting, *rest[room:]]


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a part that is missing on this machine is a failure."""
    return os.environ.get("CI") == "true"
