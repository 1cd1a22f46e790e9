"""What all tests share."""

import os

import pytest

from libs.telemetry import configure_logging

configure_logging("error")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests early: one that begins last is waited for by an idle second process.

    Two processes get a half each to begin with: the second starts with the long ones.
    """
    long = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    half = len(items) // 2
    items[:] = [*rest[:half], *long, *rest[half:]]


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a part that is missing on this machine is a failure."""
    return os.environ.get("CI") == "true"
