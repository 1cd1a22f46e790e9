"""Processes that benchmarks measure: the embedded host and the bare peer, each with a database of its own, fsync on."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from libs.storage.embedded import EmbeddedPostgres

_CLUSTER_SECONDS = 240.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    """Returns once the address answers. Raises RuntimeError when its process ends, or after so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{url}: its process ended with {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {seconds} s")


@contextlib.contextmanager
def platform(**environment: str) -> Iterator[tuple[str, Path]]:
    """The embedded host: its address and its data folder, in which `host.log` is what it says."""
    folder = Path(tempfile.mkdtemp(prefix="centralino-bench-"))
    port = free_port()
    command = [sys.executable, "-m", "services", "run", "--port", str(port)]
    variables = {
        **os.environ,
        "CENTRALINO_DATA": str(folder),
        "CENTRALINO_LOG_LEVEL": "warning",
        **environment,
    }
    with (folder / "host.log").open("wb") as log:
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
    try:
        answers(f"http://127.0.0.1:{port}/livez", process)
        yield f"http://127.0.0.1:{port}", folder
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def bare() -> Iterator[str]:
    """The bare peer: its address."""
    folder = Path(tempfile.mkdtemp(prefix="centralino-bare-"))
    server = EmbeddedPostgres(folder)
    server.start()
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", server.url, str(port)])
    try:
        answers(f"http://127.0.0.1:{port}/docs", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def load(url: str, path: str, clients: int, seconds: float, kind: str = "message") -> dict[str, float]:
    """Runs the generator in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "bench.load",
        url,
        path,
        "--clients",
        str(clients),
        "--seconds",
        str(seconds),
        "--kind",
        kind,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def lag(url: str) -> float:
    """Events that some group has not processed, as /metrics says."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(
        float(value) for value in re.findall(r"^centralino_stream_lag_events\{[^}]*\} (\S+)$", text, re.M)
    )


@dataclass(frozen=True, slots=True)
class Clustered:
    """A cluster that runs, as a process of its own on a folder of its own."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The folder of the keys."""
        return self.folder / "data"

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        settings = (self.folder / "kafka" / "server.properties").read_text()
        found = re.search(r"^advertised\.listeners=PLAINTEXT://(.+)$", settings, re.M)
        assert found is not None
        return found[1]

    def said(self) -> str:
        """What it has printed."""
        return (self.folder / "words").read_text()


@contextlib.contextmanager
def clustered(*arguments: str, **environment: str) -> Iterator[Clustered]:
    """`centralino cluster` as an operator starts it, ended by Ctrl-C, on a folder that is removed then."""
    folder = Path(tempfile.mkdtemp(prefix="centralino-cluster-"))
    try:
        with clustered_at(folder, *arguments, **environment) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def clustered_at(folder: Path, *arguments: str, **environment: str) -> Iterator[Clustered]:
    """The same on a folder that stays."""
    # The database's user has to pass.
    folder.chmod(0o755)
    port = free_port()
    command = [sys.executable, "-m", "services", "cluster", "--port", str(port), "--data", str(folder)]
    variables = {**os.environ, "COLUMNS": "200", **environment}
    with (folder / "words").open("wb") as out:
        process = subprocess.Popen(
            [*command, *arguments], env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    made = Clustered(process, folder, port)
    try:
        until = time.monotonic() + _CLUSTER_SECONDS
        while "Centralino answers" not in made.said():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(made.said())
            time.sleep(0.2)
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            process.kill()
