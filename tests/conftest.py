"""What all tests share."""

import os

import pytest

from libs.telemetry import configure_logging

configure_logging("error")
# Tests run side by side: threads of one would only wait for the cores of another.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests early: one that begins last is waited for by idle processes.

    Each process gets an equal part to begin with: the second one starts with the long ones.
    """
    long = [item for item in items if item.get_closest_marker("slow")]
    rest = [item for item in items if not item.get_closest_marker("slow")]
    part = len(items) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [*rest[:part], *long, *rest[part:]]


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a part that is missing on this machine is a failure."""
    return os.environ.get("CI") == "true"
