"""What all tests share."""

import os

import pytest

from libs.telemetry import configure_logging

configure_logging("error")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests early: one that begins last is waited for by idle processes.

    Three processes get a third each to begin with: the second and the third start with long ones, files left whole.
    """
    long = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    files = sorted({item.path for item in long})
    first = [item for item in long if files.index(item.path) % 2]
    second = [item for item in long if item not in first]
    third = len(items) // 3
    cut = 2 * third - len(first)
    items[:] = [*rest[:third], *first, *rest[third:cut], *second, *rest[cut:]]


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a part that is missing on this machine is a failure."""
    return os.environ.get("CI") == "true"
