"""What all tests share."""

import os

import pytest

from libs.telemetry import configure_logging

configure_logging("error")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: one that begins last is waited for by an idle second process."""
    items.sort(
        key=lambda item: (item.get_closest_marker("slow") is None, item.get_closest_marker("crash") is None)
    )


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a part that is missing on this machine is a failure."""
    return os.environ.get("CI") == "true"
