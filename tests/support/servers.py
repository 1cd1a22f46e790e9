"""The PostgreSQL servers that must work: the wheel's, and Debian's older one where it is installed."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.storage.embedded import EmbeddedPostgres

OLDEST = Path("/usr/lib/postgresql/15/bin")


@contextlib.contextmanager
def server(binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    """A server of its own in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="centralino-server-"))
    made = EmbeddedPostgres(folder, fsync=False, binaries=binaries)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def need_oldest(in_ci: bool) -> None:
    """Skips where PostgreSQL 15 is not installed; in CI that is a failure."""
    if not (OLDEST / "postgres").exists():
        assert not in_ci, "PostgreSQL 15 is missing, which CI installs"
        pytest.skip("PostgreSQL 15 (package postgresql-15) is not installed")
