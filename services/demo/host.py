"""A platform of the demo's own: all six services in a process beside, on a data folder that goes away afterwards."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final

import httpx

_START_S: Final = 120.0
_STOP_S: Final = 30.0
_DAY_S: Final = 86_400


class HostFailed(RuntimeError):
    """The platform does not start; the text ends with what it said."""


def demo_settings(smtp_port: int, survey_delay_s: float, survey_window_s: float) -> dict[str, str]:
    """Settings for a day in a minute, as environment variables: no survey cap, seconds for delays and windows."""
    return {
        "CENTRALINO_INGEST_SMTP_HOST": "127.0.0.1",
        "CENTRALINO_INGEST_SMTP_PORT": str(smtp_port),
        "CENTRALINO_INGEST_DELIVERY_FIRST_BACKOFF_MS": "300",
        "CENTRALINO_SURVEY_DELAY_SECONDS": str(survey_delay_s),
        "CENTRALINO_SURVEY_CAP_DAYS": "0",
        "CENTRALINO_SURVEY_WINDOW_DAYS": f"{survey_window_s / _DAY_S:.8f}",
        "CENTRALINO_ANALYTICS_SETTLE_MS": "300",
    }


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class DemoHost:
    """`async with DemoHost(settings) as host:` runs it; `keep` leaves the data folder and its log."""

    def __init__(self, settings: dict[str, str], *, keep: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="centralino-demo-"))
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._keep = keep
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """What the platform says."""
        return self.folder / "host.log"

    async def __aenter__(self) -> "DemoHost":
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the process and waits until it is ready. Also after a kill, on the same data and port."""
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        environment |= {
            "CENTRALINO_DATA": str(self.folder),
            "CENTRALINO_PUBLIC_URL": self.address,
            **self._settings,
        }
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services", "run", "--port", str(self.port),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _START_S
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while not await _ready(client, self.address):
                if self._process.returncode is not None:
                    raise HostFailed(
                        f"the platform ended with code {self._process.returncode}:\n{self._tail()}"
                    )
                if time.monotonic() > until:
                    raise HostFailed(f"the platform was not ready within {_START_S:.0f} s:\n{self._tail()}")
                await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """Asks it to stop, and removes the data unless it is to be kept."""
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if not self._keep:
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


async def _ready(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/readyz")).status_code == 200
    except httpx.TransportError:
        return False
