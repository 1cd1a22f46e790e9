"""What all tests share."""

import os

import pytest

from libs.telemetry import configure_logging

configure_logging("error")


@pytest.fixture(scope="session")
def in_ci() -> bool:
    """Whether a part that is missing on this machine is a failure."""
    return os.environ.get("CI") == "true"
