"""The embedded host and the `centralino` commands as processes of their own, for tests that look at them from outside."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.hosts import free_port
from libs.storage.embedded import EmbeddedPostgres
from tests.system.desk import Desk, until

# A guard against hanging, not a measure: starting takes several times longer on a busy machine.
PATIENCE_SECONDS = 240
QUICK = {
    "CENTRALINO_FSYNC": "false",
    "CENTRALINO_LOG_LEVEL": "error",
    "CENTRALINO_ANALYTICS_SETTLE_MS": "200",
    "COLUMNS": "200",
}


def environment(data: Path, **more: str) -> dict[str, str]:
    """What a process of the installation in `data` is started with."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**inherited, **QUICK, "CENTRALINO_DATA": str(data), **more}


def command(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A `centralino` command that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@dataclass
class Host:
    """A host as a process, on a folder that outlives it."""

    data: Path
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def desk(self) -> Desk:
        return Desk(self.url, self.data)

    @property
    def terminal(self) -> str:
        return (self.data / "terminal.log").read_text()

    def start(self) -> None:
        with (self.data / "terminal.log").open("ab") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services", "run", "--port", str(self.port)],
                env=environment(self.data, **self.more),
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
            )
        until(self._answers, PATIENCE_SECONDS, what="the host's answer")

    def _answers(self) -> bool | None:
        assert self.process is not None
        assert self.process.poll() is None, self.terminal
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/livez", timeout=2).status_code == 200 or None
        return None

    def interrupt(self) -> float:
        """Ctrl-C; how many seconds it took to end."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        return time.monotonic() - started


@contextlib.contextmanager
def a_host(**more: str) -> Iterator[Host]:
    """A host of its own on a folder that is removed afterwards, with what it started."""
    data = Path(tempfile.mkdtemp(prefix="centralino-host-"))
    made = Host(data, more)
    try:
        made.start()
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                made.process.wait(15)
            if made.process.poll() is None:
                made.process.kill()
        EmbeddedPostgres(data).stop()
        shutil.rmtree(data, ignore_errors=True)
